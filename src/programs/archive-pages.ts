/**
 * The pages that were visited, for the list of a WACZ; and those that were not, with why.
 *
 * Lines wait on disk when there are many. Of failures so many are kept, and the others counted.
 */
import type { PageToVisit, VisitedPage } from '../visit/visit.ts';
import { LineSorter } from '../util/line-sorter.ts';
import { pageId, pageLine, type Page } from '../warc/tools/pages.ts';
import type { KnownPages } from '../warc/tools/wacz.ts';

export interface FailedPage {
  readonly url: string;
  /** one line */
  readonly reason: string;
  /** one of those that were named */
  readonly seed: boolean;
}

const MAX_FAILURES_KEPT = 1000;

export class ArchivePages implements AsyncDisposable {
  readonly #seeds = new LineSorter();
  readonly #others = new LineSorter();
  readonly #failures: FailedPage[] = [];
  #main: Page | undefined;
  #mainOrder = Infinity;
  #visited = 0;
  #count = 0;
  #failed = 0;
  #failedSeeds = 0;

  get visited(): number {
    return this.#visited;
  }

  get failed(): number {
    return this.#failed;
  }

  get failedSeeds(): number {
    return this.#failedSeeds;
  }

  /** the first of them */
  get failures(): readonly FailedPage[] {
    return this.#failures;
  }

  /** Of the page to begin with; undefined without one. */
  get title(): string | undefined {
    return this.#main?.title ?? this.#main?.url;
  }

  /** For a WACZ; undefined when there is no page. */
  get known(): KnownPages | undefined {
    const main = this.#main;
    return main && { first: this.#seeds, others: this.#others, main, count: this.#count };
  }

  /** @param order among those that were named; the first of them is the page to begin with */
  async add({ url, depth }: PageToVisit, { status, mime, title, text }: VisitedPage, at: Date, order: number): Promise<void> {
    const ts = at.toISOString();
    const seed = depth === 0;
    const page: Page = {
      id: pageId(url, ts),
      url,
      ts,
      ...(title === '' ? {} : { title }),
      ...(text === '' ? {} : { text }),
      ...(status === undefined ? {} : { status }),
      ...(mime === undefined ? {} : { mime }),
      depth,
      ...(seed ? { seed } : {}),
    };
    this.#visited++;
    if (!seed) this.#count++;
    else if (order < this.#mainOrder) {
      this.#main = page;
      this.#mainOrder = order;
    }
    await (seed ? this.#seeds : this.#others).add(`${ts} ${pageLine(page)}`);
  }

  fail(failure: FailedPage): void {
    this.#failed++;
    if (failure.seed) this.#failedSeeds++;
    if (this.#failures.length < MAX_FAILURES_KEPT) this.#failures.push(failure);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#seeds[Symbol.asyncDispose]();
    await this.#others[Symbol.asyncDispose]();
  }
}

/**
 * Pages that are still to be visited, in the order in which they were found, each once and no more than the limit.
 *
 * Memory is bounded: of so many URLs each is known, and past those pages are only counted.
 */
import { pageUrl, type InScope } from '../page/scope.ts';
import type { PageToVisit } from './visit.ts';

export interface FrontierOptions {
  /** in `pageUrl`'s form */
  readonly seeds: readonly string[];
  readonly inScope: InScope;
  /** links that are followed one after the other; Infinity: all */
  readonly maxDepth: number;
  /** pages in all */
  readonly maxPages: number;
}

/** URLs that are remembered for each page that may be visited, past which they are not told apart any more. */
const KNOWN_PER_PAGE = 100;
/** And of no more than these or the limit, whichever is more: a quarter of a GB. */
const MAX_KNOWN = 1_000_000;

export class Frontier {
  readonly #options: FrontierOptions;
  readonly #known = new Set<string>();
  readonly #waiting: PageToVisit[] = [];
  #taken = 0;
  /** known no more */
  #forgotten = 0;

  constructor(options: FrontierOptions) {
    this.#options = options;
    for (const url of options.seeds) this.#add({ url, depth: 0, foundOn: undefined });
  }

  /** found, in scope and within the limit */
  get found(): number {
    return Math.min(this.#all, this.#options.maxPages);
  }

  /** found and in scope, but past the limit */
  get leftOut(): number {
    return this.#forgotten + this.#all - this.found;
  }

  take(): PageToVisit | undefined {
    if (this.#taken >= this.#options.maxPages) return undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#taken++;
    return next;
  }

  /** One that was taken may not be visited: another has its place. */
  forbidden(): void {
    this.#taken--;
  }

  /** @param links absolute URLs on that page, of whatever scheme */
  follow(page: PageToVisit, links: Iterable<string>): void {
    const depth = page.depth + 1;
    if (depth > this.#options.maxDepth) return;
    for (const link of links) {
      const url = pageUrl(link);
      if (url !== undefined && this.#options.inScope(url)) this.#add({ url, depth, foundOn: page.url });
    }
  }

  /** Where a page has led to is known: a link to it is not another page. */
  reached(url: string): void {
    const key = pageUrl(url);
    if (key !== undefined && this.#hasRoom()) this.#known.add(key);
  }

  #add(page: PageToVisit): void {
    if (this.#known.has(page.url)) return;
    const isKept = this.#hasRoom();
    if (isKept) this.#known.add(page.url);
    if (isKept || this.#all < this.#options.maxPages) this.#waiting.push(page);
    else this.#forgotten++;
  }

  get #all(): number {
    return this.#taken + this.#waiting.length;
  }

  #hasRoom(): boolean {
    const { maxPages } = this.#options;
    return this.#known.size < Math.max(maxPages, Math.min(maxPages * KNOWN_PER_PAGE, MAX_KNOWN));
  }
}

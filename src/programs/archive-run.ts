/**
 * Pages of the web as one WACZ: visited one after the other through a core, then packed.
 *
 *   URLs ─► frontier ─► visit (browser ─► proxy on loopback, or Core.fetch) ─► core ─► WARC files ─► WACZ
 *              └──────── links in scope ◄──┘
 *
 * Ends by itself, and may be closed at any time: what has come by then is packed.
 */
import { EventEmitter } from 'node:events';
import { chooseBrowser } from '../browser/find.ts';
import { isFailure } from '../capture/kinds.ts';
import type { ArchiveSlice } from '../options/rows/archive.ts';
import { inScope, type Scope } from '../page/scope.ts';
import type { Log } from '../util/log.ts';
import { allInOrder, reasonOf } from '../util/thrown.ts';
import { timeOfDay } from '../util/time-of-day.ts';
import { readVersion } from '../util/version.ts';
import { BrowserVisits } from '../visit/browser-visit.ts';
import { coreVisits, type Fetch } from '../visit/core-visit.ts';
import { Frontier } from '../visit/frontier.ts';
import { robotsGate } from '../visit/robots.ts';
import { VisitError, type PageToVisit, type Visit, type VisitedPage, type VisitWishes } from '../visit/visit.ts';
import { ArchivePages, type FailedPage } from './archive-pages.ts';
import { browserHandler } from './browser-handler.ts';
import { BrowserWays } from './browser-ways.ts';
import type { Core, CoreEvents } from './core.ts';
import type { Figures } from './figures.ts';
import type { PackFolder } from './pack.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';

export interface ArchiveRunParts {
  /** in `pageUrl`'s form, each once */
  readonly seeds: readonly string[];
  readonly options: ArchiveSlice & ResolvedCoreOptions;
  readonly log: Log;
}

/** How far it is. */
export interface ArchiveProgress {
  readonly visited: number;
  readonly failed: number;
  /** pages that are known of, up to the limit */
  readonly found: number;
  /** one that is being visited */
  readonly current: string | undefined;
  /** of the WACZ, from 0 to 1; undefined before that is made */
  readonly packed: number | undefined;
}

/** What has become of it. */
export interface ArchiveResult {
  /** undefined: no page could be archived, and there is no WACZ */
  readonly output: string | undefined;
  /** of the WACZ */
  readonly bytes: number;
  readonly pages: number;
  readonly failed: number;
  readonly failedSeeds: number;
  /** the first of them */
  readonly failures: readonly FailedPage[];
  /** found past the limit */
  readonly leftOut: number;
  /** links that robots.txt forbids */
  readonly forbidden: number;
}

/** Of pages whose answers are looked for among captures. */
const MAX_REMEMBERED = 1000;
const HTTP2_STREAMS = 100;
const PICTURE_TYPES = { view: 'urn:view:', fullPage: 'urn:fullPage:' } as const;

interface OpenRun extends ArchiveRunParts {
  readonly core: Core;
  readonly folder: PackFolder;
}

export class ArchiveRun extends EventEmitter<CoreEvents> implements AsyncDisposable {
  readonly ended: Promise<void>;
  readonly #parts: OpenRun;
  readonly #ways: BrowserWays;
  readonly #pages = new ArchivePages();
  readonly #stopping = new AbortController();
  readonly #begun = new Map<string, Date>();
  readonly #refused = new Map<string, string>();
  readonly #current = new Set<string>();
  #frontier: Frontier | undefined;
  #browser: BrowserVisits | undefined;
  #forbidden = 0;
  #packed: number | undefined;
  #result: ArchiveResult | undefined;
  #closing: Promise<void> | undefined;

  /** Begins at once. */
  constructor(parts: OpenRun) {
    super();
    const { core, folder, options, log } = parts;
    this.#parts = parts;
    this.#ways = new BrowserWays({ core, options, dir: folder.dir, http2Streams: HTTP2_STREAMS, log });
    core.on('capture', (capture) => {
      const map = isFailure(capture) ? this.#refused : this.#begun;
      if (map.size >= MAX_REMEMBERED) map.delete([...map.keys()][0] ?? '');
      if (isFailure(capture)) this.#refused.set(capture.url, capture.error.message);
      else if (capture.method === 'GET' && !this.#begun.has(capture.url)) this.#begun.set(capture.url, capture.startedAt);
      this.emit('capture', capture);
    });
    core.on('fatal', (error) => this.emit('fatal', error));
    this.ended = this.#run();
    // Whoever waits for its end hears of it.
    this.ended.catch(() => undefined);
  }

  /** Once it is closed. */
  get result(): ArchiveResult | undefined {
    return this.#result;
  }

  progress(): ArchiveProgress {
    const { visited, failed } = this.#pages;
    return { visited, failed, found: this.#frontier?.found ?? 0, current: [...this.#current][0], packed: this.#packed };
  }

  figures(): Figures {
    return this.#parts.core.figures();
  }

  /** Visit no more, and make the WACZ of what there is. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    const { seeds, options } = this.#parts;
    const { scope = 'prefix', depth = options.scope === undefined ? 0 : Infinity, limit, parallel, timeLimit } = options;
    const signals = [this.#stopping.signal, ...(timeLimit === undefined ? [] : [AbortSignal.timeout(timeLimit * 1000)])];
    const signal = AbortSignal.any(signals);
    const visit = await this.#openVisits();
    const follows = await inScope(scope satisfies Scope, seeds);
    const frontier = (this.#frontier = new Frontier({ seeds, inScope: follows, maxDepth: depth, maxPages: limit }));
    const allowed = options.ignoreRobots ? () => Promise.resolve(true) : robotsGate((url) => this.#ask(url, signal), this.#agent);
    const running = new Set<Promise<void>>();
    while (!signal.aborted) {
      while (running.size < parallel) {
        const page = frontier.take();
        if (page === undefined) break;
        const done = this.#visit(page, visit, allowed, signal).finally(() => running.delete(done));
        running.add(done);
      }
      if (running.size === 0) break;
      await Promise.race(running);
    }
    await Promise.all(running);
  }

  async #visit(page: PageToVisit, visit: Visit, allowed: (url: string) => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    const { url, depth } = page;
    // Who names a page wants that one.
    if (depth > 0 && !(await allowed(url))) {
      this.#forbidden++;
      this.#frontier?.forbidden();
      log.info({ url }, 'left out, robots.txt of its site forbids it');
      return;
    }
    if (signal.aborted) return;
    this.#current.add(url);
    const beganAt = timeOfDay();
    try {
      const visited = await visit(page, signal);
      await this.#keep(page, visited, beganAt);
      this.#frontier?.reached(visited.url);
      this.#frontier?.follow(page, visited.links);
    } catch (error) {
      if (!(error instanceof VisitError)) throw error;
      this.#fail(page, error.message);
    } finally {
      this.#current.delete(url);
    }
  }

  async #keep(page: PageToVisit, visited: VisitedPage, beganAt: Date): Promise<void> {
    const { core, seeds, log } = this.#parts;
    await core.archive.settled();
    // What the browser was answered was the proxy's own word.
    const refusal = (visited.status ?? 0) >= 500 ? (this.#refused.get(visited.url) ?? this.#refused.get(page.url)) : undefined;
    if (refusal !== undefined) return this.#fail(page, refusal);
    const unwritten = await this.#record(page.url, visited);
    await this.#pages.add(page, visited, this.#begun.get(page.url) ?? beganAt, seeds.indexOf(page.url));
    const { status, title } = visited;
    const cut = visited.cut ?? unwritten;
    const facts = { url: page.url, status, ...(title === '' ? {} : { title }) };
    if (cut === undefined) log.info(facts, 'page archived');
    else log.warn({ ...facts, reason: cut }, `page archived in part: ${cut}`);
  }

  /** How it looked, and what it says. @returns why that could not be written */
  async #record(url: string, { pictures, text }: VisitedPage): Promise<string | undefined> {
    const { core, options } = this.#parts;
    const about = { warcType: 'resource', prefix: options.prefix };
    try {
      for (const { kind, png } of pictures) await core.record({ ...about, url: PICTURE_TYPES[kind] + url, contentType: 'image/png' }, png);
      if (text !== '') await core.record({ ...about, url: `urn:text:${url}`, contentType: 'text/plain; charset=utf-8' }, Buffer.from(text));
    } catch (error) {
      return reasonOf(error);
    }
    return undefined;
  }

  #fail({ url, depth }: PageToVisit, reason: string): void {
    this.#pages.fail({ url, reason, seed: depth === 0 });
    this.#parts.log.warn({ url, reason }, `page not archived: ${reason}`);
  }

  get #agent(): string {
    return this.#parts.options.userAgent ?? `warctap/${readVersion()}`;
  }

  async #openVisits(): Promise<Visit> {
    const { options, core, log } = this.#parts;
    const { text, screenshot, pageTimeout, userAgent, lang: language } = options;
    const wishes: VisitWishes = { text, screenshot, timeoutMs: pageTimeout * 1000 };
    const fetch: Fetch = (url, init) => core.fetch(url, { ...init, headers: [...init.headers, ...languageField(language)], cutsOff: true });
    const fetchFile = coreVisits({ fetch, userAgent, wishes });
    if (options.noBrowser) return fetchFile;
    const { executable } = await chooseBrowser(options.browser, ['chromium']);
    const { url: proxyUrl, keySha256: spkiSha256 } = await this.#ways.open(browserHandler(core));
    this.#browser = new BrowserVisits({ executable, proxyUrl, spkiSha256, userAgent, language, wishes, fetchFile });
    await this.#browser.start();
    log.info({ browser: executable }, 'the browser has started');
    return this.#browser.visit;
  }

  #ask(url: string, signal: AbortSignal) {
    return this.#parts.core.fetch(url, { headers: [['User-Agent', this.#agent]], signal });
  }

  async #close(): Promise<void> {
    const { core, folder, options } = this.#parts;
    const { output } = folder;
    this.#stopping.abort();
    await allInOrder([
      () => this.ended.catch(() => undefined),
      () => this.#browser?.close(),
      () => this.#ways.close(),
      () => core.close(),
      async () => {
        const { known, title, visited: pages, failed, failedSeeds, failures } = this.#pages;
        const about = { pages, failed, failedSeeds, failures, leftOut: this.#frontier?.leftOut ?? 0, forbidden: this.#forbidden };
        if (known === undefined) {
          await folder.remove();
          this.#result = { output: undefined, bytes: 0, ...about };
          return;
        }
        const onProgress = (bytes: number, of: number) => (this.#packed = of === 0 ? 1 : bytes / of);
        this.#packed = 0;
        const bytes = await folder.pack({ title: options.title ?? title, known, onProgress });
        this.#result = { output, bytes, ...about };
      },
      () => this.#pages[Symbol.asyncDispose](),
    ]);
  }
}

function languageField(language: string | undefined): readonly (readonly [string, string])[] {
  return language === undefined ? [] : [['Accept-Language', language]];
}

/**
 * One visit for an entry of the frontier: robots.txt, a login where there is one, the page behind its redirects, and the links in it.
 *
 * ```
 * robots ─► login ─► request ─┬─ redirect that may be followed ─► robots ─► request …
 *   │                         └─ MIME rules ─► body, browser, links ─► archived ─► item
 *   └─ denied: no item         └─ not saved: no item, its download is cut off
 * ```
 *
 * Stores nothing: what comes out is stored by the job.
 */
import { ACCEPT_ENCODING, redirectOf } from '../../page/fetched.ts';
import { linkFields } from '../../page/links.ts';
import type { PdfReader } from '../../page/pdf/reader.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { MAX_KEPT_BYTES, readBody, type ReadBody } from './body.ts';
import { canonicalUrl } from './canonical.ts';
import { isNetwork, isNotNow, NotNowError, textOf } from './failures.ts';
import type { Entry } from './host-queue.ts';
import type { HostTurns, Turn } from './host-turns.ts';
import type { JobCookies } from './cookies.ts';
import { hostOf, type NewEntry } from './frontier.ts';
import { FoundLinks } from './found-links.ts';
import type { JobLog } from './job-log.ts';
import type { LogIn } from './login.ts';
import { linksIn, sourceOf, type Source } from './page-links.ts';
import type { Rendering } from './rendering.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Robots, Verdict } from './robots.ts';
import type { ArchivedAnswer, Asker, Requests, SitePage } from './requests.ts';
import type { Rules } from './rules.ts';
import { PolicyRobotsTxt_Usage as Usage } from '../proto/starbelly_pb.ts';
import type { Clock, ItemAnswer } from './types.ts';

export interface VisitParts {
  readonly rules: Rules;
  readonly robots: Robots;
  readonly requests: Requests;
  readonly turns: HostTurns;
  readonly cookies: JobCookies;
  /** undefined: nobody logs in */
  readonly logIn: LogIn | undefined;
  /** undefined: pages stay as they come */
  readonly rendering: Rendering | undefined;
  readonly pdfs: PdfReader;
  readonly log: JobLog;
  readonly clock: Clock;
  /** tries after the first */
  readonly retries: number;
  /** before the first of them, twice as long before each further one */
  readonly retryMs: number;
  readonly checkSeeds: boolean;
  readonly maxBodyBytes: number;
  readonly storeLinks: (links: readonly NewLink[]) => Promise<void>;
}

/** What becomes an item, but for its number. */
export interface NewItem {
  readonly url: string;
  readonly urlCan: string;
  readonly cost: number;
  readonly startedAt: number;
  readonly duration: number;
  readonly exception?: string;
  readonly answer?: ItemAnswer;
  readonly finalUrl?: string;
  /** of the first exchange, and of the one that has the body */
  readonly first?: ArchivedAnswer | undefined;
  readonly last?: ArchivedAnswer | undefined;
  /** its body as it came, if that is small */
  readonly kept?: Buffer | undefined;
}

/** A link with the keys that it is known by. */
export interface NewLink {
  readonly entry: NewEntry;
  readonly seen: Buffer;
}

export type Outcome =
  | { readonly kind: 'done'; readonly item: NewItem | undefined; readonly links: readonly NewLink[] }
  /** once more, after so long */
  | { readonly kind: 'again'; readonly afterMs: number };

const MAX_REDIRECTS = 10;
const TRY_AGAIN = new Set([429, 503]);
const OCTETS = 'application/octet-stream';

/**
 * @param turn at the entry's host, taken for it
 * @param tries before this one
 * @throws the reason of the asker's signal; NotNowError; CrawlStoreError
 */
export async function visit(parts: VisitParts, asker: Asker, entry: Entry, turn: Turn, tries: number): Promise<Outcome> {
  return new Visit(parts, asker, entry, turn, tries).run();
}

class Visit {
  readonly #parts: VisitParts;
  readonly #asker: Asker;
  readonly #entry: Entry;
  readonly #tries: number;
  readonly #links: FoundLinks;
  readonly #userAgent: string;
  readonly #archived: Promise<ArchivedAnswer>[] = [];
  #turn: Turn | undefined;
  #startedAt: number | undefined;
  #begun = 0;
  #pauseMs = 0;

  constructor(parts: VisitParts, asker: Asker, entry: Entry, turn: Turn, tries: number) {
    this.#parts = parts;
    this.#asker = asker;
    this.#entry = entry;
    this.#turn = turn;
    this.#tries = tries;
    this.#links = new FoundLinks(parts, entry);
    this.#userAgent = parts.rules.userAgent();
  }

  async run(): Promise<Outcome> {
    try {
      return await this.#visited();
    } catch (error) {
      this.#asker.signal.throwIfAborted();
      if (codeOf(error) === 'CRAWL_STORE' || error instanceof NotNowError) throw error;
      if (isNotNow(error)) throw new NotNowError(reasonOf(error), { cause: error });
      const again = this.#again(isNetwork(error), textOf(error));
      return again ?? (await this.#done(await this.#item({ exception: textOf(error) })));
    } finally {
      // One that was not used is given back.
      this.#turn?.giveBack();
    }
  }

  async #visited(): Promise<Outcome> {
    const { rules, logIn, clock } = this.#parts;
    const { url: first, kind } = this.#entry;
    const verdict = await this.#robotsOf(first, kind === 'seed');
    if (verdict.unreachable !== undefined) return this.#done(await this.#item({ exception: `RobotsUnreachable: ${verdict.unreachable}` }));
    if (!verdict.allowed) return this.#done(undefined);
    if (logIn?.wants(this.#entry.host) === true) {
      this.#letGo();
      await logIn.once(this.#entry.host, this.#asker);
    }
    let url = first;
    for (let hop = 0; ; hop++) {
      const page = await this.#ask(url);
      await this.#parts.cookies.take(url, page.headers);
      const retryMs = TRY_AGAIN.has(page.status) ? retryAfterMs(page.header('retry-after'), clock.now()) : undefined;
      this.#pauseMs = Math.max(this.#pauseMs, retryMs ?? 0);
      const again = TRY_AGAIN.has(page.status) ? this.#again(true, `status ${page.status}`, retryMs) : undefined;
      if (again !== undefined) {
        page.cancel();
        return again;
      }
      const next = redirectOf(page);
      if (next !== undefined) {
        // To its end first: what is asked next may be the same host.
        const body = await this.#read(page, url, undefined);
        if (hop === MAX_REDIRECTS || !(await this.#mayFollow(next))) return this.#taken(page, url, hop > 0, body);
        url = next;
        continue;
      }
      const type = page.header('content-type') ?? OCTETS;
      if (kind !== 'sitemap' && !(await rules.saves(type))) {
        page.cancel();
        await this.#settled();
        this.#parts.log.add('mime', url, type);
        return this.#done(undefined);
      }
      const source = sourceOf(page, kind, type);
      const body = await this.#read(page, url, source);
      if (source !== undefined) for (const link of linkFields(page.url, page.headers)) this.#links.add(link);
      return this.#taken(page, url, hop > 0, body);
    }
  }

  async #read(page: SitePage, url: string, source: Source | undefined): Promise<ReadBody> {
    const { pdfs, rendering, log, maxBodyBytes } = this.#parts;
    const onLink = (link: string) => this.#links.add(link);
    try {
      const found = source && (await linksIn(page, source, { pdfs, log, signal: this.#asker.signal, onLink }));
      const body = await readBody(page, found, () => this.#links.relieve(), maxBodyBytes, rendering?.keptBytes);
      if (source === 'html') await rendering?.page(page, url, body, this.#userAgent, this.#asker, onLink);
      return body.length > MAX_KEPT_BYTES ? { ...body, kept: undefined } : body;
    } finally {
      page.release();
    }
  }

  /** A page that was read and is to be an item. */
  async #taken(page: SitePage, url: string, redirected: boolean, { kept }: ReadBody): Promise<Outcome> {
    const duration = this.#duration;
    if (this.#entry.kind === 'sitemap') {
      await this.#settled();
      return this.#done(undefined);
    }
    const answer: ItemAnswer = {
      status: page.status,
      contentType: ((page.header('content-type') ?? '').split(';', 1)[0] ?? '').trim().toLowerCase() || OCTETS,
      headers: page.headers.map(([name, value]) => [name.toUpperCase(), value]),
    };
    return this.#done(await this.#item({ answer, kept, duration, ...(redirected ? { finalUrl: url } : {}) }));
  }

  async #ask(url: string): Promise<SitePage> {
    const { rules, requests, cookies } = this.#parts;
    const cookie = await cookies.of(url);
    const turn = hostOf(url) === this.#entry.host ? this.#turn : undefined;
    if (turn !== undefined) this.#turn = undefined;
    const page = await requests.open(this.#asker, url, {
      headers: [
        ['User-Agent', this.#userAgent],
        ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
        ['Accept-Encoding', ACCEPT_ENCODING],
        ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
      ],
      upstream: await rules.proxyFor(url),
      turn,
      afresh: this.#tries > 0,
      held: true,
      onStart: () => {
        if (this.#startedAt !== undefined) return;
        this.#startedAt = this.#parts.clock.now();
        this.#begun = this.#parts.clock.elapsed();
      },
      pauseMs: () => this.#pauseMs,
    });
    this.#archived.push(page.archived);
    return page;
  }

  /** Somebody else may ask the host first. */
  #letGo(): void {
    this.#turn?.giveBack();
    this.#turn = undefined;
  }

  async #robotsOf(url: string, isSeed: boolean): Promise<Verdict> {
    const { rules, robots, requests, log, checkSeeds } = this.#parts;
    if (rules.robots === Usage.IGNORE || (isSeed && !checkSeeds && !rules.readSitemaps)) return { allowed: true };
    if (!robots.knows(url)) this.#letGo();
    const ask = async (asked: string) =>
      requests.open(this.#asker, asked, { headers: [['User-Agent', rules.agent]], upstream: await rules.proxyFor(asked) });
    const verdict = await robots.of(url, rules.agent, ask, (error) => this.#isOurs(error));
    if (rules.obeyCrawlDelay) this.#pauseMs = Math.max(this.#pauseMs, (verdict.crawlDelay ?? 0) * 1000);
    if (rules.readSitemaps) for (const sitemap of verdict.sitemaps ?? []) this.#links.addSitemap(sitemap);
    if (isSeed && !checkSeeds) return { allowed: true };
    if (verdict.unreachable !== undefined) return verdict;
    const allowed = verdict.allowed === (rules.robots === Usage.OBEY);
    if (!allowed) log.add('robots', url, rules.robots === Usage.OBEY ? 'disallowed' : 'allowed, and the policy inverts it');
    return { allowed };
  }

  #isOurs(error: unknown): boolean {
    return this.#asker.signal.aborted || isNotNow(error);
  }

  async #mayFollow(url: string): Promise<boolean> {
    if (!(await this.#parts.rules.mayFollow(url))) {
      this.#parts.log.add('redirect', url, 'no rule lets it be followed');
      return false;
    }
    return (await this.#robotsOf(url, false)).allowed;
  }

  /** If there are tries left. @param isTemporary it may go better next time */
  #again(isTemporary: boolean, why: string, afterMs?: number): Outcome | undefined {
    const { retries, retryMs, log } = this.#parts;
    if (!isTemporary || this.#tries >= retries) return undefined;
    log.add('retry', this.#entry.url, why);
    return { kind: 'again', afterMs: afterMs ?? retryMs * 2 ** this.#tries };
  }

  async #done(item: NewItem | undefined): Promise<Outcome> {
    return { kind: 'done', item, links: await this.#links.followed() };
  }

  get #duration(): number {
    return this.#startedAt === undefined ? 0 : (this.#parts.clock.elapsed() - this.#begun) / 1000;
  }

  /** Everything that was asked for is in its file. @throws NotNowError when it never will be: there must be no item without */
  async #settled(): Promise<ArchivedAnswer[]> {
    const archived = await Promise.all(this.#archived).catch((error: unknown) => {
      throw new NotNowError(reasonOf(error), { cause: error });
    });
    if (archived.some(({ archive, records }) => archive && records === undefined)) throw new NotNowError('an answer could not be archived');
    return archived;
  }

  async #item(found: Partial<NewItem>): Promise<NewItem> {
    const { url, cost } = this.#entry;
    const duration = found.duration ?? this.#duration;
    const archived = await this.#settled();
    const startedAt = this.#startedAt ?? this.#parts.clock.now();
    return { url, urlCan: canonicalUrl(url), cost, startedAt, duration, ...found, first: archived[0], last: archived.at(-1) };
  }
}

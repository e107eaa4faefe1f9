/**
 * What robots.txt says, for all jobs: asked for once a day and site, kept in the database.
 *
 * 2xx: its rules. Past five redirects and 4xx: all is allowed. 5xx or no answer: nothing is, unless there is a copy no older than 30 days;
 * asked again after five minutes, then twice as late each time, up to a day.
 * Source: RFC 9309 §2.3.1, §2.4.
 */
import { LRUCache } from 'lru-cache';
import { askRobots, productToken, robotsRules, type RobotsRules } from '../../page/robots.ts';
import { reasonOf } from '../../util/thrown.ts';
import type { CrawlDatabase } from './database.ts';
import { key } from './keys.ts';
import type { SitePage } from './requests.ts';
import type { Clock } from './types.ts';

/** As it is stored. Times in milliseconds since 1970. */
interface Stored {
  /** of the latest answer that was none of the server's faults; undefined: there was none, all is allowed */
  readonly text?: string | undefined;
  /** when that came */
  readonly at?: number | undefined;
  /** of tries since then */
  readonly failures: number;
  readonly error?: string | undefined;
  /** not to be asked before */
  readonly next: number;
}

export interface Verdict {
  readonly allowed: boolean;
  /** there is no robots.txt to be had, for this reason */
  readonly unreachable?: string;
  readonly crawlDelay?: number | undefined;
  readonly sitemaps?: readonly string[];
}

const DAY_MS = 86_400_000;
const STALE_MS = 30 * DAY_MS;
const AGAIN_MS = 300_000;
const IN_MEMORY = 1000;
const MAX_CHARS = 16 * 1024 * 1024;

interface Known {
  readonly stored: Stored;
  /** by product token */
  readonly rules: Map<string, RobotsRules>;
}

/** An own failure of who asks, which says nothing of the site. */
export type IsOurs = (error: unknown) => boolean;

export class Robots {
  readonly #db: CrawlDatabase;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #known = new LRUCache<string, Known>({
    max: IN_MEMORY,
    maxSize: MAX_CHARS,
    sizeCalculation: ({ stored }) => 1 + (stored.text?.length ?? 0),
  });
  readonly #asking = new Map<string, Promise<Known>>();

  constructor(db: CrawlDatabase, clock: Pick<Clock, 'now'>) {
    this.#db = db;
    this.#clock = clock;
  }

  /** It can be told at once. */
  knows(url: string): boolean {
    const known = this.#known.get(new URL(url).origin);
    return known !== undefined && this.#isFresh(known.stored);
  }

  /** At once, if it is known. */
  async peek(url: string, agent: string): Promise<Verdict | undefined> {
    const { origin } = new URL(url);
    const known = this.#known.get(origin);
    return known !== undefined && this.#isFresh(known.stored) ? this.#verdict(known, origin, url, agent) : undefined;
  }

  /**
   * @param ask on whatever road the one who asks has; what others ask at the same time is waited for
   * @param isOurs its errors are thrown, and say nothing of the site
   */
  async of(url: string, agent: string, ask: (url: string) => Promise<SitePage>, isOurs: IsOurs): Promise<Verdict> {
    const { origin } = new URL(url);
    for (;;) {
      const known = this.#known.get(origin) ?? (await this.#read(origin));
      if (known !== undefined && this.#isFresh(known.stored)) return this.#verdict(known, origin, url, agent);
      const other = this.#asking.get(origin);
      if (other === undefined) {
        const asking = this.#ask(origin, known?.stored, ask, isOurs).finally(() => this.#asking.delete(origin));
        this.#asking.set(origin, asking);
        return this.#verdict(await asking, origin, url, agent);
      }
      // Whoever gives up leaves it to the next.
      await other.catch(() => undefined);
    }
  }

  #isFresh({ next }: Stored): boolean {
    return this.#clock.now() < next;
  }

  async #read(origin: string): Promise<Known | undefined> {
    const bytes = await this.#db.get(key('R', Buffer.from(origin)));
    return bytes === undefined ? undefined : this.#keep(origin, JSON.parse(bytes.toString()) as Stored);
  }

  #keep(origin: string, stored: Stored): Known {
    const known = { stored, rules: new Map<string, RobotsRules>() };
    this.#known.set(origin, known);
    return known;
  }

  async #ask(origin: string, before: Stored | undefined, ask: (url: string) => Promise<SitePage>, isOurs: IsOurs): Promise<Known> {
    const stored = await this.#asked(origin, before, ask, isOurs);
    await this.#db.change((batch) => batch.put(key('R', Buffer.from(origin)), stored));
    return this.#keep(origin, stored);
  }

  async #asked(origin: string, before: Stored | undefined, ask: (url: string) => Promise<SitePage>, isOurs: IsOurs): Promise<Stored> {
    let error: string;
    try {
      const { status, text } = await askRobots(`${origin}/robots.txt`, ask);
      const now = this.#clock.now();
      if (status >= 200 && status <= 299) return { text, at: now, failures: 0, next: now + DAY_MS };
      if (status >= 300 && status <= 499) return { at: now, failures: 0, next: now + DAY_MS };
      error = `status ${status}`;
    } catch (thrown) {
      if (isOurs(thrown)) throw thrown;
      error = `${thrown instanceof Error ? thrown.name : 'Error'}: ${reasonOf(thrown)}`;
    }
    const failures = (before?.failures ?? 0) + 1;
    return { ...before, failures, error, next: this.#clock.now() + Math.min(AGAIN_MS * 2 ** (failures - 1), DAY_MS) };
  }

  async #verdict({ stored, rules }: Known, origin: string, url: string, agent: string): Promise<Verdict> {
    const { text, at, failures, error = '' } = stored;
    const stale = at === undefined || at < this.#clock.now() - STALE_MS;
    if (failures > 0 && stale) return error.startsWith('status ') ? { allowed: false } : { allowed: false, unreachable: error };
    if (text === undefined) return { allowed: true };
    const token = productToken(agent);
    const read = rules.get(token) ?? (await robotsRules(`${origin}/robots.txt`, text, agent));
    rules.set(token, read);
    return { allowed: read.allows(url), crawlDelay: read.crawlDelay, sitemaps: read.sitemaps };
  }
}

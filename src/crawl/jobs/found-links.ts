/**
 * The links of one answer: each once, and of them those that the policy lets be followed.
 */
import { seenKeyOf } from './canonical.ts';
import { hostOf } from './frontier.ts';
import type { Entry } from './host-queue.ts';
import type { JobLog } from './job-log.ts';
import type { Robots } from './robots.ts';
import type { Rules } from './rules.ts';
import { PolicyRobotsTxt_Usage as Usage } from '../proto/starbelly_pb.ts';
import type { NewLink } from './visit.ts';

export interface FoundLinksParts {
  readonly rules: Rules;
  readonly robots: Robots;
  readonly log: JobLog;
  /** those of a page that has many are stored before its end */
  readonly storeLinks: (links: readonly NewLink[]) => Promise<void>;
}

/** Of one answer. */
const MAX_LINKS = 1_000_000;
/** That wait to be stored. */
const MANY_LINKS = 1000;
const MANY_CHARS = 256 * 1024;
export const MAX_URL_CHARS = 65_536;
/** Looked at in one go. */
const SLICE = 500;

export class FoundLinks {
  readonly #parts: FoundLinksParts;
  readonly #entry: Entry;
  #urls = new Map<string, Entry['kind']>();
  #chars = 0;
  #count = 0;

  constructor(parts: FoundLinksParts, entry: Entry) {
    this.#parts = parts;
    this.#entry = entry;
  }

  /** @param url absolute, of whatever scheme */
  add(url: string): void {
    const isSitemap = this.#entry.kind === 'sitemap' && /\.xml(?:\.gz)?$/.test(url);
    this.#add(url, isSitemap ? 'sitemap' : 'link');
  }

  addSitemap(url: string): void {
    this.#add(url, 'sitemap');
  }

  #add(text: string, kind: Entry['kind']): void {
    const hash = text.indexOf('#');
    const url = hash === -1 ? text : text.slice(0, hash);
    if (!/^https?:\/\/[^/]/.test(url) || url.length > MAX_URL_CHARS || this.#urls.has(url)) return;
    if (++this.#count > MAX_LINKS) {
      if (this.#count === MAX_LINKS + 1) this.#parts.log.add('links', this.#entry.url, `more than ${MAX_LINKS} links`);
      return;
    }
    this.#chars += url.length;
    this.#urls.set(url, kind);
  }

  /** There are so many of them that they should not wait for the end of the page: from then on they are in the frontier. */
  async relieve(): Promise<void> {
    if (this.#urls.size > MANY_LINKS || this.#chars > MANY_CHARS) await this.#parts.storeLinks(await this.followed());
  }

  /** Those that are not stored yet, in the order of the page. */
  async followed(): Promise<readonly NewLink[]> {
    const { rules } = this.#parts;
    const links: NewLink[] = [];
    let looked = 0;
    const urls = this.#urls;
    this.#urls = new Map();
    this.#chars = 0;
    for (const [url, kind] of urls) {
      if (++looked % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
      const cost = await this.#costOf(url);
      if (cost === undefined) continue;
      const seen = seenKeyOf(kind === 'sitemap' ? `sitemap ${url}` : rules.identity(url));
      links.push({ entry: { url, cost, kind, seed: this.#entry.seed, host: hostOf(url) }, seen });
    }
    return links;
  }

  /** @returns undefined when it is not followed */
  async #costOf(url: string): Promise<number | undefined> {
    const { rules, robots, log } = this.#parts;
    const cost = await rules.cost(url, this.#entry.cost);
    if (cost === undefined) {
      log.add('cost', url, `from ${this.#entry.url}, of cost ${this.#entry.cost}`);
      return undefined;
    }
    // Of a site that is not known yet it is asked for when it is this link's turn.
    const verdict = rules.robots === Usage.IGNORE ? undefined : await robots.peek(url, rules.agent);
    if (verdict === undefined || verdict.unreachable !== undefined || verdict.allowed === (rules.robots === Usage.OBEY)) return cost;
    log.add('robots', url, 'not to be fetched');
    return undefined;
  }
}

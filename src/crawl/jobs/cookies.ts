/**
 * The cookies of a job, kept in the database: they outlive a pause, and a crash.
 *
 * Source: RFC 6265bis; at least 50 a domain and 3000 in all are kept (RFC 6265 §6.1), the oldest go first.
 */
import { Cookie, CookieJar, MemoryCookieStore } from 'tough-cookie';
import type { Batch, CrawlDatabase } from './database.ts';
import { key, within } from './keys.ts';
import type { Id } from './types.ts';

const MAX_COOKIES = 3000;
const MAX_COOKIES_OF_DOMAIN = 50;
const MAX_CHARS = 4096;

export class JobCookies {
  readonly #job: Id;
  readonly #store = new MemoryCookieStore();
  readonly #jar = new CookieJar(this.#store, { looseMode: true });
  /** the oldest first */
  readonly #known = new Map<string, Cookie>();
  readonly #perDomain = new Map<string, number>();
  /** since they were stored */
  #changed = new Map<string, Cookie | undefined>();

  private constructor(job: Id) {
    this.#job = job;
  }

  static async open(db: CrawlDatabase, job: Id): Promise<JobCookies> {
    const cookies = new JobCookies(job);
    for (const [, value] of await db.entries({ ...within(key('C', job)), limit: MAX_COOKIES })) {
      const cookie = Cookie.fromJSON(value.toString());
      if (cookie === undefined) continue;
      await cookies.#store.putCookie(cookie);
      cookies.#remember(cookie);
    }
    return cookies;
  }

  /** Value of a Cookie field, if there is to be one. */
  async of(url: string): Promise<string | undefined> {
    return (this.#known.size === 0 ? '' : await this.#jar.getCookieString(url)) || undefined;
  }

  async take(url: string, headers: readonly (readonly [name: string, value: string])[]): Promise<void> {
    for (const [name, value] of headers) {
      if (name.toLowerCase() !== 'set-cookie' || value.length > MAX_CHARS) continue;
      const cookie = await this.#jar.setCookie(value, url, { ignoreError: true });
      if (cookie === undefined) continue;
      this.#remember(cookie);
      this.#changed.set(idOf(cookie), cookie);
      await this.#bound(cookie.domain ?? '');
    }
  }

  /** Part of a change. */
  save(batch: Batch): void {
    for (const [id, cookie] of this.#changed) {
      const name = key('C', this.#job, Buffer.from(id));
      if (cookie === undefined) batch.delete(name);
      else batch.put(name, cookie.toJSON());
    }
    this.#changed = new Map();
  }

  #remember(cookie: Cookie): void {
    const id = idOf(cookie);
    const domain = cookie.domain ?? '';
    if (!this.#known.delete(id)) this.#perDomain.set(domain, (this.#perDomain.get(domain) ?? 0) + 1);
    this.#known.set(id, cookie);
  }

  async #bound(domain: string): Promise<void> {
    if ((this.#perDomain.get(domain) ?? 0) > MAX_COOKIES_OF_DOMAIN)
      await this.#forget([...this.#known.values()].find((cookie) => cookie.domain === domain));
    if (this.#known.size > MAX_COOKIES) await this.#forget([...this.#known.values()][0]);
  }

  async #forget(cookie: Cookie | undefined): Promise<void> {
    if (cookie === undefined) return;
    const domain = cookie.domain ?? '';
    await this.#store.removeCookie(domain, cookie.path ?? '/', cookie.key);
    this.#known.delete(idOf(cookie));
    this.#changed.set(idOf(cookie), undefined);
    const left = (this.#perDomain.get(domain) ?? 1) - 1;
    if (left === 0) this.#perDomain.delete(domain);
    else this.#perDomain.set(domain, left);
  }
}

function idOf({ domain, path, key: name }: Cookie): string {
  return `${domain}\n${path}\n${name}`;
}

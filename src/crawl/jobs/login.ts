/**
 * Logging in to sites, once for each host and job, before the first of its pages. A login that fails is told in the log, and the crawl
 * goes on without.
 */
import { readBytes } from './read-bytes.ts';
import { reasonOf } from '../../util/thrown.ts';
import { ACCEPT_ENCODING, redirectOf } from '../../page/fetched.ts';
import { decoderOf } from '../../page/charset.ts';
import type { CaptchaSolver } from '../proto/starbelly_pb.ts';
import { solveCaptcha } from './captcha.ts';
import type { JobCookies } from './cookies.ts';
import type { CrawlDatabase } from './database.ts';
import type { JobLog } from './job-log.ts';
import { key } from './keys.ts';
import { loginForm } from './login-form.ts';
import type { Asker, Requests, SitePage } from './requests.ts';
import type { Rules } from './rules.ts';
import type { Id, Logins } from './types.ts';

export interface LogInParts {
  readonly db: CrawlDatabase;
  readonly job: Id;
  readonly logins: Logins;
  readonly solver: CaptchaSolver | undefined;
  readonly requests: Requests;
  readonly rules: Rules;
  readonly cookies: JobCookies;
  readonly log: JobLog;
  readonly random: () => number;
}

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const MAX_REDIRECTS = 10;

export class LogIn {
  readonly #parts: LogInParts;
  /** by host: those with a login only */
  readonly #tried = new Map<string, Promise<void> | 'done'>();

  constructor(parts: LogInParts) {
    this.#parts = parts;
  }

  /** There is a login for this host, and it was not tried yet. */
  wants(host: string): boolean {
    return this.#tried.get(host) !== 'done' && this.#parts.logins.loginOf(host) !== undefined;
  }

  /** Who comes while it is under way waits for it. @throws the reason of the asker's signal; CrawlStoreError */
  async once(host: string, asker: Asker): Promise<void> {
    const known = this.#tried.get(host);
    if (known === 'done') return;
    const trying =
      known ??
      this.#once(host, asker).then(
        () => void this.#tried.set(host, 'done'),
        (error: unknown) => {
          this.#tried.delete(host);
          throw error;
        },
      );
    this.#tried.set(host, trying);
    await trying;
  }

  async #once(host: string, asker: Asker): Promise<void> {
    const { db, job, log, cookies } = this.#parts;
    const done = key('L', job, Buffer.from(host));
    if ((await db.get(done)) !== undefined) return;
    try {
      await this.#logIn(host, asker);
    } catch (error) {
      asker.signal.throwIfAborted();
      log.add('login', host, reasonOf(error));
    }
    await db.change((batch) => {
      batch.put(done);
      cookies.save(batch);
    });
  }

  /** @throws Error that says why not */
  async #logIn(host: string, asker: Asker): Promise<void> {
    const { logins, random } = this.#parts;
    const login = logins.loginOf(host);
    const user = login?.users[Math.floor(random() * login.users.length)];
    if (login === undefined || user === undefined) throw new Error('there is no user for it');
    const [page, bytes] = await this.#get(login.loginUrl, asker);
    const html = decoderOf(page.header('content-type'), bytes).decode(bytes);
    const form = await loginForm(html, page.url);
    if (form === undefined) throw new Error(`no login form at ${login.loginUrl}`);
    const solution = await this.#solution(form.image, asker);
    const filled = form.fill(user.username, user.password, solution);
    if (form.method === 'GET') {
      const action = new URL(form.action);
      action.search = filled.toString();
      await this.#get(action.href, asker);
    } else {
      await this.#get(form.action, asker, filled.toString());
    }
  }

  /** Redirects are followed; what they and the answer set is kept. */
  async #get(first: string, asker: Asker, form?: string): Promise<readonly [SitePage, Buffer]> {
    const { rules, requests, cookies } = this.#parts;
    let url = first;
    let body = form;
    for (let hop = 0; ; hop++) {
      const cookie = await cookies.of(url);
      const page = await requests.open(asker, url, {
        ...(body === undefined ? {} : { method: 'POST', body }),
        headers: [
          ['User-Agent', rules.userAgent()],
          ['Accept-Encoding', ACCEPT_ENCODING],
          ...(body === undefined ? [] : [['Content-Type', 'application/x-www-form-urlencoded'] as const]),
          ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
        ],
        upstream: await rules.proxyFor(url),
      });
      await cookies.take(url, page.headers);
      const bytes = await readBytes(page, MAX_PAGE_BYTES);
      const next = redirectOf(page);
      if (next === undefined || hop >= MAX_REDIRECTS) return [page, bytes];
      if (page.status !== 307 && page.status !== 308) body = undefined;
      url = next;
    }
  }

  /** Only where there is an image, and somebody to read it. */
  async #solution(image: string | undefined, asker: Asker): Promise<string | undefined> {
    const { solver } = this.#parts;
    if (image === undefined || solver?.SolverType.case !== 'antigate') return undefined;
    const [, bytes] = await this.#get(image, asker);
    const solution = await solveCaptcha(solver.SolverType.value, bytes, asker.signal);
    if (solution === undefined) throw new Error('the CAPTCHA was not solved in time');
    return solution;
  }
}

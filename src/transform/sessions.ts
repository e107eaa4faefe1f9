/**
 * Visitors of the web page: a signed cookie, and a folder of what they have uploaded and what came of it. Nothing else is known of them.
 *
 *   web_ui_sessions/HEX/files/…     uploaded, not converted yet        HEX/result.tar.gz    what came of the last job
 *
 * Source: spec/circe.md §7.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../util/folder.ts';
import { codeOf } from '../util/thrown.ts';
import { Refusal } from './errors.ts';
import { removeFolder } from './clean-up.ts';
import { timeOfDay, timeOfDayMs } from '../util/time-of-day.ts';

export interface SessionsOptions {
  readonly dir: string;
  readonly key: string;
  /** the cookie goes over HTTPS only */
  readonly secure: boolean;
  /** files of a session nobody has used for so long go */
  readonly ttlSeconds: number;
}

export interface Session {
  readonly id: string;
  readonly dir: string;
  /** is there once something was uploaded */
  readonly files: string;
  readonly result: string;
}

export class Sessions {
  readonly #options: SessionsOptions;

  private constructor(options: SessionsOptions) {
    this.#options = options;
  }

  static async open(options: SessionsOptions): Promise<Sessions> {
    await makeFolders(options.dir, 0o700);
    return new Sessions(options);
  }

  /** A new one; what the one before had goes. @returns the value of Set-Cookie */
  async begin(cookie: string | null): Promise<string> {
    const before = this.#find(cookie);
    if (before !== undefined) await removeFolder(before.dir);
    const id = randomBytes(16).toString('hex');
    const value = `${id}.${this.#sign(id)}`;
    return `sess=${value}; Path=/; SameSite=Strict; HttpOnly${this.#options.secure ? '; Secure' : ''}`;
  }

  /** @throws Refusal without a cookie of ours */
  of(cookie: string | null): Session {
    const session = this.#find(cookie);
    if (session === undefined) throw new Refusal(403, 'Bad session');
    return session;
  }

  /** @returns the folder, made if need be */
  async filesOf({ dir, files }: Session): Promise<string> {
    await makeFolders(files, 0o700);
    // Its age is that of its last use.
    await utimes(dir, timeOfDay(), timeOfDay());
    return files;
  }

  /** Take what was uploaded out of the session: what comes now belongs to the next job. @returns undefined when there is nothing */
  async takeFiles({ dir, files }: Session): Promise<string | undefined> {
    const taken = join(dir, `job-${randomBytes(8).toString('hex')}`);
    try {
      if ((await readdir(files)).length === 0) return undefined;
      await rename(files, taken);
      return taken;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async sweep(): Promise<void> {
    const before = timeOfDayMs() - this.#options.ttlSeconds * 1000;
    for (const name of await readdir(this.#options.dir)) {
      const path = join(this.#options.dir, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && found.mtimeMs < before) await rm(path, { recursive: true, force: true });
    }
  }

  #find(cookie: string | null): Session | undefined {
    const [, id = '', signature = ''] = /(?:^|;\s*)sess=([0-9a-f]{32})\.([0-9a-f]{64})(?:;|$)/.exec(cookie ?? '') ?? [];
    if (id === '' || !timingSafeEqual(Buffer.from(signature), Buffer.from(this.#sign(id)))) return undefined;
    const dir = join(this.#options.dir, id);
    return { id, dir, files: join(dir, 'files'), result: join(dir, 'result.tar.gz') };
  }

  #sign(id: string): string {
    return createHmac('sha256', this.#options.key).update(id).digest('hex');
  }
}

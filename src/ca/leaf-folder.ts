/**
 * The folder of leaf certificates (`--certs-dir`): one key for all, one file per certificate.
 *
 * Bounded by number and age, the oldest go first; what is no certificate of ours is never deleted.
 * Only a convenience: nothing here fails a request. What cannot be read is made anew; what cannot be written is logged once and forgotten.
 * Writes happen in the background, one at a time, so that they leave the thread pool to signatures.
 */
import { createHash, createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Log } from '../util/log.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';
import { createFile, makeFolder, replaceFile } from '../util/private-files.ts';

/** No host's file can have this name: those end in `.pem`. */
const KEY_FILE = 'leaf.key';
const SUFFIX = '.pem';
/** Certificates that may wait for the disk; more are not kept. About 1 kB each. */
const MAX_WAITING = 10_000;
const MAX_KEPT = 5000;
/** Who has not come back for so long can wait the millisecond that a new one takes. */
const MAX_KEPT_MS = 90 * 86_400_000;
/** Longer keys are cut, and a hash makes them different: file systems allow 255 bytes. */
const MAX_PLAIN_CHARS = 200;

export interface LeafFolderOptions {
  readonly dir: string;
  /** whether a file that holds this was written here */
  readonly isOurs: (pem: string) => boolean;
  /** certificates that are kept, about 1 kB each */
  readonly maxKept?: number | undefined;
  /** milliseconds since 1970 */
  readonly now: () => number;
  readonly log: Log;
}

export class LeafFolder {
  readonly #options: LeafFolderOptions;
  readonly #dir: string;
  readonly #log: Log;
  readonly #waiting = new Map<string, string>();
  #writing: Promise<void> | undefined;
  #broken = false;
  /** names of the files, with the time of each, the oldest first; known once one has been written */
  #kept: Map<string, number> | undefined;

  constructor(options: LeafFolderOptions) {
    this.#options = options;
    this.#dir = options.dir;
    this.#log = options.log;
  }

  /** The key of all leaf certificates, ECDSA P-256; made and kept if there is none. Two processes that start at once agree on one. */
  async key(): Promise<KeyObject> {
    const kept = await this.#keptKey();
    if (kept !== undefined) return kept;
    const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    try {
      await makeFolder(this.#dir);
      if (await createFile(join(this.#dir, KEY_FILE), pem)) return privateKey;
      const theirs = await this.#keptKey();
      if (theirs !== undefined) return theirs;
      this.#log.debug({ file: join(this.#dir, KEY_FILE) }, 'the leaf key is broken and is replaced');
      await replaceFile(join(this.#dir, KEY_FILE), pem);
    } catch (error) {
      this.#giveUp(error);
    }
    return privateKey;
  }

  /** What is kept under the key of `leafNames`, if anything. */
  async read(key: string): Promise<string | undefined> {
    return this.#waiting.get(key) ?? (await this.#readFile(fileName(key)));
  }

  /** Returns at once. */
  write(key: string, pem: string): void {
    if (this.#broken || (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(key))) return;
    this.#waiting.set(key, pem);
    this.#writing ??= this.#writeAll();
  }

  /** Settles when all that was given to `write` is on its way to the disk or given up. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (const [key, pem] of this.#waiting) {
      try {
        await replaceFile(join(this.#dir, fileName(key)), pem);
        await this.#makeRoom(fileName(key));
      } catch (error) {
        this.#giveUp(error);
      }
      if (this.#waiting.get(key) === pem) this.#waiting.delete(key);
    }
    this.#writing = undefined; // in the same turn as the loop's last look, so that no certificate falls between
  }

  /** This one was written last. */
  async #makeRoom(name: string): Promise<void> {
    const { now, maxKept = MAX_KEPT, isOurs } = this.#options;
    const nowMs = now();
    const kept = (this.#kept ??= await this.#list());
    kept.delete(name);
    kept.set(name, nowMs);
    for (const [oldest, writtenMs] of kept) {
      if (kept.size <= maxKept && nowMs - writtenMs <= MAX_KEPT_MS) return;
      kept.delete(oldest);
      const pem = await this.#readFile(oldest);
      if (pem !== undefined && isOurs(pem)) await rm(join(this.#dir, oldest), { force: true });
    }
  }

  async #list(): Promise<Map<string, number>> {
    const files: [name: string, writtenMs: number][] = [];
    for (const name of await readdir(this.#dir)) {
      if (!name.endsWith(SUFFIX)) continue;
      const { mtimeMs } = await stat(join(this.#dir, name));
      files.push([name, mtimeMs]);
    }
    return new Map(files.sort(([, one], [, other]) => one - other));
  }

  async #keptKey(): Promise<KeyObject | undefined> {
    const pem = await this.#readFile(KEY_FILE);
    if (pem === undefined) return undefined;
    try {
      const key = createPrivateKey(pem);
      return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
    } catch {
      return undefined; // broken: the caller replaces it and logs it
    }
  }

  async #readFile(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#dir, name), 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        this.#log.debug({ file: join(this.#dir, name), reason: reasonOf(error) }, 'cannot read a kept certificate');
      return undefined;
    }
  }

  /** Once only: nothing is written after it. */
  #giveUp(error: unknown): void {
    this.#log.warn({ dir: this.#dir, reason: reasonOf(error) }, 'leaf certificates cannot be kept; they are made anew at the next start');
    this.#broken = true;
    this.#waiting.clear();
  }
}

/** Keys hold no slash and no empty label, so that no name leads out of the folder; colons are no good on Windows. */
function fileName(key: string): string {
  const plain = key.replaceAll(':', '-');
  if (plain.length <= MAX_PLAIN_CHARS) return plain + SUFFIX;
  return `${plain.slice(0, MAX_PLAIN_CHARS - 65)}_${createHash('sha256').update(key).digest('hex')}${SUFFIX}`;
}

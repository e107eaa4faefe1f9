/**
 * The folder of leaf certificates (`--certs-dir`): one key for all, one file per certificate.
 *
 * Only a convenience: nothing here fails a request. What cannot be read is made anew; what cannot be written is logged once and forgotten.
 * Writes happen in the background, one at a time, so that they leave the thread pool to signatures.
 */
import { createHash, createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Log } from '../util/log.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';
import { createFile, makeFolder, replaceFile } from '../util/private-files.ts';

/** No host's file can have this name: those end in `.pem`. */
const KEY_FILE = 'leaf.key';
/** Certificates that may wait for the disk; more are not kept. About 1 kB each. */
const MAX_WAITING = 10_000;
/** Longer keys are cut, and a hash makes them different: file systems allow 255 bytes. */
const MAX_PLAIN_CHARS = 200;

export class LeafFolder {
  readonly #dir: string;
  readonly #log: Log;
  readonly #waiting = new Map<string, string>();
  #writing: Promise<void> | undefined;
  #broken = false;

  constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
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
      } catch (error) {
        this.#giveUp(error);
      }
      if (this.#waiting.get(key) === pem) this.#waiting.delete(key);
    }
    this.#writing = undefined; // in the same turn as the loop's last look, so that no certificate falls between
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
  if (plain.length <= MAX_PLAIN_CHARS) return `${plain}.pem`;
  return `${plain.slice(0, MAX_PLAIN_CHARS - 65)}_${createHash('sha256').update(key).digest('hex')}.pem`;
}

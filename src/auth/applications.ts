/**
 * Applications with a secret that they sign requests with: one file, which several processes read and write.
 *
 * Written as a whole under a lock and put in its place by rename; a reader looks whether it has changed, so that what a command does counts
 * at once. The secret is needed for checking signatures, so it is encrypted and not hashed.
 * Source: spec/circe.md §3.4, §10.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { FileLock } from '../util/file-lock.ts';
import { replaceFile } from '../util/private-files.ts';
import { codeOf } from '../util/thrown.ts';
import { SecretBox } from './secret-box.ts';

export interface Application {
  /** 32 lower-case hexadecimal digits */
  readonly uuid: string;
  readonly title: string;
  readonly secret: string;
}

/** In the file, in the order in which they were made. */
interface Stored {
  readonly uuid: string;
  readonly title: string;
  readonly sealed: string;
}

const SECRET_LENGTH = 32;
/** Printable ASCII without the blank: letters, digits, punctuation. */
const FIRST = 0x21;
const AFTER_LAST = 0x7f;
const LOCK_WAIT_MS = 10_000;
const LOCK_LOOK_MS = 20;

export class Applications {
  readonly #file: string;
  readonly #keyFile: string;
  readonly #lockFile: string;
  readonly #lock: FileLock;
  #known: { readonly version: string; readonly list: readonly Application[] } | undefined;

  /** @param dir that is there */
  constructor(dir: string, lock: FileLock) {
    this.#file = join(dir, 'applications.json');
    this.#keyFile = join(dir, 'applications.key');
    this.#lockFile = join(dir, 'applications.lock');
    this.#lock = lock;
  }

  /** @throws KeyFileError, or the system's error */
  async list(): Promise<readonly Application[]> {
    const version = await this.#version();
    if (version === undefined) return [];
    if (this.#known?.version !== version) {
      const box = await SecretBox.open(this.#keyFile, false);
      const list = (await this.#read()).map(({ uuid, title, sealed }) => ({ uuid, title, secret: box.open(uuid, sealed) }));
      this.#known = { version, list };
    }
    return this.#known.list;
  }

  async find(uuid: string): Promise<Application | undefined> {
    return (await this.list()).find((each) => each.uuid === uuid);
  }

  async add(title: string): Promise<Application> {
    return this.#change(async (stored) => {
      const application = { uuid: randomUUID().replaceAll('-', ''), title, secret: newSecret() };
      return { stored: [...stored, await this.#sealed(application)], result: application };
    });
  }

  /** A new secret and title for one that is there. @returns undefined when it is not */
  async renew(uuid: string, title: string): Promise<Application | undefined> {
    return this.#change(async (stored) => {
      const application = { uuid, title, secret: newSecret() };
      if (!stored.some((each) => each.uuid === uuid)) return { stored, result: undefined };
      const sealed = await this.#sealed(application);
      return { stored: stored.map((each) => (each.uuid === uuid ? sealed : each)), result: application };
    });
  }

  async remove(uuid: string): Promise<void> {
    await this.#change((stored) => Promise.resolve({ stored: stored.filter((each) => each.uuid !== uuid), result: undefined }));
  }

  async #sealed({ uuid, title, secret }: Application): Promise<Stored> {
    const box = await SecretBox.open(this.#keyFile, true);
    return { uuid, title, sealed: box.seal(uuid, secret) };
  }

  async #change<T>(change: (stored: readonly Stored[]) => Promise<{ stored: readonly Stored[]; result: T }>): Promise<T> {
    const handle = await open(this.#lockFile, 'a', 0o600);
    try {
      const startedMs = performance.now();
      while (!this.#lock(handle.fd)) {
        if (performance.now() - startedMs > LOCK_WAIT_MS)
          throw new Error(`${this.#lockFile} has been locked by another process for ${LOCK_WAIT_MS / 1000} s`);
        await setTimeout(LOCK_LOOK_MS);
      }
      const before = await this.#read();
      const { stored, result } = await change(before);
      if (stored !== before) await replaceFile(this.#file, `${JSON.stringify(stored, null, 2)}\n`, true);
      return result;
    } finally {
      await handle.close();
    }
  }

  async #read(): Promise<readonly Stored[]> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
    return JSON.parse(text) as Stored[];
  }

  /** Changes with the file, which is always a new one. */
  async #version(): Promise<string | undefined> {
    try {
      const { ino, mtimeNs, size } = await stat(this.#file, { bigint: true });
      return `${ino} ${mtimeNs} ${size}`;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function newSecret(): string {
  return String.fromCharCode(...Array.from({ length: SECRET_LENGTH }, () => randomInt(FIRST, AFTER_LAST)));
}

/**
 * The sequence of file names of each prefix: one random token, serial numbers counting from 00000.
 */
import { LRUCache } from 'lru-cache';
import type { NameParts, NameTemplate } from './filename.ts';

export interface NamesOptions {
  readonly template: NameTemplate;
  readonly hostname: string;
  /** the listening port, known once the proxy listens; asked when a file is opened */
  readonly port: () => number;
  readonly now: () => Date;
  /** 8 characters of a-z0-9 */
  readonly newRandomToken: () => string;
}

/** Prefixes whose sequence is remembered; one that was forgotten starts anew with another random token. */
const MAX_REMEMBERED = 10_000;

export class Names {
  readonly #options: NamesOptions;
  readonly #sequences = new LRUCache<string, Pick<NameParts, 'serial' | 'randomToken'>>({ max: MAX_REMEMBERED });

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** @returns a function that gives the next name at each call; the first one as if no name were taken */
  of(prefix: string): () => string {
    let retry = false;
    return () => {
      const { template, hostname, port, now, newRandomToken } = this.#options;
      const { serial, randomToken } = this.#sequences.get(prefix) ?? { serial: 0, randomToken: newRandomToken() };
      this.#sequences.set(prefix, { serial: serial + 1, randomToken });
      const name = template({ prefix, serial, randomToken, now: now(), hostname, port: port() }, retry);
      retry = true;
      return name;
    };
  }
}

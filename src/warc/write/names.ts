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
  /** of the serial numbers: 0 and 1, unless others write files with the same names */
  readonly serials?: Serials | undefined;
}

/** Which serial numbers are ours. */
export interface Serials {
  readonly first: number;
  readonly step: number;
}

/** Prefixes whose sequence is remembered; one that was forgotten starts anew with another random token. */
const MAX_REMEMBERED = 10_000;
const FROM_ZERO: Serials = { first: 0, step: 1 };

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
      const { template, hostname, port, now, newRandomToken, serials: { first, step } = FROM_ZERO } = this.#options;
      const { serial, randomToken } = this.#sequences.get(prefix) ?? { serial: first, randomToken: newRandomToken() };
      this.#sequences.set(prefix, { serial: serial + step, randomToken });
      const name = template({ prefix, serial, randomToken, now: now(), hostname, port: port() }, retry);
      retry = true;
      return name;
    };
  }
}

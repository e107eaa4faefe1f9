/**
 * Which keys an index certainly does not have: a filter in memory of all that it has, so that what is new need not be looked for.
 *
 * Looks for what is not there cost LevelDB more than it seems: each counts against the files it has led through, and a file that has led to
 * nothing often enough is merged with those below it, however little is written.
 * The filter is written to a file when the database closes, with a mark that is in the database, too. Whoever opens the index takes the mark
 * away, so that a filter counts once: after a crash, or where somebody else has written to the index, it is made anew out of its keys, little
 * by little, and until that is done every key is asked for.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as pass } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { silentLog, type Log } from '../../util/log.ts';
import { codeOf } from '../../util/thrown.ts';
import { DatabaseError } from '../errors.ts';
import { KeyFilter } from '../key-filter.ts';
import { KEYS, shortOf } from './dedup-entries.ts';
import type { Change, Section } from './section.ts';

export type KeyedSection = Pick<Section, 'get' | 'batch' | 'keys'>;

export interface KnownKeysParts {
  readonly section: KeyedSection;
  /** where the filter is between two runs */
  readonly file: string;
  readonly log?: Log;
}

/** Before all keys of the index, beside its journal. */
const MARK = '\0l';
/** A filter that was saved does not have what is written from now on. */
export const FORGET_FILTER: Change = { type: 'del', key: MARK };
const AT_ONCE = 5000;
/** Filling takes a fifth of the time. */
const REST = 4;

interface Head {
  readonly mark: string;
  readonly inLast: number;
  /** words of each layer */
  readonly layers: readonly number[];
  readonly crc: number;
}

export class KnownKeys {
  readonly #section: KeyedSection;
  readonly #file: string;
  readonly #log: Log;
  #filter = new KeyFilter();
  #begun = false;
  #whole = false;
  #closed = false;
  #filling: Promise<void> | undefined;

  constructor({ section, file, log = silentLog }: KnownKeysParts) {
    this.#section = section;
    this.#file = file;
    this.#log = log;
  }

  /** Everything that the index has is in the filter. */
  get whole(): boolean {
    return this.#whole;
  }

  /** Resolves when it is whole, or cannot become so. */
  get settled(): Promise<void> {
    return this.#filling ?? Promise.resolve();
  }

  /** To be called before anything is written to the index. A small one is known at once, of a large one that goes on. */
  async begin(): Promise<void> {
    this.#begun = true;
    const mark = await this.#section.get(MARK);
    const saved = mark === undefined ? undefined : await this.#saved(mark);
    await this.#section.batch([FORGET_FILTER]);
    this.#whole = saved !== undefined;
    if (saved !== undefined) this.#filter = saved;
    else this.#filling = this.#fill(await this.#take(KEYS));
  }

  /** It is about to be in the index. */
  add(key: string): void {
    this.#filter.add(shortOf(key));
  }

  /** False for what is certainly not there. */
  mayHave(key: string): boolean {
    return !this.#whole || this.#filter.mayHave(shortOf(key));
  }

  /** For the next run. Nothing more may be added. Never rejects: without it the filter is made anew. */
  async save(): Promise<void> {
    this.#closed = true;
    await this.#filling;
    if (!this.#begun || !this.#whole) return;
    const bytes = this.#filter.words.map((words) => Buffer.from(words.buffer, words.byteOffset, words.byteLength));
    const layers = this.#filter.words.map(({ length }) => length);
    const crc = bytes.reduce((sum, each) => crc32(each, sum), 0);
    const head: Head = { mark: randomUUID(), inLast: this.#filter.inLast, layers, crc };
    try {
      await writeFile(`${this.#file}.tmp`, [`${JSON.stringify(head)}\n`, ...bytes]);
      await rename(`${this.#file}.tmp`, this.#file);
      await this.#section.batch([{ type: 'put', key: MARK, value: head.mark }]);
    } catch (error) {
      this.#log.debug({ file: this.#file, err: error }, 'the filter of an index could not be saved, and is made anew at the next start');
    }
  }

  async #saved(mark: string): Promise<KeyFilter | undefined> {
    try {
      const content = await readFile(this.#file);
      const end = content.indexOf('\n');
      const head = JSON.parse(content.toString('utf8', 0, end)) as Head;
      const bits = content.subarray(end + 1);
      if (head.mark !== mark || crc32(bits) !== head.crc) return undefined;
      // Into memory of its own: the words have to begin at a border of four bytes.
      const words = new Uint32Array(new Uint8Array(bits).buffer);
      let at = 0;
      return KeyFilter.of(
        head.layers.map((length) => words.slice(at, (at += length))),
        head.inLast,
      );
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#log.debug({ file: this.#file, err: error }, 'the filter of an index is made anew');
      return undefined;
    }
  }

  /** @param from the key to go on with; undefined when there are no more */
  async #fill(from: string | undefined): Promise<void> {
    let next = from;
    let count = 0;
    while (next !== undefined && !this.#closed) {
      const beganMs = performance.now();
      try {
        next = await this.#take(next);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        return;
      }
      count += AT_ONCE;
      await pass((performance.now() - beganMs) * REST);
    }
    this.#whole = next === undefined;
    if (count > 0 && this.#whole) this.#log.debug({ keys: count }, 'what a deduplication index has is known');
  }

  /** @returns the key after the last that was taken, when there may be more */
  async #take(from: string): Promise<string | undefined> {
    let last: string | undefined;
    let taken = 0;
    for await (const key of this.#section.keys({ gte: from, limit: AT_ONCE })) {
      this.#filter.add(shortOf(key));
      last = key;
      taken++;
    }
    return taken < AT_ONCE || last === undefined ? undefined : `${last}\0`;
  }
}

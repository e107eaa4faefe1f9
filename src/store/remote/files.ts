/**
 * WARC files of a process as the one with the indexes knows them: which are open, and how far their records are in the indexes.
 *
 * What stands in a file behind that is looked for when the process dies. A file that was closed stays known until the indexes have what was
 * written to it last.
 */
import type { Wire } from '../../util/wire.ts';
import type { RecordPlace } from '../place.ts';

/** The set that a writer of WARC files keeps, telling the process with the indexes of each change before what it says next. */
export class ToldFiles extends Set<string> {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
  }

  override add(path: string): this {
    this.#wire.tell('opened', path);
    return super.add(path);
  }

  override delete(path: string): boolean {
    this.#wire.tell('closed', path);
    return super.delete(path);
  }
}

/** A file whose records may not all be in the indexes. */
export interface Unsettled {
  /** below the folder of WARC files, without `.open` */
  readonly path: string;
  /** where a record begins: those before it are in the indexes */
  readonly from: number;
  readonly open: boolean;
}

interface Known {
  dedup: number;
  playback: number;
  closed: boolean;
}

export interface IndexesKept {
  readonly dedup: boolean;
  readonly playback: boolean;
}

export class KnownFiles {
  readonly #all: Set<string>;
  readonly #kept: IndexesKept;
  readonly #files = new Map<string, Known>();
  readonly #unfinished = new Set<string>();

  /** @param all open files of all processes, kept for the indexes */
  constructor(all: Set<string>, kept: IndexesKept) {
    this.#all = all;
    this.#kept = kept;
  }

  opened(path: string): void {
    this.#all.add(path);
    this.#files.set(path, { dedup: 0, playback: 0, closed: false });
    this.#unfinished.add(path);
  }

  /** It is closed, and its index is there. */
  finished(path: string): void {
    this.#unfinished.delete(path);
  }

  /** Those that nobody was told of yet as closed, by their paths. */
  get unfinished(): readonly string[] {
    return [...this.#unfinished];
  }

  /** @param settled nothing of what was written to it is to be published any more */
  closed(path: string, settled: boolean): void {
    this.#all.delete(path);
    const known = this.#files.get(path);
    if (known === undefined) return;
    if (!this.#kept.playback && settled) this.#files.delete(path);
    else known.closed = true;
  }

  /** These are in the dedup index. */
  published(places: readonly RecordPlace[]): void {
    for (const { file, offset } of places) {
      const known = this.#files.get(file);
      if (known !== undefined && known.dedup < offset) known.dedup = offset;
    }
    if (!this.#kept.playback) this.#forgetClosed();
  }

  /** These are in the playback index, the last step of a batch that is of interest here. */
  saved(places: readonly RecordPlace[]): void {
    for (const { file, offset } of places) {
      const known = this.#files.get(file);
      if (known !== undefined && known.playback < offset) known.playback = offset;
    }
    this.#forgetClosed();
  }

  get unsettled(): readonly Unsettled[] {
    const { dedup, playback } = this.#kept;
    return [...this.#files].map(([path, known]) => {
      const from = Math.min(dedup ? known.dedup : Infinity, playback ? known.playback : Infinity);
      return { path, from: from === Infinity ? 0 : from, open: !known.closed };
    });
  }

  /** None of them is open any more. */
  close(): void {
    for (const path of this.#files.keys()) this.#all.delete(path);
    this.#files.clear();
    this.#unfinished.clear();
  }

  #forgetClosed(): void {
    for (const [path, { closed }] of this.#files) if (closed) this.#files.delete(path);
  }
}

/**
 * Sorts lines, however many: what is more than fits into memory waits in sorted files.
 *
 * Owns a temporary folder, from the first file on. Lines are told apart and put into order by their characters; with ASCII that is the order
 * of their bytes. A line that comes again is left out.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface LineSorterOptions {
  /** characters held before they go to a file */
  readonly maxChars?: number;
  /** files that are merged at a time */
  readonly maxFiles?: number;
}

const MAX_CHARS = 32 * 1024 * 1024;
const MAX_FILES = 32;
const WRITTEN_LINES = 256;

export class LineSorter implements AsyncDisposable {
  readonly #maxChars: number;
  readonly #maxFiles: number;
  #lines: string[] = [];
  #chars = 0;
  #folder: string | undefined;
  #files: string[] = [];
  #made = 0;

  constructor({ maxChars = MAX_CHARS, maxFiles = MAX_FILES }: LineSorterOptions = {}) {
    this.#maxChars = maxChars;
    this.#maxFiles = maxFiles;
  }

  /** @param line with its line feed, which is its only one. @returns a promise where there is something to wait for; @throws the file system's error */
  add(line: string): Promise<void> | undefined {
    this.#lines.push(line);
    this.#chars += line.length;
    return this.#chars > this.#maxChars ? this.#toFile() : undefined;
  }

  /** All lines in their order. To be called once. */
  async *sorted(): AsyncGenerator<string, void> {
    if (this.#files.length === 0) return yield* unique(this.#lines.sort(byText));
    if (this.#lines.length > 0) await this.#toFile();
    yield* merged(this.#files);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #toFile(): Promise<void> {
    const lines = this.#lines.sort(byText);
    this.#lines = [];
    this.#chars = 0;
    this.#files.push(await this.#write(unique(lines)));
    if (this.#files.length < this.#maxFiles) return;
    const before = this.#files;
    this.#files = [await this.#write(merged(before))];
    for (const file of before) await rm(file);
  }

  async #write(lines: Iterable<string> | AsyncIterable<string>): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'warctap-sort-'));
    const file = join(this.#folder, String((this.#made += 1)));
    await pipeline(Readable.from(inPieces(lines), { objectMode: false }), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    return file;
  }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function* unique(sorted: Iterable<string>): Generator<string, void> {
  let last: string | undefined;
  for (const line of sorted) {
    if (line !== last) yield line;
    last = line;
  }
}

async function* merged(files: readonly string[]): AsyncGenerator<string, void> {
  const sources = files.map((file) => linesOf(file));
  const heads = await Promise.all(sources.map((source) => source.next()));
  let last: string | undefined;
  try {
    for (;;) {
      const open = heads.flatMap(({ done, value }, index) => (done === true ? [] : [{ value, index }]));
      const [first, ...others] = open;
      if (first === undefined) return;
      const { value, index } = others.reduce((least, each) => (each.value < least.value ? each : least), first);
      if (value !== last) yield value;
      last = value;
      const next = await sources[index]?.next();
      if (next !== undefined) heads[index] = next;
    }
  } finally {
    for (const source of sources) await source.return();
  }
}

async function* linesOf(file: string): AsyncGenerator<string, void> {
  const input = createReadStream(file, { encoding: 'utf8' });
  const lines = createInterface({ input, crlfDelay: Infinity });
  try {
    for await (const line of lines) yield `${line}\n`;
  } finally {
    lines.close();
    input.destroy();
  }
}

async function* inPieces(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string, void> {
  let some: string[] = [];
  for await (const line of lines) {
    if (some.push(line) < WRITTEN_LINES) continue;
    yield some.join('');
    some = [];
  }
  yield some.join('');
}

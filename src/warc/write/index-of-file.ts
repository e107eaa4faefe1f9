/**
 * The index of one WARC file that is being written: a line for each record as it is written, beside it in `NAME.cdxj.open`; sorted, as
 * `NAME.cdxj`, once the file is closed.
 *
 * Says what `warctap cdxj` says of the file, because the same code reads the records, from memory. Whatever goes wrong with the lines costs
 * time and nothing else: the index is then made of the file. Never holds up a record, nor throws.
 */
import { createReadStream } from 'node:fs';
import { appendFile, rm, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { LineSorter } from '../../util/line-sorter.ts';
import { OPEN_SUFFIX } from '../paths.ts';
import { NewRecord, type RecordBytes, type WrittenRecord } from '../record.ts';
import { cdxjLine, indexFile, recordIndexer, type IndexEntry, type RecordIndexer } from '../tools/cdx.ts';
import type { SeenRecord } from '../tools/glance.ts';
import type { Fault } from '../read/onward.ts';
import { NewFile } from './new-file.ts';

const GATHER_CHARS = 64 * 1024;

export class IndexOfFile {
  /** of the file once closed, as lines have it */
  readonly #filename: string;
  readonly #lines: string;
  readonly #indexer: RecordIndexer;
  #held = '';
  /** bytes of lines that are in their file, or on the way */
  #written = 0;
  #appending = Promise.resolve();
  /** some line is missing: the file has to be read */
  #isShort = false;

  /** @param index where the index will be */
  constructor(index: string, filename: string) {
    this.#filename = filename;
    this.#lines = index + OPEN_SUFFIX;
    this.#indexer = recordIndexer({
      filename,
      onEntry: (entry) => {
        this.#held += cdxjLine(entry);
      },
    });
  }

  /** Records that are in the file, and where. @returns when they have been looked at */
  async add(records: readonly (readonly RecordBytes[])[], places: readonly (readonly WrittenRecord[])[]): Promise<void> {
    if (this.#isShort) return;
    try {
      for (const [nth, of] of places.entries())
        for (const [which, place] of of.entries()) {
          const record = records[nth]?.[which];
          if (record !== undefined) await this.#indexer.add(seen(record, place));
        }
      await this.#indexer.end();
      if (this.#held.length > GATHER_CHARS) this.flush();
    } catch {
      this.#isShort = true;
    }
  }

  /** What has come goes to the lines' file. */
  flush(): void {
    const lines = this.#held;
    if (lines === '' || this.#isShort) return;
    this.#held = '';
    this.#written += Buffer.byteLength(lines);
    this.#appending = this.#appending.then(() => appendFile(this.#lines, lines)).catch(() => void (this.#isShort = true));
  }

  /**
   * The file is closed: make its index, sorted and whole.
   *
   * @param file where it is; @param filename its name in the index; @param index where that goes
   * @throws the file system's error: then there is no index, and nothing but `.open` is left of it
   */
  async finish(file: string, filename: string, index: string, onFault: (fault: Fault) => void): Promise<void> {
    this.flush();
    await this.#appending;
    const size = await stat(this.#lines).then(
      (there) => there.size,
      () => 0,
    );
    // Somebody else has written to the lines, or the file got another name than they say.
    const isWhole = !this.#isShort && size === this.#written && filename === this.#filename;
    await (isWhole ? sortInto(index, linesOf(this.#lines, size)) : makeIndex(file, filename, index, onFault));
    await this.drop();
  }

  /** There is no file any more. */
  async drop(): Promise<void> {
    await this.#appending;
    await rm(this.#lines, { force: true });
  }
}

/**
 * The index of a file that is closed, made of the file.
 *
 * @param signal nobody wants it any more: then none is made
 * @throws the file system's error
 */
export async function makeIndex(
  file: string,
  filename: string,
  index: string,
  onFault: (fault: Fault) => void,
  signal?: AbortSignal,
): Promise<void> {
  await using sorter = new LineSorter();
  const onEntry = (entry: IndexEntry) => {
    signal?.throwIfAborted();
    return sorter.add(cdxjLine(entry));
  };
  try {
    await indexFile(file, { filename, onEntry, onFault });
  } catch (error) {
    if (signal?.aborted === true) return;
    throw error;
  }
  await write(index, sorter);
}

async function sortInto(index: string, lines: AsyncIterable<string>): Promise<void> {
  await using sorter = new LineSorter();
  for await (const line of lines) await sorter.add(line);
  await write(index, sorter);
}

async function write(index: string, sorter: LineSorter): Promise<void> {
  const file = await NewFile.create(index, { force: true });
  try {
    let held = '';
    for await (const line of sorter.sorted()) {
      held += line;
      if (held.length < GATHER_CHARS) continue;
      await file.write(Buffer.from(held));
      held = '';
    }
    await file.write(Buffer.from(held));
    await file.commit();
  } catch (error) {
    await file.discard().catch(() => undefined);
    throw error;
  }
}

async function* linesOf(file: string, size: number): AsyncGenerator<string, void> {
  if (size === 0) return;
  const input = createReadStream(file, { encoding: 'latin1' });
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) yield `${line}\n`;
  } finally {
    input.destroy();
  }
}

/** A record that has been written, to be looked at as one that is read. */
function seen(record: RecordBytes, { offset, length }: WrittenRecord): SeenRecord {
  if (!(record instanceof NewRecord)) throw new TypeError('a record that does not say what it is');
  const { version, type, headers, contentLength } = record;
  const values = new Map<string, string>();
  for (const [name, value] of headers) if (!values.has(name.toLowerCase())) values.set(name.toLowerCase(), value);
  return {
    version,
    type,
    headers,
    offset,
    contentLength,
    header: (name) => values.get(name.toLowerCase()),
    content: () => record.block.read(),
    length: () => Promise.resolve(length),
  };
}

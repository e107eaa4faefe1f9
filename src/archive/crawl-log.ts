/**
 * `CrawlLogger`: writes a line for every capture, to one log file per prefix.
 *
 * Owns the log files, of which it keeps the latest used open. Takes one batch at a time, as the chain gives them. A log that cannot
 * be written costs its lines and nothing else: they are counted, and the first failure of a file is logged.
 * Source: spec/warcprox.md §6.
 */
import { open, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Capture } from '../capture/capture.ts';
import { makeFolders } from '../util/folder.ts';
import type { Log } from '../util/log.ts';
import { isSafePrefix } from '../warc/write/filename.ts';
import { reasonOf } from '../util/thrown.ts';
import { crawlLogLine } from './crawl-log-line.ts';
import type { Processor } from './processor.ts';

export interface CrawlLogOptions {
  /** made when it is absent */
  readonly dir: string;
  readonly hostname: string;
  /** the listening port, known once the proxy listens; asked for each batch */
  readonly port: () => number;
  readonly maxOpenFiles: number;
  readonly now: () => Date;
  readonly log: Log;
}

/** Of captures whose client named no prefix; the proxy's own is not used. */
const DEFAULT_PREFIX = 'crawl';
/** So many failing files are remembered as already told of. */
const MAX_FAILING = 1000;
const LINE_FEED = 0x0a;

export function crawlLog({ dir, hostname, port, maxOpenFiles, now, log }: CrawlLogOptions): Processor {
  const shortHost = hostname.replace(/\..*/s, '').replaceAll(/[/\0]/g, '_');
  const files = new OpenFiles(dir, maxOpenFiles);
  const failing = new LRUCache<string, true>({ max: MAX_FAILING });
  let errors = 0;

  return {
    name: 'CrawlLogger',
    /** lines that are missing in the logs */
    get errors() {
      return errors;
    },
    async process(batch) {
      for (const [prefix, lines] of linesByPrefix(batch, now())) {
        const name = `${prefix}-${shortHost}-${port()}.log`;
        try {
          if (!isSafePrefix(prefix)) throw new RangeError('the prefix cannot be part of a file name');
          await files.append(name, lines.join(''));
          failing.delete(name);
        } catch (error) {
          errors += lines.length;
          if (!failing.has(name)) log.error({ dir, file: name, err: error }, `crawl log cannot be written: ${reasonOf(error)}`);
          failing.set(name, true);
        }
      }
    },
    close: () => files.close(),
  };
}

function linesByPrefix(batch: readonly Capture[], loggedAt: Date): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const capture of batch) {
    const prefix = capture.meta.warcPrefix ?? DEFAULT_PREFIX;
    const line = crawlLogLine(capture, loggedAt);
    const group = groups.get(prefix);
    if (group === undefined) groups.set(prefix, [line]);
    else group.push(line);
  }
  return groups;
}

/** Files that are appended to by name; no more than a bound of them is open. */
class OpenFiles {
  readonly #dir: string;
  readonly #max: number;
  /** least recently used first */
  readonly #open = new Map<string, FileHandle>();

  constructor(dir: string, max: number) {
    this.#dir = dir;
    this.#max = max;
  }

  /** @throws the file system's error; some of the text may be in the file then */
  async append(name: string, text: string): Promise<void> {
    const handle = (await this.#current(name)) ?? (await this.#openFile(name));
    this.#open.delete(name);
    try {
      await handle.appendFile(text);
    } catch (error) {
      // Opened anew next time, which also mends the end of the file.
      await handle.close().catch(() => undefined);
      throw error;
    }
    this.#open.set(name, handle);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= this.#max) break;
      await this.#close(oldest);
    }
  }

  async close(): Promise<void> {
    for (const name of [...this.#open.keys()]) await this.#close(name);
  }

  /** The open file, unless somebody has moved or deleted it, as those do who rotate logs. */
  async #current(name: string): Promise<FileHandle | undefined> {
    const handle = this.#open.get(name);
    if (handle === undefined) return undefined;
    const [ours, there] = await Promise.all([handle.stat(), stat(join(this.#dir, name)).catch(() => undefined)]);
    if (there?.ino === ours.ino && there.dev === ours.dev) return handle;
    await this.#close(name);
    return undefined;
  }

  async #openFile(name: string): Promise<FileHandle> {
    await makeFolders(this.#dir);
    const handle = await open(join(this.#dir, name), 'a+');
    try {
      await endLine(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return handle;
  }

  async #close(name: string): Promise<void> {
    const handle = this.#open.get(name);
    this.#open.delete(name);
    await handle?.close();
  }
}

/** A crash or a full disk may have left half a line. */
async function endLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  if (size === 0) return;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer[0] !== LINE_FEED) await handle.appendFile('\n');
}

/**
 * The indexes of the WARC files: begun with each file, sorted when it is closed, one at a time, and made at start where they are missing.
 *
 * An index never holds up what is written. One that could not be made is told, and made at the next start.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { turns } from '../../util/turns.ts';
import { faultLine } from '../read/onward.ts';
import { OPEN_SUFFIX, pathBelow, WARC_SUFFIX } from '../paths.ts';
import { exists } from './move.ts';
import { IndexOfFile, makeIndex } from './index-of-file.ts';

export interface IndexesOptions {
  /** of the WARC files */
  readonly dir: string;
  /** WARC files are in a folder per prefix */
  readonly subdirPrefix: boolean;
  /** all indexes are there, and name files by their paths below `dir`; otherwise each is beside its file, and names it alone */
  readonly folder: string | undefined;
  readonly log: Log;
}

const SUFFIX = '.cdxj';

export class Indexes {
  readonly #options: IndexesOptions;
  readonly #turns = turns();
  #last = Promise.resolve();
  readonly #stopping = new AbortController();

  constructor(options: IndexesOptions) {
    this.#options = options;
  }

  /** @param file where it will be once closed */
  begin(file: string): IndexOfFile {
    return new IndexOfFile(this.#indexOf(file), this.#nameOf(file));
  }

  /** @param file where it is now, closed. @returns when its index is there, or is known not to be; never rejects */
  finish(index: IndexOfFile, file: string): Promise<void> {
    return this.#run(file, () => index.finish(file, this.#nameOf(file), this.#indexOf(file), this.#onFault));
  }

  /** That of a file whose writer is gone. @returns when it is there, or is known not to be; never rejects */
  make(file: string): Promise<void> {
    const { signal } = this.#stopping;
    return this.#run(file, async () => {
      const index = this.#indexOf(file);
      if (!signal.aborted) await makeIndex(file, this.#nameOf(file), index, this.#onFault, signal);
      // The lines that its writer has left.
      await rm(index + OPEN_SUFFIX, { force: true });
    });
  }

  /** Begin to make those that are missing, or older than their file. @param isOpen whether a file is being written, by its path below the folder */
  async makeMissing(isOpen: (path: string) => boolean): Promise<void> {
    const { dir, subdirPrefix, folder, log } = this.#options;
    const files = await warcFilesIn(dir, subdirPrefix);
    await dropLeftovers(new Set([...(folder === undefined ? [] : [folder]), dir, ...files.map(dirname)]), async (name) =>
      // Its file is still being written, by another process: that one's.
      exists(join(dir, `${name}${OPEN_SUFFIX}`)),
    );
    let made = 0;
    for (const file of files) {
      if (isOpen(pathBelow(dir, file)) || (await isFresh(this.#indexOf(file), file))) continue;
      made++;
      void this.make(file);
    }
    if (made > 0) log.info({ files: made }, 'WARC files of earlier runs have no index yet: they are made');
  }

  /** When what was begun is done. What is missing then is made at the next start. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#last;
  }

  #run(file: string, make: () => Promise<void>): Promise<void> {
    const { log } = this.#options;
    this.#last = this.#turns.run(make).catch((error: unknown) => {
      log.error({ file, err: error }, `the index of a WARC file could not be written: ${reasonOf(error)}`);
    });
    return this.#last;
  }

  readonly #onFault = (fault: Parameters<typeof faultLine>[0]) => {
    this.#options.log.warn({ file: fault.file }, `what is not in the index of a WARC file: ${faultLine(fault)}`);
  };

  #nameOf(file: string): string {
    const { dir, folder } = this.#options;
    return pathBelow(folder === undefined ? dirname(file) : dir, file);
  }

  #indexOf(file: string): string {
    const { dir, folder } = this.#options;
    return folder === undefined ? file + SUFFIX : join(folder, pathBelow(dir, file).replaceAll('/', '_') + SUFFIX);
  }
}

async function warcFilesIn(dir: string, deeper: boolean): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && WARC_SUFFIX.test(entry.name)).map(({ name }) => join(dir, name));
  if (deeper) for (const entry of entries) if (entry.isDirectory()) files.push(...(await warcFilesIn(join(dir, entry.name), false)));
  return files.sort();
}

async function isFresh(index: string, file: string): Promise<boolean> {
  const [made, written] = await Promise.all([stat(index).catch(() => undefined), stat(file)]);
  return made !== undefined && made.mtimeMs >= written.mtimeMs;
}

/** Lines of files that are not being written any more. */
async function dropLeftovers(folders: ReadonlySet<string>, isWritten: (name: string) => Promise<boolean>): Promise<void> {
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      const file = name.endsWith(SUFFIX + OPEN_SUFFIX) ? name.slice(0, -(SUFFIX.length + OPEN_SUFFIX.length)) : undefined;
      if (file !== undefined && WARC_SUFFIX.test(file) && !(await isWritten(file))) await rm(join(folder, name), { force: true });
    }
  }
}

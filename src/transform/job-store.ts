/**
 * Jobs as files of the working folder, which several processes share: HTTP servers, workers, commands.
 *
 *   queue/HEX.tar.gz   the archive: the job waits or runs       queue/HEX.json    whose it is, its place in the queue, how often it began
 *   done/HEX.tar.gz    the result                               queue/HEX.state   where it stands, while it runs
 *   done/HEX.json      whose it is, how it ended                (temp)/HEX-…      the folder that it runs in
 *
 * A job is where its archive is, and archives come to be by rename: whole, or not at all. Who runs a job holds the lock of its archive,
 * which goes with the process; so a job of a worker that was killed is free again at once.
 */
import { link, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileLock } from '../util/file-lock.ts';
import { makeFolders, syncFolder } from '../util/folder.ts';
import { codeOf } from '../util/thrown.ts';
import type { Hex } from './job-id.ts';
import { dashed } from './job-id.ts';
import { timeOfDayMs } from '../util/time-of-day.ts';

/** What stands beside an archive in the queue. */
export interface JobRecord {
  /** as it was told to the client */
  readonly id: string;
  /** undefined: nobody's, it came without a signature */
  readonly application: string | undefined;
  /** sorts as the jobs were submitted */
  readonly order: string;
  /** how often it was begun */
  readonly starts: number;
  /** whoever wanted to hear of its end has been told */
  readonly told?: true;
}

export interface DoneRecord {
  readonly application: string | undefined;
  readonly status: 'done' | 'failed';
  /** where it stood at its end */
  readonly last: StateRecord | undefined;
}

export interface StateRecord {
  /** the transformation that runs, or ran last */
  readonly transformation: string | undefined;
  /** ISO 8601 */
  readonly started: string;
  readonly lines: number;
}

/** A job that this process alone may run, until it lets go of it. */
export interface Claim {
  readonly hex: Hex;
  readonly record: JobRecord;
  readonly archive: string;
  /** Others may have it, if it is still there. */
  release(): Promise<void>;
}

export interface JobStoreOptions {
  readonly dir: string;
  readonly tempDir: string;
  readonly lock: FileLock;
}

const ARCHIVE = '.tar.gz';
/** How names of archives begin that are on their way in. */
export const UPLOAD = '.upload-';

export class JobStore {
  readonly queueDir: string;
  readonly doneDir: string;
  readonly tempDir: string;
  readonly lock: FileLock;
  /** of waiting jobs, which does not change */
  readonly #orders = new Map<Hex, string>();
  #lastMs = 0;
  #sequence = 0;

  private constructor({ dir, tempDir, lock }: JobStoreOptions) {
    this.queueDir = join(dir, 'queue');
    this.doneDir = join(dir, 'done');
    this.tempDir = tempDir;
    this.lock = lock;
  }

  /** Make the folders, for their owner only. @throws the system's error */
  static async open(options: JobStoreOptions): Promise<JobStore> {
    const store = new JobStore(options);
    for (const folder of [store.queueDir, store.doneDir, store.tempDir]) await makeFolders(folder, 0o700);
    return store;
  }

  /** A file for an archive that is on its way in, locked for as long as it is open. */
  async createUpload(name: string): Promise<{ readonly path: string; readonly handle: FileHandle }> {
    const path = join(this.queueDir, `${UPLOAD}${name}`);
    for (;;) {
      const handle = await open(path, 'wx+', 0o600);
      // Whoever cleans up may have come in between.
      if (this.lock(handle.fd) && (await handle.stat()).nlink > 0) return { path, handle };
      await handle.close();
      await rm(path, { force: true });
    }
  }

  /** Put an archive into the queue, and have it on the disk. */
  async submit(hex: Hex, archive: string, { id, application }: Pick<JobRecord, 'id' | 'application'>): Promise<void> {
    const order = this.#nextOrder();
    await this.writeRecord(hex, { id, application, order, starts: 0 });
    await rename(archive, this.queued(hex));
    await syncFolder(this.queueDir).catch(() => undefined);
  }

  queued(hex: Hex): string {
    return join(this.queueDir, `${hex}${ARCHIVE}`);
  }

  done(hex: Hex): string {
    return join(this.doneDir, `${hex}${ARCHIVE}`);
  }

  async writeRecord(hex: Hex, record: JobRecord): Promise<void> {
    await replaceWhole(this.queueDir, `${hex}.json`, record);
  }

  /** @returns undefined when there is no such job in the queue */
  async record(hex: Hex): Promise<JobRecord | undefined> {
    const queuedAt = await mtimeOf(this.queued(hex));
    if (queuedAt === undefined) return undefined;
    const record = await readJson<JobRecord>(join(this.queueDir, `${hex}.json`));
    // An archive alone was put there by other means, and is nobody's.
    return record ?? { id: dashed(hex), application: undefined, order: orderOf(queuedAt, 0), starts: 0 };
  }

  async isDone(hex: Hex): Promise<boolean> {
    return (await mtimeOf(this.done(hex))) !== undefined;
  }

  async doneRecord(hex: Hex): Promise<DoneRecord | undefined> {
    return readJson<DoneRecord>(join(this.doneDir, `${hex}.json`));
  }

  async state(hex: Hex): Promise<StateRecord | undefined> {
    return readJson<StateRecord>(this.stateFile(hex));
  }

  stateFile(hex: Hex): string {
    return join(this.queueDir, `${hex}.state`);
  }

  /** All jobs that wait or run, in the order in which they were submitted. */
  async list(): Promise<Hex[]> {
    const names = await readdir(this.queueDir);
    const all = names.filter((name) => name.endsWith(ARCHIVE) && !name.startsWith('.')).map((name) => name.slice(0, -ARCHIVE.length));
    const there = new Set(all);
    for (const hex of this.#orders.keys()) if (!there.has(hex)) this.#orders.delete(hex);
    for (const hex of all) if (!this.#orders.has(hex)) this.#orders.set(hex, (await this.record(hex))?.order ?? '');
    return all.sort((a, b) => ((this.#orders.get(a) ?? '') < (this.#orders.get(b) ?? '') ? -1 : 1));
  }

  /** How many are before this one, itself included, less those that run. @returns undefined when it is not there */
  async position(hex: Hex): Promise<number | undefined> {
    const all = await this.list();
    const index = all.indexOf(hex);
    if (index === -1) return undefined;
    const names = new Set(await readdir(this.queueDir));
    // A job that has ended may have left its state, with a process that was killed.
    const running = all.filter((each) => names.has(`${each}.state`)).length;
    return Math.max(1, index + 1 - running);
  }

  /** The right to run this job. @returns undefined when another has it, or it is not there any more */
  async claim(hex: Hex): Promise<Claim | undefined> {
    const archive = this.queued(hex);
    let handle: FileHandle;
    try {
      handle = await open(archive, 'r+');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    // The one before may have ended the job while we opened it.
    const free = this.lock(handle.fd) && (await handle.stat()).nlink > 0;
    const record = free ? await this.record(hex) : undefined;
    if (record === undefined) {
      await handle.close();
      return undefined;
    }
    return { hex, record, archive, release: () => handle.close() };
  }

  /** Make a result known, by one step. @param packed a file of the folder of results, or one on the same file system */
  async publish(hex: Hex, packed: string, record: DoneRecord): Promise<void> {
    await replaceWhole(this.doneDir, `${hex}.json`, record);
    await rename(packed, this.done(hex));
    await syncFolder(this.doneDir).catch(() => undefined);
  }

  /** A name in the folder of results for one that is not ready. */
  unready(hex: Hex): string {
    return join(this.doneDir, `.${hex}`);
  }

  /** The job has its result, and who wanted to know was told: nothing of it stays in the queue. */
  async forget(hex: Hex): Promise<void> {
    // With what a process that was killed in the middle of writing has left.
    for (const path of [join(this.queueDir, `.${hex}.json`), join(this.doneDir, `.${hex}.json`), `${this.stateFile(hex)}.tmp`])
      await rm(path, { force: true });
    await rm(this.stateFile(hex), { force: true });
    await rm(this.queued(hex), { force: true });
    await rm(join(this.queueDir, `${hex}.json`), { force: true });
    this.#orders.delete(hex);
  }

  /** The same file under another name, where the file system can do that. */
  async keepResult(hex: Hex, to: string): Promise<void> {
    await link(this.done(hex), to);
  }

  #nextOrder(): string {
    const ms = Math.max(timeOfDayMs(), this.#lastMs);
    this.#sequence = ms === this.#lastMs ? this.#sequence + 1 : 0;
    this.#lastMs = ms;
    return orderOf(ms, this.#sequence);
  }
}

function orderOf(ms: number, sequence: number): string {
  return `${String(Math.floor(ms)).padStart(15, '0')}-${String(sequence).padStart(6, '0')}`;
}

/** @returns undefined for what is not there */
export async function mtimeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Write a small file so that it is there as a whole or not at all. Its temporary name is that of its job, which only one process has at a time:
 * what is left of one that was killed is written over, or goes with the job.
 */
async function replaceWhole(dir: string, name: string, content: object): Promise<void> {
  const temporary = join(dir, `.${name}`);
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(content));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(dir, name));
}

/** Ours alone write there; what cannot be read counts as not there. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

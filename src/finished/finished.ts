/**
 * Takes WARC files that are finished through the steps that are asked for: some files at once, tried again with growing pauses.
 *
 * Nothing waits for it. What is not done when the program ends, by itself or by a kill, is done at the next start.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Log } from '../util/log.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';
import { turns, type Turns } from '../util/turns.ts';
import { pathBelow, WARC_SUFFIX } from '../warc/paths.ts';
import { Journal } from './journal.ts';
import type { FinishedFile, Step } from './step.ts';

export interface FinishedOptions {
  /** of the WARC files */
  readonly dir: string;
  /** WARC files are in a folder per prefix */
  readonly subdirPrefix: boolean;
  /** in their order; at least one */
  readonly steps: readonly Step[];
  /** of a path below the folder, for files of earlier runs */
  readonly prefixOf: (path: string) => string | undefined;
  readonly log: Log;
}

/** What `/status` tells. */
export interface FinishedState {
  /** files with something still to be done */
  readonly waiting: number;
  readonly steps: readonly { readonly step: string; readonly done: number; readonly failed: number; readonly lastError: string | null }[];
}

interface Counts {
  done: number;
  failed: number;
  lastError: string | null;
}

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;
/** When the program ends, what goes on well may go on for so long. */
const CLOSE_MS = 30_000;

export class Finished {
  readonly #options: FinishedOptions;
  readonly #journal: Journal;
  readonly #lanes: ReadonlyMap<Step, Turns>;
  readonly #counts: ReadonlyMap<Step, Counts>;
  readonly #running = new Map<string, Promise<void>>();
  /** no pause is waited for any more */
  readonly #ending = new AbortController();
  /** nothing goes on any more */
  readonly #stopping = new AbortController();

  private constructor(options: FinishedOptions, journal: Journal) {
    this.#options = options;
    this.#journal = journal;
    this.#lanes = new Map(options.steps.map((step) => [step, turns(step.atOnce)]));
    this.#counts = new Map(options.steps.map((step) => [step, { done: 0, failed: 0, lastError: null }]));
  }

  /** Begin with what earlier runs have left to be done. @throws the file system's error */
  static async open(options: FinishedOptions): Promise<Finished> {
    const { dir, subdirPrefix, steps, prefixOf } = options;
    const paths = (await closedFiles(dir, subdirPrefix)).map((file) => pathBelow(dir, file));
    const finished = new Finished(
      options,
      await Journal.open(
        dir,
        paths,
        steps.map(({ name }) => name),
      ),
    );
    for (const path of paths) finished.add(join(dir, path), prefixOf(path));
    return finished;
  }

  get state(): FinishedState {
    const steps = [...this.#counts].map(([{ name }, counts]) => ({ step: name, ...counts }));
    return { waiting: this.#running.size, steps };
  }

  /** @param file that is closed, and has its name. @param prefix by default what its name says */
  add(file: string, prefix = this.#options.prefixOf(pathBelow(this.#options.dir, file))): void {
    const path = pathBelow(this.#options.dir, file);
    if (this.#running.has(path) || this.#options.steps.every(({ name }) => this.#journal.isDone(path, name))) return;
    const running = this.#take(file, path, prefix).catch((error: unknown) => {
      this.#options.log.error(
        { file, err: error },
        `what is to be done with a finished WARC file is left to the next start: ${reasonOf(error)}`,
      );
    });
    this.#running.set(
      path,
      running.finally(() => this.#running.delete(path)),
    );
  }

  /** What goes on may come to its end for a while; the rest is for the next start. */
  async close(): Promise<void> {
    this.#ending.abort();
    const timer = setTimeout(() => this.#stopping.abort(), CLOSE_MS);
    await Promise.all(this.#running.values());
    clearTimeout(timer);
    for (const step of this.#options.steps) step.close?.();
  }

  async #take(file: string, path: string, prefix: string | undefined): Promise<void> {
    const { steps } = this.#options;
    const left = steps.filter(({ name }) => !this.#journal.isDone(path, name));
    let told: FinishedFile | undefined;
    for (const step of left) {
      const run = async () => {
        if (this.#stopping.signal.aborted) return false;
        told ??= await described(file, path, prefix);
        return this.#try(step, told);
      };
      const isDone = await this.#untilDone(step, file, run);
      if (!isDone) return;
      await this.#journal.done(path, step.name);
    }
  }

  /** @returns false when it is left to the next start */
  async #untilDone(step: Step, file: string, run: () => Promise<boolean>): Promise<boolean> {
    for (let tried = 1; ; tried++) {
      if (await (this.#lanes.get(step) ?? turns()).run(run)) return true;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tried - 1), MAX_PAUSE_MS);
      if (tried >= step.tries || this.#ending.signal.aborted) {
        this.#options.log.error({ file }, `${step.name} of a finished WARC file is left to the next start`);
        return false;
      }
      if (!(await this.#pause(pauseMs))) return false;
    }
  }

  async #try(step: Step, file: FinishedFile): Promise<boolean> {
    const counts = this.#counts.get(step);
    const { log } = this.#options;
    try {
      await step.run(file, this.#stopping.signal);
      if (counts !== undefined) counts.done++;
      log.info({ file: file.file, bytes: file.size }, `${step.name} of a finished WARC file is done`);
      return true;
    } catch (error) {
      const reason = reasonOf(error);
      if (counts !== undefined) {
        counts.failed++;
        counts.lastError = reason;
      }
      log.warn({ file: file.file, err: error }, `${step.name} of a finished WARC file has failed: ${reason}`);
      return false;
    }
  }

  /** @returns false when the program ends */
  #pause(ms: number): Promise<boolean> {
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      const end = (goesOn: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        resolve(goesOn);
      };
      const stop = () => end(false);
      const timer = setTimeout(() => end(true), ms).unref();
      signal.addEventListener('abort', stop);
    });
  }
}

async function described(file: string, path: string, prefix: string | undefined): Promise<FinishedFile> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { file, path, prefix, size: (await stat(file)).size, digest: `sha256:${hash.digest('hex')}` };
}

async function closedFiles(dir: string, deeper: boolean): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const files = entries.filter((entry) => entry.isFile() && WARC_SUFFIX.test(entry.name)).map(({ name }) => join(dir, name));
  if (deeper) for (const entry of entries) if (entry.isDirectory()) files.push(...(await closedFiles(join(dir, entry.name), false)));
  return files.sort();
}

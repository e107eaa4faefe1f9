/**
 * An open folder that may fail while it is used: on a full disk, or at damage that only reading it shows.
 *
 * ```
 * open ── a write or a read fails ──► away: nothing is read or written ── closed, repaired if damaged, opened again ──► open
 * ```
 *
 * After a write that failed LevelDB's log may be out of step, and what is written after it lost at the next start: so it is never written
 * to again, but opened anew. Tries at once, then ever more rarely.
 */
import type { ClassicLevel, IteratorOptions, KeyIteratorOptions } from 'classic-level';
import { performance } from 'node:perf_hooks';
import type { Log } from '../../util/log.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { DatabaseError } from '../errors.ts';
import { rememberWhole } from './check/inspect.ts';
import { openWhole, prepareFolder, type FolderParts } from './folder.ts';

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 60_000;
/** A folder that works for so long has come back for good. */
const STEADY_MS = 60_000;
/** Which tables are whole is written down so often: a start after a kill looks at those that came since. */
const REMEMBER_MS = 60_000;

export class LiveFolder {
  readonly folder: string;
  readonly #parts: FolderParts;
  readonly #log: Log;
  #level: ClassicLevel | undefined;
  #problem: DatabaseError | undefined;
  #openedAtMs = performance.now();
  #waitMs = 0;
  /** ends the wait for the next try */
  #wake: (() => void) | undefined;
  #attempts: (() => void)[] = [];
  #returning: Promise<void> | undefined;
  #closed = false;
  readonly #onBack = new Set<() => void>();
  readonly #rememberer: NodeJS.Timeout;

  private constructor(parts: FolderParts, level: ClassicLevel) {
    this.folder = parts.folder;
    this.#parts = parts;
    this.#level = level;
    this.#log = parts.log;
    this.#rememberer = setInterval(() => void rememberWhole(parts.path).catch(() => undefined), REMEMBER_MS).unref();
  }

  /** @throws DatabaseError when another process has it, it holds something else, or it is damaged beyond repair */
  static async open(parts: FolderParts): Promise<LiveFolder> {
    return new LiveFolder(parts, await openWhole(parts));
  }

  /** Why it is away; undefined while it works. */
  get problem(): DatabaseError | undefined {
    return this.#problem;
  }

  /** @throws DatabaseError when it is away, or closed */
  get level(): ClassicLevel {
    if (this.#level === undefined) throw this.#problem ?? new DatabaseError('DATABASE_FAILING', this.folder, 'is closed');
    return this.#level;
  }

  /** @param back called each time it works again */
  whenBack(back: () => void): void {
    this.#onBack.add(back);
  }

  /** @throws DatabaseError when it is away, or goes away with this */
  async use<T>(job: (level: ClassicLevel) => Promise<T>): Promise<T> {
    const { level } = this;
    try {
      return await job(level);
    } catch (error) {
      throw this.#failed(level, error);
    }
  }

  /** @throws DatabaseError, as `use` */
  async *entries(options: IteratorOptions<string, string>): AsyncGenerator<[string, string], void> {
    const { level } = this;
    try {
      yield* level.iterator(options);
    } catch (error) {
      throw this.#failed(level, error);
    }
  }

  /** @throws DatabaseError, as `use` */
  async *keys(options: KeyIteratorOptions<string>): AsyncGenerator<string, void> {
    const { level } = this;
    try {
      yield* level.keys(options);
    } catch (error) {
      throw this.#failed(level, error);
    }
  }

  /** If it is away, try to have it back now, once. */
  async revive(): Promise<void> {
    if (this.#problem === undefined) return;
    const tried = new Promise<void>((resolve) => this.#attempts.push(resolve));
    this.#wake?.();
    await tried;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#rememberer);
    this.#wake?.();
    await this.#returning;
    await this.#level?.close();
    await rememberWhole(this.#parts.path).catch(() => undefined);
  }

  #failed(level: ClassicLevel, error: unknown): DatabaseError {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const problem = new DatabaseError('DATABASE_FAILING', this.folder, `cannot be used: ${reasonOf(cause)}`, error);
    // What was under way when it went away fails, too.
    if (this.#level !== level || this.#closed) return problem;
    const steady = performance.now() - this.#openedAtMs > STEADY_MS;
    this.#waitMs = steady ? 0 : Math.min(Math.max(this.#waitMs * 2, FIRST_WAIT_MS), MAX_WAIT_MS);
    this.#level = undefined;
    this.#problem = problem;
    this.#log.error(
      { database: this.folder, err: problem },
      `${problem.message}; archiving goes on without it, and what belongs in it is put in later`,
    );
    this.#returning = this.#return(level, codeOf(cause) === 'LEVEL_CORRUPTION');
    return problem;
  }

  /** Never rejects. */
  async #return(level: ClassicLevel, damaged: boolean): Promise<void> {
    await level.close().catch(() => undefined);
    while (this.#level === undefined) {
      const last = this.#closed;
      if (!last) await this.#wait();
      try {
        await prepareFolder(this.folder);
        this.#level = await openWhole(this.#parts, damaged);
        this.#problem = undefined;
        this.#openedAtMs = performance.now();
        this.#log.warn({ database: this.folder }, `database ${this.folder} is in use again`);
        for (const back of this.#onBack) back();
      } catch (error) {
        this.#log.debug({ database: this.folder, err: error }, `database ${this.folder} is still away: ${reasonOf(error)}`);
        this.#waitMs = Math.min(Math.max(this.#waitMs * 2, FIRST_WAIT_MS), MAX_WAIT_MS);
      }
      for (const tried of this.#attempts.splice(0)) tried();
      if (last) return;
    }
  }

  #wait(): Promise<void> {
    if (this.#attempts.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

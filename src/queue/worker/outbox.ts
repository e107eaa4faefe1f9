/**
 * Reports on their way to the manager: sent some at a time, kept on disk when it is away, and sent when it is back.
 *
 * Its file holds what could not be delivered, a report a line, and is gone when all is.
 */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../../util/log.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { ManagerAwayError, ManagerRefusalError, type CallManager } from './manager.ts';
import type { ReportOut } from './visit.ts';

const AT_ONCE = 50;
const MAX_BATCH_CHARS = 8 * 1024 * 1024;
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 300_000;

export interface OutboxParts {
  readonly call: CallManager;
  readonly file: string;
  readonly log: Log;
  /** some have been: there may be new URLs */
  readonly onDelivered: () => void;
  /** nothing will ever be taken: the key is not known any more */
  readonly onRefused: (error: Error) => void;
}

export class Outbox {
  readonly #parts: OutboxParts;
  /** as JSON */
  readonly #waiting: string[];
  /** has been written to the file */
  #saved = false;
  #sending: Promise<void> | undefined;
  #away = false;
  #closing = new AbortController();
  delivered = 0;

  private constructor(parts: OutboxParts, waiting: string[]) {
    this.#parts = parts;
    this.#waiting = waiting;
    this.#saved = waiting.length > 0;
  }

  /** With what an earlier worker has left. @throws the system's error */
  static async open(parts: OutboxParts): Promise<Outbox> {
    let text = '';
    try {
      text = await readFile(parts.file, 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    const lines = text.split('\n').filter(isReport);
    if (lines.length > 0) parts.log.info({ file: parts.file, reports: lines.length }, 'reports of an earlier run wait to be delivered');
    const outbox = new Outbox(parts, lines);
    outbox.#send();
    return outbox;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The manager does not answer. */
  get away(): boolean {
    return this.#away;
  }

  push(report: ReportOut): void {
    this.#waiting.push(JSON.stringify(report));
    this.#send();
  }

  /** All is delivered, or the time is over. What is left stands in the file then. @throws the system's error */
  async close(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(), ms);
    if (this.#away) this.#closing.abort();
    await this.#sending;
    clearTimeout(timer);
    if (this.#waiting.length > 0 || this.#saved) await this.#save();
  }

  #send(): void {
    this.#sending ??= this.#run().finally(() => (this.#sending = undefined));
  }

  async #run(): Promise<void> {
    const { log } = this.#parts;
    let pause = FIRST_PAUSE_MS;
    // Those that come in the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#closing.signal.aborted) {
      try {
        await this.#deliver(this.#batch());
        pause = FIRST_PAUSE_MS;
        this.#away = false;
        if (this.#waiting.length === 0 && this.#saved) await this.#keep();
        this.#parts.onDelivered();
      } catch (error) {
        if (!(error instanceof ManagerAwayError)) return this.#parts.onRefused(error instanceof Error ? error : new Error(reasonOf(error)));
        if (!this.#away) log.warn({ waiting: this.#waiting.length }, `reports wait: ${reasonOf(error)}`);
        this.#away = true;
        await this.#keep();
        await wait(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        pause = Math.min(pause * 2, MAX_PAUSE_MS);
      }
    }
  }

  #batch(): readonly string[] {
    let chars = 0;
    const end = this.#waiting.findIndex((text, index) => index >= AT_ONCE || ((chars += text.length) > MAX_BATCH_CHARS && index > 0));
    return this.#waiting.slice(0, end === -1 ? undefined : end);
  }

  /** @throws ManagerAwayError; ManagerRefusalError when the key is refused */
  async #deliver(batch: readonly string[]): Promise<void> {
    const { call, log } = this.#parts;
    try {
      await call('/report', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: `[${batch.join(',')}]` });
      this.delivered += batch.length;
    } catch (error) {
      if (!(error instanceof ManagerRefusalError) || error.status === 401 || error.status === 403) throw error;
      if (batch.length > 1) {
        for (const text of batch) await this.#deliver([text]);
        return;
      }
      log.warn({ report: batch[0]?.slice(0, 300) }, `a report was dropped: ${reasonOf(error)}`);
    }
    this.#waiting.splice(0, batch.length);
  }

  /** As far as the disk lets it: what waits is in memory, too. */
  async #keep(): Promise<void> {
    const { file, log } = this.#parts;
    await this.#save().catch((error: unknown) =>
      log.warn({ file }, `reports wait in memory only, their file cannot be written: ${reasonOf(error)}`),
    );
  }

  /** All that waits, in place of what the file held. */
  async #save(): Promise<void> {
    const { file } = this.#parts;
    this.#saved = this.#waiting.length > 0;
    if (!this.#saved) return rm(file, { force: true });
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.writeFile(this.#waiting.map((text) => `${text}\n`).join(''));
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
  }
}

/** The last line of one that was killed may be cut off. */
function isReport(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'url' in value;
  } catch {
    return false;
  }
}

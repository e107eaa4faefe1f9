/**
 * `out.log`: what a job has to say, a line of JSON each, in its own folder and so in its result.
 *
 * Lines are on the file when a call returns: a process that dies takes none along. A log that a transformation has removed is made anew, and
 * one that it has made a link of is not written through.
 * Source: spec/circe.md §2.4.
 */
import { closeSync, constants, fstatSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Hex } from './job-id.ts';

export const LOG_FILE = 'out.log';

/** What a transformation logs with. */
export interface Logger {
  debug(message: string | object): void;
  info(message: string | object): void;
  warning(message: string | object): void;
  error(message: string | object): void;
}

type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

export class OutLog implements Logger {
  readonly #path: string;
  readonly #name: string;
  #fd: number | undefined;
  #lines = 0;
  /** called with the number of lines so far */
  readonly #onLine: (lines: number) => void;

  constructor(dir: string, hex: Hex, onLine: (lines: number) => void = () => undefined) {
    this.#path = join(dir, LOG_FILE);
    this.#name = nameOf(hex);
    this.#onLine = onLine;
  }

  debug(message: string | object): void {
    this.#write('DEBUG', fieldsOf(message));
  }

  info(message: string | object): void {
    this.#write('INFO', fieldsOf(message));
  }

  warning(message: string | object): void {
    this.#write('WARNING', fieldsOf(message));
  }

  error(message: string | object): void {
    this.#write('ERROR', fieldsOf(message));
  }

  /** A line of the service itself, which has a `time` as well. */
  own(level: Level, message: string): void {
    const time = now();
    this.#write(level, { message, time: time.slice(0, -1) }, time);
  }

  /** The line that `own` would write. */
  static line(hex: Hex, level: Level, message: string): string {
    const time = now();
    return `${spaced({ timestamp: time, level, name: nameOf(hex), message, time: time.slice(0, -1) })}\n`;
  }

  /** Have the file, with what is in it. */
  touch(): void {
    this.#open();
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #write(level: Level, fields: object, timestamp = now()): void {
    const line = `${spaced({ timestamp, level, name: this.#name, ...fields })}\n`;
    writeSync(this.#open(), line);
    this.#onLine(++this.#lines);
  }

  #open(): number {
    if (this.#fd !== undefined && fstatSync(this.#fd).nlink > 0) return this.#fd;
    this.close();
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    try {
      this.#fd = openSync(this.#path, flags, 0o600);
      if (!statSync(this.#path).isFile()) throw new Error('the log is no file');
    } catch {
      this.close();
      rmSync(this.#path, { recursive: true, force: true });
      this.#fd = openSync(this.#path, flags, 0o600);
    }
    return this.#fd;
  }
}

function nameOf(hex: Hex): string {
  return `job_logger_${hex}`;
}

function fieldsOf(message: unknown): object {
  return typeof message === 'object' && message !== null ? message : { message: String(message) };
}

/** With blanks after commas and colons, as programs that were written for the reference may expect. */
function spaced(fields: object): string {
  let text: string;
  try {
    text = JSON.stringify(fields, null, 1);
  } catch (error) {
    // A cycle or a bigint is no reason for a job to fail.
    const { timestamp, level, name } = fields as Record<string, unknown>;
    text = JSON.stringify({ timestamp, level, name, message: `(not to be said in JSON: ${String(error).split('\n', 1)[0]})` }, null, 1);
  }
  // A line end that is not the layout's is written as \n.
  return text
    .replace(/([{[])\n */g, '$1')
    .replace(/\n *([}\]])/g, '$1')
    .replace(/,\n */g, ', ');
}

/** UTC, in microseconds. */
function now(): string {
  const ms = performance.timeOrigin + performance.now();
  const micros = Math.floor((ms % 1) * 1000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

/**
 * Standard error that keeps nobody waiting: what it does not take at once stays in a bounded buffer, and what does not fit is counted.
 *
 * A pipe that nobody reads, or a terminal that somebody has halted (^S), takes nothing for as long as it likes. Lines are whole, but where
 * the reader itself has left. What fits is written before `write` returns, so that a line is out when the process ends right after it.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isatty } from 'node:tty';
import { codeOf } from '../util/thrown.ts';
import type { Sink } from './screen.ts';

export interface LogSinkOptions {
  /** does not block, or is a file */
  readonly fd: number;
  /** bytes that wait at most */
  readonly maxBytes?: number;
  /** told once there is room again: how many lines did not fit */
  readonly onDropped: (lines: number) => void;
}

const MAX_BYTES = 1024 * 1024;
/** So often it is tried again. */
const RETRY_MS = 50;

export class LogSink implements Sink {
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #onDropped: (lines: number) => void;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #gone = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({ fd, maxBytes = MAX_BYTES, onDropped }: LogSinkOptions) {
    this.#fd = fd;
    this.#maxBytes = maxBytes;
    this.#onDropped = onDropped;
  }

  /** @param text whole lines, or what draws on a terminal */
  write(text: string): void {
    if (this.#gone) return;
    const bytes = Buffer.from(text);
    if (this.#dropped > 0 || this.#bytes + bytes.length > this.#maxBytes) {
      // Once one is dropped all are, until there is room for the line that says so: it must not stand before lines that came earlier.
      this.#dropped++;
      if (this.#bytes === 0) this.#drain();
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#timer === undefined) this.#drain();
  }

  /** Write what waits, for the end of the process. @param forMs no longer than this */
  flush(forMs: number): void {
    const until = performance.now() + forMs;
    const pause = new Int32Array(new SharedArrayBuffer(4));
    this.#drain();
    while (this.#bytes > 0 && performance.now() < until) {
      Atomics.wait(pause, 0, 0, 10);
      this.#drain();
    }
  }

  #drain(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting[0] !== undefined) {
      const written = this.#writeSome(this.#waiting[0]);
      if (written === undefined) break;
      this.#bytes -= written;
      const rest = this.#waiting[0].subarray(written);
      if (rest.length === 0) this.#waiting.shift();
      else this.#waiting[0] = rest;
    }
    if (this.#bytes > 0) this.#timer = setTimeout(() => this.#drain(), RETRY_MS).unref();
    if (this.#bytes > 0 || this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#onDropped(lines);
  }

  /** @returns undefined when nothing can be written at the moment */
  #writeSome(bytes: Buffer): number | undefined {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return undefined;
      // Whoever read it has left, or its disk is full: no reason to stop archiving.
      this.#gone = codeOf(error) === 'EPIPE';
      return bytes.length;
    }
  }
}

/**
 * Standard error as a number to write to, which does not block.
 *
 * Whether a terminal or a pipe blocks is shared with all programs that have it, and any of them may change that: so it is opened anew, where
 * the system lets us (Linux). Of pipes and sockets Node sees to it otherwise, and what else there is is used as it is.
 */
export function standardError(): number {
  const { fd } = process.stderr;
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !isatty(fd)) return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}

/**
 * Whether a client of HTTP/2 sends more frames that ask for nothing than it can have use for: PING, SETTINGS, PRIORITY, WINDOW_UPDATE.
 *
 * All of them have one bound, in bytes: what is neither heads nor bodies. Answers to PING and SETTINGS that pile up, CONTINUATION without end
 * and empty frames end a session by themselves (`src/http2`). Streams that are opened and reset make a proxy go on with what it has begun.
 * Source: CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27983.
 */
import { performance } from 'node:perf_hooks';

/** What gives the bytes. */
export interface FloodSource {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** A second, of whoever sends and takes nothing else: some 5,000 frames. */
const MAX_BYTES_PER_SECOND = 64 * 1024;
/** Whoever takes much gives leave for more, by two frames of 13 bytes for some 30 KiB at most. */
const TAKEN_PER_BYTE = 512;

/** Streams that are reset at once, as by a browser that leaves a page, and more of them a second. */
const MAX_RESETS = 300;
const RESETS_PER_SECOND = 20;

export class Flood {
  readonly #source: FloodSource;
  #expected = 0;
  #seen = 0;
  #sent = 0;
  #sinceMs = performance.now();
  #resets = 0;
  #resetMs = 0;

  constructor(source: FloodSource) {
    this.#source = source;
  }

  /** So many bytes were of heads or bodies. */
  expected(bytes: number): void {
    this.#expected += bytes;
  }

  /** A stream was reset. @returns true when it is one too many */
  reset(): boolean {
    const nowMs = performance.now();
    this.#resets = Math.max(0, this.#resets - ((nowMs - this.#resetMs) / 1000) * RESETS_PER_SECOND) + 1;
    this.#resetMs = nowMs;
    return this.#resets > MAX_RESETS;
  }

  /** To be called about once a second. @returns true when it is one */
  look(): boolean {
    const nowMs = performance.now();
    const seconds = Math.max((nowMs - this.#sinceMs) / 1000, 1);
    const { bytesRead, bytesWritten } = this.#source;
    const overhead = bytesRead - this.#seen - this.#expected;
    const allowed = seconds * MAX_BYTES_PER_SECOND + (bytesWritten - this.#sent) / TAKEN_PER_BYTE;
    this.#sinceMs = nowMs;
    this.#seen = bytesRead;
    this.#sent = bytesWritten;
    this.#expected = 0;
    return overhead > allowed;
  }
}

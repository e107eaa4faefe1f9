/**
 * Where captures go: all that those who make them, or wait for them, know of the chain, the WARC files and the stores.
 */
import type { Capture } from './capture.ts';

export interface Archive {
  /**
   * Hand over a capture: it is written, counted and logged, and its bytes are let go of.
   *
   * @returns undefined when there is room for more, or a promise of it
   */
  push(capture: Capture): Promise<void> | undefined;
  /** @returns undefined when nothing is under way; otherwise a promise that resolves when all that is under way now is in its files */
  settled(): Promise<void> | undefined;
  /** Write everything that has come, and close all files. @throws what could not be closed */
  close(): Promise<void>;
}

/** What an archive is doing, for those who watch it. */
export interface ArchiveState {
  /** captures that wait */
  readonly queued: number;
  /** one more, and `push` asks to wait */
  readonly maxQueued: number;
  /** the capture that has been under way longest */
  readonly oldest: Capture | undefined;
  /** for how long; 0 when there is none */
  readonly oldestMs: number;
  /** name of each step, with the captures that are before or in it (the first has the queue before it), and those that it has failed for */
  readonly processors: readonly { readonly name: string; readonly queued: number; readonly errors: number }[];
}

/**
 * The post-fetch chain: a bounded queue of captures, taken through all processors one batch at a time.
 *
 * Because a batch goes through to the end before the next begins, what a processor stored is seen by everything that comes later.
 * Owns the captures from `push` on, and releases each exactly once.
 */
import { performance } from 'node:perf_hooks';
import type { Archive, ArchiveState } from '../capture/archive.ts';
import type { Capture } from '../capture/capture.ts';
import { releaseCapture } from '../capture/kinds.ts';
import type { Log } from '../util/log.ts';
import { Repeats } from '../util/repeats.ts';
import { errorOf, throwAll } from '../util/thrown.ts';
import type { Processor } from './processor.ts';

export interface ChainOptions {
  readonly processors: readonly Processor[];
  /** told of each capture when it leaves the chain, before it is released */
  readonly done: (capture: Capture) => void;
  /** captures that may wait; one more, and `push` asks to wait */
  readonly maxQueued: number;
  readonly log: Log;
  /** an error after which nothing can be archived any more; the chain stops where it is */
  readonly isFatal: (error: unknown) => boolean;
  readonly onFatal: (error: Error) => void;
}

/** Captures that come again, and to which step. */
interface Held {
  readonly from: number;
  readonly captures: readonly Capture[];
}

/** Large enough to share the cost of a write, small enough to keep the first of a batch from waiting for the last. */
const MAX_BATCH = 200;
/** A batch waits so long, or for so many captures, unless somebody waits for it: a write and a look-up cost the same for one as for many. */
const GATHER_MS = 10;
const GATHER_CAPTURES = 128;

export class Chain implements Archive, ArchiveState {
  readonly #options: ChainOptions;
  #queue: Capture[] = [];
  /** when the queue was empty last, and that of the batch before */
  #queuedSinceMs = 0;
  #batchSinceMs = 0;
  #room: (() => void)[] = [];
  #pushed = 0;
  #left = 0;
  #settling: { readonly after: number; readonly resolve: () => void }[] = [];
  #running = false;
  /** ends the wait for more captures */
  #gathered: (() => void) | undefined;
  #dead = false;
  #closed = false;
  #closing: Promise<void> | undefined;
  #idle: (() => void)[] = [];
  #batch: readonly Capture[] = [];
  #at = -1;
  #errors = 0;
  readonly #repeats = new Repeats();
  /** captures of the batches that each processor has thrown for */
  readonly #failed = new Map<Processor, number>();

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get maxQueued(): number {
    return this.#options.maxQueued;
  }

  get oldest(): Capture | undefined {
    return this.#batch[0] ?? this.#queue[0];
  }

  get oldestMs(): number {
    if (this.oldest === undefined) return 0;
    return performance.now() - (this.#batch.length > 0 ? this.#batchSinceMs : this.#queuedSinceMs);
  }

  /** How often a processor has thrown. */
  get errors(): number {
    return this.#errors;
  }

  get processors(): ArchiveState['processors'] {
    return this.#options.processors.map((processor, index) => ({
      name: processor.name,
      queued: (index === 0 ? this.#queue.length : 0) + (index === this.#at ? this.#batch.length : 0),
      errors: (processor.errors ?? 0) + (this.#failed.get(processor) ?? 0),
    }));
  }

  push(capture: Capture): Promise<void> | undefined {
    if (this.#dead || this.#closed) {
      releaseCapture(capture);
      return undefined;
    }
    if (this.#queue.length === 0) this.#queuedSinceMs = performance.now();
    this.#queue.push(capture);
    this.#pushed++;
    if (!this.#running) {
      this.#running = true;
      void this.#run();
    }
    if (this.#enough) this.#gathered?.();
    if (this.#queue.length < this.#options.maxQueued) return undefined;
    return new Promise((resolve) => this.#room.push(resolve));
  }

  settled(): Promise<void> | undefined {
    if (this.#left === this.#pushed) return undefined;
    const after = this.#pushed;
    const settled = new Promise<void>((resolve) => this.#settling.push({ after, resolve }));
    this.#gathered?.();
    return settled;
  }

  /** Resolves when everything pushed so far and meanwhile has left the chain and the processors are closed. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#running) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      this.#gathered?.();
      await idle;
    }
    this.#closed = true;
    this.#repeats.close();
    const errors: unknown[] = [];
    for (const processor of this.#options.processors) {
      try {
        await processor.close?.();
      } catch (error) {
        // The others have files to close, too.
        errors.push(error);
      }
    }
    throwAll(errors);
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      if (!this.#enough) await this.#gather();
      this.#batchSinceMs = this.#queuedSinceMs;
      const batch = this.#queue.length <= MAX_BATCH ? this.#queue : this.#queue.slice(0, MAX_BATCH);
      this.#queue = this.#queue.length <= MAX_BATCH ? [] : this.#queue.slice(MAX_BATCH);
      if (this.#queue.length < this.#options.maxQueued) for (const resolve of this.#room.splice(0)) resolve();
      await this.#through(batch);
      for (const capture of batch) {
        this.#options.done(capture);
        releaseCapture(capture);
      }
      this.#left += batch.length;
      while (this.#settling[0] !== undefined && this.#settling[0].after <= this.#left) this.#settling.shift()?.resolve();
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** There is enough for a batch, or somebody waits for what there is. */
  get #enough(): boolean {
    const { length } = this.#queue;
    return length >= GATHER_CAPTURES || length >= this.#options.maxQueued || this.#settling.length > 0 || this.#idle.length > 0;
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#gathered?.(), GATHER_MS);
      this.#gathered = () => {
        clearTimeout(timer);
        this.#gathered = undefined;
        resolve();
      };
    });
  }

  /** What a step holds back goes through it again, and on, when all others have gone to the end. */
  async #through(batch: readonly Capture[]): Promise<void> {
    let held: Held | undefined = { from: 0, captures: batch };
    while (held !== undefined && !this.#dead) held = await this.#pass(held);
  }

  async #pass({ from, captures }: Held): Promise<Held | undefined> {
    const { processors } = this.#options;
    let held: Held | undefined;
    this.#batch = captures;
    for (let index = from; index < processors.length && this.#batch.length > 0; index++) {
      const processor = processors[index];
      if (processor === undefined) break;
      this.#at = index;
      try {
        await processor.process(this.#batch);
      } catch (error) {
        if (this.#processorFailed(processor, this.#batch, error)) break;
      }
      if (processor.held !== undefined && processor.held.length > 0) {
        held = { from: index, captures: processor.held };
        const waiting = new Set(processor.held);
        this.#batch = this.#batch.filter((capture) => !waiting.has(capture));
      }
    }
    this.#at = -1;
    this.#batch = [];
    return held;
  }

  /** @returns true when the chain cannot go on */
  #processorFailed(processor: Processor, batch: readonly Capture[], error: unknown): boolean {
    this.#errors++;
    this.#failed.set(processor, (this.#failed.get(processor) ?? 0) + batch.length);
    const failure = errorOf(error);
    if (this.#options.isFatal(error)) {
      this.#dead = true;
      this.#options.onFatal(failure);
    } else {
      const { name } = processor;
      this.#repeats.add(`${name} ${failure.message}`, (more) => {
        const times = more === 0 ? '' : ` ${more} times more`;
        this.#options.log.error({ processor: name, err: failure }, `processor ${name} failed${times}: ${failure.message}`);
      });
    }
    return this.#dead;
  }
}

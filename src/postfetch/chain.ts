/**
 * The post-fetch chain: a bounded queue of captures, taken through all processors one batch at a time.
 *
 * Because a batch goes through to the end before the next begins, what a processor stored is seen by everything that comes later.
 * Owns the captures from `push` on, and releases each exactly once.
 */
import { releaseCapture, type Capture } from '../capture/capture.ts';
import type { Log } from '../util/log.ts';
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

/** Large enough to share the cost of a write, small enough to keep the first of a batch from waiting for the last. */
const MAX_BATCH = 200;

export class Chain {
  readonly #options: ChainOptions;
  #queue: Capture[] = [];
  #room: (() => void)[] = [];
  #running = false;
  #dead = false;
  #idle: (() => void)[] = [];
  #batch: readonly Capture[] = [];
  #at = -1;
  #errors = 0;

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  /** Captures waiting for the chain. */
  get queued(): number {
    return this.#queue.length;
  }

  get maxQueued(): number {
    return this.#options.maxQueued;
  }

  /** The capture that has been longest in the chain. */
  get oldest(): Capture | undefined {
    return this.#batch[0] ?? this.#queue[0];
  }

  /** How often a processor has thrown. */
  get errors(): number {
    return this.#errors;
  }

  /** Name of each processor, with the captures that are before or in it; the first has the queue before it. */
  get processors(): readonly { readonly name: string; readonly queued: number }[] {
    return this.#options.processors.map(({ name }, index) => ({
      name,
      queued: (index === 0 ? this.#queue.length : 0) + (index === this.#at ? this.#batch.length : 0),
    }));
  }

  /** @returns undefined when there is room for more, or a promise of it */
  push(capture: Capture): Promise<void> | undefined {
    if (this.#dead) {
      releaseCapture(capture);
      return undefined;
    }
    this.#queue.push(capture);
    if (!this.#running) {
      this.#running = true;
      // Captures that end in the same turn of the event loop make one batch.
      setImmediate(() => void this.#run());
    }
    if (this.#queue.length < this.#options.maxQueued) return undefined;
    return new Promise((resolve) => this.#room.push(resolve));
  }

  /** Resolves when everything pushed so far and meanwhile has left the chain and the processors are closed. */
  async close(): Promise<void> {
    if (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve));
    for (const processor of this.#options.processors) await processor.close?.();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.length <= MAX_BATCH ? this.#queue : this.#queue.slice(0, MAX_BATCH);
      this.#queue = this.#queue.length <= MAX_BATCH ? [] : this.#queue.slice(MAX_BATCH);
      await this.#through(batch);
      for (const capture of batch) {
        this.#options.done(capture);
        releaseCapture(capture);
      }
      if (this.#queue.length < this.#options.maxQueued) for (const resolve of this.#room.splice(0)) resolve();
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #through(batch: readonly Capture[]): Promise<void> {
    if (this.#dead) return;
    this.#batch = batch;
    for (const [index, processor] of this.#options.processors.entries()) {
      this.#at = index;
      try {
        await processor.process(batch);
      } catch (error) {
        if (this.#failed(processor, error)) break;
      }
    }
    this.#at = -1;
    this.#batch = [];
  }

  /** @returns true when the chain cannot go on */
  #failed(processor: Processor, error: unknown): boolean {
    this.#errors++;
    const failure = error instanceof Error ? error : new Error(String(error));
    if (this.#options.isFatal(error)) {
      this.#dead = true;
      this.#options.onFatal(failure);
    } else {
      this.#options.log.error({ processor: processor.name, err: failure }, `processor ${processor.name} failed: ${failure.message}`);
    }
    return this.#dead;
  }
}

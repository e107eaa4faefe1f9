/**
 * Long computations in slices, so that a client's thousand rules never hold up the other requests.
 *
 * A computation is a generator that yields wherever it may pause; it yields often (each 0.1 ms or so). What is short is answered at once.
 * What takes longer joins a queue, which gets a slice of each turn of the event loop and gives each computation one step in turn. All
 * computations of one `TimeSlices` together never take more than two slices of a turn, however many there are.
 *
 * One that waits for another thread yields a promise, which never rejects.
 */

export type Steps<T> = Generator<Promise<void> | undefined, T, undefined>;

export interface TimeSlices {
  /**
   * The result at once if it takes only a part of a slice, else a promise of it.
   *
   * @param signal ends a queued computation
   * @throws whatever the computation throws (or rejects with it)
   */
  run<T>(steps: Steps<T>, limit?: TimeLimit, signal?: AbortSignal): T | Promise<T>;
}

export interface TimeLimit {
  /** CPU time after which the computation is given up */
  readonly maxMs: number;
  readonly error: () => Error;
}

export interface TimeSlicesOptions {
  /** CPU time per turn of the event loop for new computations, and again for queued ones */
  readonly sliceMs?: number;
  /** a clock in ms */
  readonly now?: () => number;
}

/** Twice this fits five times into the 50 ms that no regex may cost another request. */
const SLICE_MS = 5;
/** Of the slice of new computations, for a single one: the next should find something left. */
const SHARE = 0.4;
/** So little is not worth the bookkeeping of a turn. */
const UNCOUNTED_MS = 1;

/** All steps at once. @param steps wait for nothing */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (value !== undefined) throw new Error('a computation that waits cannot be done at once');
  }
}

export function timeSlices({ sliceMs = SLICE_MS, now = () => performance.now() }: TimeSlicesOptions = {}): TimeSlices {
  const queue: Job<unknown>[] = [];
  let newSpentMs = 0;
  let turnPending = false;

  function later(job: Job<unknown>, waits: Promise<void> | undefined): void {
    if (waits !== undefined) return void waits.then(() => later(job, undefined));
    queue.push(job);
    awaitTurn();
  }

  function awaitTurn(): void {
    if (turnPending) return;
    turnPending = true;
    setImmediate(() => {
      turnPending = false;
      newSpentMs = 0;
      const start = now();
      while (queue.length > 0 && now() - start < sliceMs) {
        const job = queue.shift();
        const next = job?.advance();
        if (job !== undefined && next !== 'settled') later(job, next);
      }
      if (queue.length > 0) awaitTurn();
    });
  }

  return {
    run(steps, limit, signal) {
      const job = new Job(steps, now, limit, signal);
      while (newSpentMs < sliceMs && job.usedMs < sliceMs * SHARE) {
        const before = job.usedMs;
        const next = job.step();
        newSpentMs += job.usedMs - before;
        if (newSpentMs > UNCOUNTED_MS) awaitTurn();
        if (next.done) return next.value;
        if (next.value === undefined) continue;
        const promise = job.promise();
        later(job as Job<unknown>, next.value);
        return promise;
      }
      later(job as Job<unknown>, undefined);
      return job.promise();
    },
  };
}

class Job<T> {
  usedMs = 0;
  readonly #steps: Steps<T>;
  readonly #now: () => number;
  readonly #limit: TimeLimit | undefined;
  readonly #signal: AbortSignal | undefined;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(steps: Steps<T>, now: () => number, limit?: TimeLimit, signal?: AbortSignal) {
    this.#steps = steps;
    this.#now = now;
    this.#limit = limit;
    this.#signal = signal;
  }

  /** @throws whatever the computation throws */
  step(): IteratorResult<Promise<void> | undefined, T> {
    this.#signal?.throwIfAborted();
    if (this.#limit !== undefined && this.usedMs > this.#limit.maxMs) throw this.#limit.error();
    const start = this.#now();
    const next = this.#steps.next();
    this.usedMs += this.#now() - start;
    return next;
  }

  promise(): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** One step. @returns what it waits for, if it does */
  advance(): 'settled' | Promise<void> | undefined {
    try {
      const next = this.step();
      if (!next.done) return next.value;
      this.#resolve(next.value);
    } catch (error) {
      this.#reject(error);
    }
    return 'settled';
  }
}

/**
 * Hashes what is large in a thread of its own (hashing-work.js).
 *
 * Pieces of all that is hashed at the time are copied one behind the other into a buffer, with a list of which bytes belong to which hash. A full
 * one travels to the thread, and comes back to be filled again. A thread that has failed is done without from then on.
 */
import { Worker } from 'node:worker_threads';

/** A buffer has so many bytes; a piece that is larger has one of its own. */
const BATCH_BYTES = 256 * 1024;
/** And is sent when it has so many numbers. */
const MAX_RANGES = 1024;
/** What a number counts for. */
const RANGE_BYTES = 8;
/** Bytes on their way, past which whoever adds some has to pause. */
const MAX_UNDER_WAY = 4 * 1024 * 1024;
/** Buffers that wait to be filled. */
const MAX_FREE = MAX_UNDER_WAY / BATCH_BYTES;
/** It keeps nothing but hashes. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };
const ENDED = 'the thread that hashes has ended';

/** What the thread is sent. */
interface Task {
  readonly bytes: Uint8Array | undefined;
  /** in threes: hash, start, end */
  readonly ranges: readonly number[];
  /** that are whole, and to be told */
  readonly whole: readonly number[];
  /** that nobody wants any more */
  readonly dropped: readonly number[];
}

/** What it answers each, and without anything once it has begun. */
interface Done {
  readonly bytes: Uint8Array | undefined;
  readonly digests: readonly Uint8Array[];
}

/** Told the values that were asked for; undefined where they will never be known. */
type Told = (digests: readonly Uint8Array[] | undefined) => void;

interface Sent {
  readonly size: number;
  readonly told: Told | undefined;
}

export class HashingThread {
  readonly #algorithm: string;
  #worker: Worker | undefined;
  #state: 'new' | 'starting' | 'running' = 'new';
  #error: Error | undefined;
  /** what is not sent yet */
  #batch: Buffer | undefined;
  #filled = 0;
  #ranges: number[] = [];
  #dropped: number[] = [];
  readonly #free: Buffer[] = [];
  /** in the order of the answers */
  readonly #sent: Sent[] = [];
  #underWay = 0;
  #waiting: (() => void)[] = [];
  #settled: Promise<void> | undefined;
  #lastHash = 0;

  /** @param algorithm a name of `crypto.getHashes()` */
  constructor(algorithm: string) {
    this.#algorithm = algorithm;
  }

  /** It takes new hashes. The thread is started when this is asked first, and takes them once it runs. */
  get ready(): boolean {
    if (this.#state === 'new') this.#start();
    return this.#state === 'running' && this.#error === undefined;
  }

  /** Why what is hashed there will never be known. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** A new hash, until it is asked for or dropped. */
  open(): number {
    return ++this.#lastHash;
  }

  /** Copy a piece. @returns where it begins, for the ranges that are said of it before anything else is called */
  copy(piece: Buffer): number {
    const { length } = piece;
    if (this.#filled + length > BATCH_BYTES || this.#ranges.length >= MAX_RANGES) this.#send([]);
    this.#batch ??= length > BATCH_BYTES ? Buffer.allocUnsafeSlow(length) : (this.#free.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES));
    const at = this.#filled;
    this.#batch.set(piece, at);
    this.#filled += length;
    return at;
  }

  /** The bytes from `start` to before `end` of what was copied go on this hash. */
  update(hash: number, start: number, end: number): void {
    this.#ranges.push(hash, start, end);
  }

  /** Less than the limit is on its way. */
  get drained(): boolean {
    return this.#underWay < MAX_UNDER_WAY;
  }

  /** Call back once, when it is. */
  onDrain(callback: () => void): void {
    if (this.drained) callback();
    else this.#waiting.push(callback);
  }

  /** Ask for the values of hashes, which are closed by it. @param told called once, later; with undefined there is an `error` */
  digests(hashes: readonly number[], told: Told): void {
    this.#settled = new Promise((resolve) => {
      this.#send(hashes, (digests) => {
        told(digests);
        resolve();
      });
    });
  }

  /** Nobody wants them. */
  drop(hashes: readonly number[]): void {
    this.#dropped.push(...hashes);
  }

  /** Resolves when everybody has been told what he has asked for. */
  async settled(): Promise<void> {
    await this.#settled;
  }

  async close(): Promise<void> {
    this.#breakDown(new Error(ENDED));
    await this.#worker?.terminate();
  }

  #start(): void {
    this.#state = 'starting';
    const worker = new Worker(new URL('./hashing-work.js', import.meta.url), {
      workerData: this.#algorithm,
      execArgv: [],
      resourceLimits: LIMITS,
    });
    this.#worker = worker;
    worker.on('message', (done: Done | undefined) => {
      if (done !== undefined) this.#done(done);
      else this.#state = 'running';
    });
    worker.on('error', (error) => this.#breakDown(error));
    worker.on('exit', () => this.#breakDown(new Error(ENDED)));
    worker.unref();
  }

  #send(whole: readonly number[], told?: Told): void {
    const bytes = this.#batch;
    const size = this.#filled + RANGE_BYTES * this.#ranges.length;
    const task: Task = { bytes, ranges: this.#ranges, whole, dropped: this.#dropped };
    this.#batch = undefined;
    this.#filled = 0;
    this.#ranges = [];
    this.#dropped = [];
    if (this.#worker === undefined || this.#error !== undefined) {
      if (told !== undefined) queueMicrotask(() => told(undefined));
      return;
    }
    // The process does not end while an answer is waited for, and not for the thread's sake alone.
    if (this.#sent.length === 0) this.#worker.ref();
    this.#sent.push({ size, told });
    this.#underWay += size;
    this.#worker.postMessage(task, bytes === undefined ? [] : [bytes.buffer as ArrayBuffer]);
  }

  #done({ bytes, digests }: Done): void {
    if (this.#error !== undefined) return;
    const sent = this.#sent.shift();
    if (bytes?.length === BATCH_BYTES && this.#free.length < MAX_FREE)
      this.#free.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#underWay -= sent?.size ?? 0;
    if (this.#sent.length === 0) this.#worker?.unref();
    sent?.told?.(digests);
    if (this.drained) this.#letOn();
  }

  #letOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }

  #breakDown(error: Error): void {
    this.#error ??= error;
    for (const { told } of this.#sent.splice(0)) told?.(undefined);
    this.#underWay = 0;
    this.#letOn();
  }
}

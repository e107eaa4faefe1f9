/**
 * Deflates many small pieces at a time in a thread of its own, where the machine has a core for it.
 *
 * Both sides are here: what the main thread calls, and what the worker does. All pieces travel in one buffer and come back in one, so that
 * the main thread pays for two messages and one copy, whatever the number. A worker that fails is done without.
 */
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { constants } from 'node:zlib';
import { deflateRaw, type Flush } from './deflater.ts';

export interface Piece {
  readonly bytes: Buffer;
  readonly flush: Flush;
}

export interface Deflater {
  /** @returns raw deflate data of each piece, in the same order; at once, or when a worker has done it */
  deflate(pieces: readonly Piece[]): readonly Buffer[] | Promise<readonly Buffer[]>;
  close(): Promise<void>;
}

interface Task {
  readonly bytes: Uint8Array;
  /** where each piece ends */
  readonly ends: Uint32Array;
  readonly flushes: Uint8Array;
}

interface Done {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

const ROLE = 'warctap deflate';
/** Fewer pieces than this are not worth two messages. */
const MIN_PIECES = 8;

function deflateInline(pieces: readonly Piece[]): readonly Buffer[] {
  return pieces.map(({ bytes, flush }) => deflateRaw(bytes, flush));
}

/** On the calling thread. */
export const inlineDeflater: Deflater = { deflate: deflateInline, close: () => Promise.resolve() };

/** @returns one with a worker where the process may use more than one core; the worker is started when it is needed first */
export function createDeflater(): Deflater {
  return availableParallelism() > 1 ? new WorkerDeflater() : inlineDeflater;
}

class WorkerDeflater implements Deflater {
  #worker: Worker | undefined;
  #broken = false;
  readonly #waiting: { readonly pieces: readonly Piece[]; readonly resolve: (deflated: readonly Buffer[]) => void }[] = [];

  deflate(pieces: readonly Piece[]): readonly Buffer[] | Promise<readonly Buffer[]> {
    if (this.#broken || pieces.length < MIN_PIECES) return deflateInline(pieces);
    const worker = (this.#worker ??= this.#start());
    const task = packed(pieces);
    return new Promise((resolve) => {
      this.#waiting.push({ pieces, resolve });
      worker.postMessage(task, [task.bytes.buffer as ArrayBuffer]);
    });
  }

  async close(): Promise<void> {
    this.#broken = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL(import.meta.url), { workerData: ROLE });
    worker.unref();
    worker.on('message', (done: Done) => this.#waiting.shift()?.resolve(unpacked(done.bytes, done.ends)));
    worker.on('error', () => this.#breakDown());
    worker.on('exit', () => this.#breakDown());
    return worker;
  }

  /** What waits for it is done here, and everything from now on. */
  #breakDown(): void {
    this.#broken = true;
    for (const { pieces, resolve } of this.#waiting.splice(0)) resolve(deflateInline(pieces));
  }
}

function packed(pieces: readonly Piece[]): Task {
  const ends = new Uint32Array(pieces.length);
  const flushes = new Uint8Array(pieces.length);
  let size = 0;
  for (const [index, { bytes, flush }] of pieces.entries()) {
    size += bytes.length;
    ends[index] = size;
    flushes[index] = flush;
  }
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const piece of pieces) at += piece.bytes.copy(bytes, at);
  return { bytes, ends, flushes };
}

function unpacked(bytes: Uint8Array, ends: Uint32Array): Buffer[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  return Array.from(ends, (end) => all.subarray(start, (start = end)));
}

function work({ bytes, ends, flushes }: Task): Done {
  const deflated = unpacked(bytes, ends).map((piece, index) => deflateRaw(piece, flushes[index] ?? constants.Z_FINISH));
  const done = packed(deflated.map((piece) => ({ bytes: piece, flush: 0 })));
  return { bytes: done.bytes, ends: done.ends };
}

if (!isMainThread && workerData === ROLE) {
  parentPort?.on('message', (task: Task) => {
    const done = work(task);
    parentPort?.postMessage(done, [done.bytes.buffer as ArrayBuffer]);
  });
}

/**
 * Makes the gzip members of many small records at a time, in a thread of its own where the machine has a core for it.
 *
 * Both sides are here: what the main thread calls, and what the worker does. All records travel in one buffer and come back in one, so that
 * the main thread pays for two messages and one copy, whatever the number. A worker that fails is done without.
 */
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { member } from './member.ts';

/** A record as it stands in an uncompressed file. */
export interface WholeRecord {
  readonly pieces: readonly Buffer[];
  /** bytes of all pieces */
  readonly size: number;
  /** where its payload begins, as far as that is known */
  readonly payloadStart: number;
}

export interface Compressor {
  /** @returns the member of each record, in the same order; at once, or when a worker has made them */
  compress(records: readonly WholeRecord[]): readonly Buffer[] | Promise<readonly Buffer[]>;
  /** so many calls are worth making before the first is answered; answers come in the order of the calls */
  readonly steps: number;
  close(): Promise<void>;
}

/** Records or members, one behind the other. */
interface Many {
  readonly bytes: Uint8Array;
  /** where each ends */
  readonly ends: Uint32Array;
}

interface Task extends Many {
  readonly payloadStarts: Uint32Array;
}

const ROLE = 'warctap compressor';
/** Fewer records than this are not worth two messages. */
const MIN_RECORDS = 8;
/** So that the worker has the next when it has done with one. */
const WORKER_STEPS = 4;

function compressInline(records: readonly WholeRecord[]): readonly Buffer[] {
  return records.map(({ pieces, size, payloadStart }) => member(Buffer.concat(pieces, size), payloadStart));
}

/** On the calling thread. */
export const inlineCompressor: Compressor = { compress: compressInline, steps: 1, close: () => Promise.resolve() };

/** @returns one with a worker where the process may use more than one core; the worker is started when it is needed first */
export function createCompressor(): Compressor {
  return availableParallelism() > 1 ? new WorkerCompressor() : inlineCompressor;
}

class WorkerCompressor implements Compressor {
  #worker: Worker | undefined;
  #broken = false;
  readonly #waiting: { readonly records: readonly WholeRecord[]; readonly resolve: (members: readonly Buffer[]) => void }[] = [];

  get steps(): number {
    return this.#broken ? 1 : WORKER_STEPS;
  }

  compress(records: readonly WholeRecord[]): readonly Buffer[] | Promise<readonly Buffer[]> {
    if (this.#broken || records.length < MIN_RECORDS) return compressInline(records);
    const worker = (this.#worker ??= this.#start());
    const payloadStarts = new Uint32Array(records.length);
    let index = 0;
    for (const { payloadStart } of records) payloadStarts[index++] = payloadStart;
    const task: Task = { ...packed(records), payloadStarts };
    return new Promise((resolve) => {
      this.#waiting.push({ records, resolve });
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
    worker.on('message', (members: Many) => this.#waiting.shift()?.resolve(unpacked(members)));
    worker.on('error', () => this.#breakDown());
    worker.on('exit', () => this.#breakDown());
    return worker;
  }

  /** What waits for it is done here, and everything from now on. */
  #breakDown(): void {
    this.#broken = true;
    for (const { records, resolve } of this.#waiting.splice(0)) resolve(compressInline(records));
  }
}

function packed(many: readonly Pick<WholeRecord, 'pieces' | 'size'>[]): Many {
  const ends = new Uint32Array(many.length);
  let total = 0;
  let index = 0;
  for (const { size } of many) ends[index++] = total += size;
  const bytes = Buffer.allocUnsafeSlow(total);
  let at = 0;
  for (const { pieces } of many) {
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
  }
  return { bytes, ends };
}

function unpacked({ bytes, ends }: Many): Buffer[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const many: Buffer[] = [];
  let start = 0;
  for (const end of ends) {
    many.push(all.subarray(start, end));
    start = end;
  }
  return many;
}

if (!isMainThread && workerData === ROLE) {
  parentPort?.on('message', (task: Task) => {
    const members = unpacked(task).map((record, index) => member(record, task.payloadStarts[index] ?? 0));
    const answer = packed(members.map((bytes) => ({ pieces: [bytes], size: bytes.length })));
    parentPort?.postMessage(answer, [answer.bytes.buffer as ArrayBuffer]);
  });
}

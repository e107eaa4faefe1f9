/**
 * Records as gzip members: small ones at once on the main thread, middling ones a few ahead in the thread pool, big ones as a stream.
 *
 * Each member stands alone and is plain gzip (ISO 28500:2017 Annex D, RFC 1952). Level 6 throughout.
 *
 * Measured on Node 20.20, 2 cores, HTML-like text: `gzipSync` with zlib's default memory takes 26 µs for 0.6 kB, 38 µs for 1.5 kB,
 * 255 µs for 16 kB, 1.2 ms for 64 kB, 4.2 ms for 256 kB. The smaller state (`windowBits` 13, `memLevel` 7) and an output buffer of
 * the right size save 4 µs of each and cost no bytes up to 8 kB, 1 % at 16 kB, 6 % at 64 kB. A trip to the thread pool costs
 * 20-30 µs of work in all: at 4 kB a quarter on top, at 8 kB 13 %, at 16 kB 9 %, at 64 kB 4 %, and it takes the rest off the main
 * thread. So the border is 16 kB.
 */
import { createGzip, gzip, gzipSync, type ZlibOptions } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { memoryPieces, pieces } from './layout.ts';
import type { WarcRecord } from './records.ts';

/** Up to this size (header and block) a record is compressed at once. */
const AT_ONCE_BYTES = 16 * 1024;
/** Above this size a record is streamed, though it may be in memory: a job in the thread pool needs all of it in one piece. */
const IN_ONE_PIECE_BYTES = 1024 * 1024;
/** Jobs at a time; the thread pool has four threads, and files and name look-ups need some too. */
const MAX_JOBS = 3;
const STREAM_CHUNK_BYTES = 256 * 1024;
const SMALL_STATE: ZlibOptions = { windowBits: 13, memLevel: 7 };

/** The members of one batch of records, to be taken in order. */
export class Members {
  readonly #records: readonly WarcRecord[];
  readonly #jobs = new Map<number, Promise<Buffer>>();
  #ahead = 0;

  constructor(records: readonly WarcRecord[]) {
    this.#records = records;
  }

  /** The whole member, or undefined where it has to be streamed. */
  take(index: number): Buffer | Promise<Buffer> | undefined {
    const record = this.#records[index];
    if (record === undefined) throw new RangeError(`no record ${index}`);
    this.#ahead = Math.max(this.#ahead, index);
    this.#start();
    const job = this.#jobs.get(index);
    if (job !== undefined) {
      this.#jobs.delete(index);
      return job;
    }
    return isSmall(record) ? gzipSync(inOnePiece(record), { ...SMALL_STATE, chunkSize: roomFor(record) }) : undefined;
  }

  #start(): void {
    while (this.#jobs.size < MAX_JOBS) {
      const record = this.#records[this.#ahead];
      if (record === undefined) return;
      if (!isSmall(record) && isInOnePiece(record)) {
        const job = inThreadPool(record);
        // Whoever takes it sees the error; nobody does when an earlier record failed.
        job.catch(() => undefined);
        this.#jobs.set(this.#ahead, job);
      }
      this.#ahead += 1;
    }
  }
}

/** Give the member to `sink` in pieces, waiting for each; memory stays flat. */
export async function streamMember(record: WarcRecord, sink: (piece: Buffer) => Promise<void>): Promise<void> {
  await pipeline(pieces(record), createGzip({ chunkSize: STREAM_CHUNK_BYTES }), async (members: AsyncIterable<Buffer>) => {
    for await (const piece of members) await sink(piece);
  });
}

function isSmall(record: WarcRecord): boolean {
  return record.block.memory !== undefined && record.header.length + record.block.size <= AT_ONCE_BYTES;
}

function isInOnePiece(record: WarcRecord): boolean {
  return record.block.memory !== undefined && record.block.size <= IN_ONE_PIECE_BYTES;
}

function inOnePiece(record: WarcRecord): Buffer {
  return Buffer.concat(memoryPieces(record) ?? []);
}

/** More than deflate can need, so that zlib is entered once. */
function roomFor(record: WarcRecord): number {
  const size = record.header.length + record.block.size;
  return size + (size >> 8) + 64;
}

function inThreadPool(record: WarcRecord): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A throw of inOnePiece rejects the promise.
    gzip(inOnePiece(record), { chunkSize: roomFor(record) }, (error, member) => {
      if (error === null) resolve(member);
      else reject(error);
    });
  });
}

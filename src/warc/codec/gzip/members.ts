/**
 * Records as gzip members: small ones some at a time, by a worker where there is one; middling ones a few ahead in the thread pool; big
 * ones are left to `stream.ts`. Payloads that are compressed already are stored, whatever their size.
 *
 * Each member stands alone and is plain gzip (ISO 28500:2017 Annex D, RFC 1952). Level 6 throughout.
 *
 * Measured on Node 20.20, 2 cores, HTML-like text: `gzipSync` with zlib's default memory takes 26 µs for 0.6 kB, 38 µs for 1.5 kB,
 * 255 µs for 16 kB, 1.2 ms for 64 kB, 4.2 ms for 256 kB. The smaller state (`windowBits` 13, `memLevel` 7) and an output buffer of
 * the right size save 4 µs of each and cost no bytes up to 8 kB, 1 % at 16 kB, 6 % at 64 kB. A trip to the thread pool costs
 * 20-30 µs of work in all: at 4 kB a quarter on top, at 8 kB 13 %, at 16 kB 9 %, at 64 kB 4 %, and it takes the rest off the main
 * thread. So the border is 16 kB. A record with 1 kB of noise takes 57 µs and 1,447 bytes deflated, 19 µs and 1,359 bytes stored.
 */
import { gzip } from 'node:zlib';
import { cut } from '../../../util/pieces.ts';
import { headsOf, memoryPieces, RECORD_END, type HeadOf } from '../../layout.ts';
import type { RecordBytes } from '../../record.ts';
import type { UnitPieces, Units } from '../codec.ts';
import type { Compressor, WholeRecord } from './compressor.ts';
import { looksDense, StoredMember } from './member.ts';

/** Up to this size (header and block) a record counts as small. */
const SMALL_BYTES = 16 * 1024;
/** So many records, or so many bytes of small ones, are worked on in one step: on the main thread a few milliseconds. */
const STEP_RECORDS = 64;
const STEP_BYTES = 256 * 1024;
/** Above this size a record is streamed, though it may be in memory: a job in the thread pool needs all of it in one piece. */
const IN_ONE_PIECE_BYTES = 1024 * 1024;
/** Jobs at a time; files and name look-ups need threads of the pool, too. */
const MAX_JOBS = 6;

/** The members of one batch of records, taken in order. */
export class Members implements Units {
  readonly #records: readonly RecordBytes[];
  readonly #headOf: HeadOf;
  readonly #compressor: Compressor;
  /** of each record, until it is taken */
  readonly #ready: (UnitPieces | Promise<readonly Buffer[]>)[];
  /** the steps that are being worked on, with the first record of each */
  readonly #making: { readonly start: number; readonly done: Promise<void> }[] = [];
  #jobs = 0;
  #next = 0;
  /** records before this one are ready or being made so */
  #ahead = 0;

  constructor(records: readonly RecordBytes[], compressor: Compressor) {
    this.#records = records;
    this.#headOf = headsOf(records);
    this.#ready = new Array<UnitPieces>(records.length);
    this.#compressor = compressor;
  }

  /** The member of the next record. */
  next(): UnitPieces | Promise<UnitPieces> {
    const index = this.#next++;
    if (index >= this.#records.length) throw new RangeError(`no record ${index}`);
    if (index >= this.#ahead) this.#makeStep();
    // What works elsewhere goes on while these members are taken.
    while (this.#making.length > 0 && this.#canGoAhead) this.#makeStep();
    const step = this.#making[0];
    return step === undefined || index < step.start ? this.#take(index) : step.done.then(() => this.#take(index));
  }

  get #canGoAhead(): boolean {
    return this.#ahead < this.#records.length && this.#making.length < this.#compressor.steps && this.#jobs < MAX_JOBS;
  }

  #take(index: number): UnitPieces | Promise<UnitPieces> {
    const member = this.#ready[index];
    this.#ready[index] = undefined;
    if (!(member instanceof Promise)) return member;
    return member.then((pieces) => {
      this.#jobs--;
      return pieces;
    });
  }

  /** Make the members of the next records, as many as one step has. */
  #makeStep(): void {
    const start = this.#ahead;
    const indexes: number[] = [];
    const small: WholeRecord[] = [];
    let bytes = 0;
    const end = this.#ahead + STEP_RECORDS;
    for (; this.#ahead < end && bytes < STEP_BYTES && this.#jobs < MAX_JOBS; this.#ahead++) {
      const index = this.#ahead;
      const record = this.#records[index];
      if (record === undefined) break;
      const pieces = memoryPieces(record, this.#headOf);
      if (pieces === undefined) continue;
      const whole = wholeOf(record, pieces);
      if (whole.size <= SMALL_BYTES) {
        indexes.push(index);
        small.push(whole);
        bytes += whole.size;
      } else if (isDense(record)) {
        this.#ready[index] = storedMember(whole);
      } else if (whole.size <= IN_ONE_PIECE_BYTES) {
        const job = inThreadPool(whole);
        // Whoever takes it sees the error; nobody does when an earlier record failed.
        job.catch(() => undefined);
        this.#jobs++;
        this.#ready[index] = job;
      }
    }
    const finish = (members: readonly Buffer[]) => {
      let nth = 0;
      for (const member of members) this.#ready[indexes[nth++] ?? -1] = [member];
    };
    if (small.length === 0) return;
    // On this thread, other work gets its turn between two steps.
    const turn = start > 0 && this.#compressor.steps === 1;
    const members = turn ? new Promise(setImmediate).then(() => this.#compressor.compress(small)) : this.#compressor.compress(small);
    if (!(members instanceof Promise)) return finish(members);
    const done = members.then((made) => {
      this.#making.shift();
      finish(made);
    });
    this.#making.push({ start, done });
  }
}

/** Of a record in memory. */
function isDense({ block, headSize }: RecordBytes): boolean {
  return looksDense(cut(block.memory ?? [], headSize, Infinity));
}

function wholeOf({ block, headSize }: RecordBytes, pieces: readonly Buffer[]): WholeRecord {
  const headerSize = pieces[0]?.length ?? 0;
  return { pieces, size: headerSize + block.size + RECORD_END.length, payloadStart: headerSize + headSize };
}

/** Without a copy of the payload. */
function storedMember({ pieces, size, payloadStart }: WholeRecord): readonly Buffer[] {
  const member = new StoredMember(Buffer.concat(cut(pieces, 0, payloadStart)));
  return [member.start, ...cut(pieces, payloadStart, size).flatMap((piece) => member.store(piece)), member.end()];
}

function inThreadPool({ pieces, size }: WholeRecord): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    // More room than deflate can need, so that zlib is entered once.
    gzip(Buffer.concat(pieces, size), { chunkSize: size + (size >> 8) + 64 }, (error, member) => {
      if (error === null) resolve([member]);
      else reject(error);
    });
  });
}

/**
 * Keeps a message while it passes: all its bytes in a spool, block and payload digests in the same pass.
 *
 * Never copies a byte and never holds anything back: the caller sends on what it hands in.
 */
import type { Field } from '../http/fields.ts';
import { Digester, type DigestFormat } from '../util/digest.ts';
import type { HashingThread } from '../util/hashing-thread.ts';
import type { SpoolPlace, TakePlace } from '../util/spool-place.ts';
import { Spool, type SpoolHolder, type SpoolOptions } from '../util/spool.ts';
import type { RecordedBlock, RecordedResponse, Truncation } from './capture.ts';
import { ThreadDigests } from './thread-digests.ts';

export interface RecordingOptions {
  readonly digest: DigestFormat;
  readonly spool: SpoolOptions;
  /** for large responses, where there is any: a place in a WARC file of a prefix */
  readonly places?: ((prefix: string, url: string) => Promise<SpoolPlace | undefined>) | undefined;
  /** hashes large responses, where there is a core for it */
  readonly hashing?: HashingThread | undefined;
}

/** What a response's head says of itself. */
export type HeadFacts = Pick<RecordedResponse, 'status' | 'contentType' | 'location'>;

/** Records a message whose payload does not matter: a request, or a record sent by a client. */
export class BlockRecorder {
  readonly bytes: Spool;
  readonly #digester: Digester;

  /** @param holder told when there is no room for more of it */
  constructor(options: RecordingOptions, holder?: SpoolHolder) {
    this.bytes = new Spool(options.spool, holder);
    this.#digester = new Digester(options.digest);
  }

  /** @returns false when the disk is behind, as `Spool.append` */
  write(piece: Buffer): boolean {
    this.#digester.update(piece);
    return this.bytes.append(piece);
  }

  finish(): RecordedBlock {
    this.bytes.finish();
    return { bytes: this.bytes, digest: this.#digester.finish() };
  }
}

/**
 * So much waits in memory before it is hashed: the block of a duplicate, which is not written, need not be, and what is larger may be hashed
 * elsewhere.
 */
const HASHED_LATER_BYTES = 512 * 1024;
/** What is large by itself, and not in a file because others have taken the memory. */
const MIN_ELSEWHERE_BYTES = 256 * 1024;

/** Records a response: its head once, then the pieces of its body. */
export class ResponseRecorder {
  readonly bytes: Spool;
  readonly #block: Digester;
  readonly #payload: Digester;
  readonly #thread: HashingThread | undefined;
  /** undefined while what has come is kept by the two, and when they hash it themselves */
  #elsewhere: ThreadDigests | undefined;
  /** finished, and to be told its digest */
  #undigested: Recorded | undefined;
  #isKept = true;
  #headSize = 0;
  #announced = 0;
  #payloadSize = 0;

  /**
   * @param holder told when there is no room for more of it
   * @param place where it goes when it is large
   */
  constructor(options: RecordingOptions, holder?: SpoolHolder, place?: TakePlace) {
    this.bytes = new Spool(options.spool, holder, place);
    this.#block = new Digester(options.digest, Infinity);
    this.#payload = new Digester(options.digest, Infinity);
    this.#thread = options.hashing;
  }

  /** Why its digests will never be known. */
  get hashingError(): Error | undefined {
    return this.#elsewhere?.error;
  }

  /** @param announced bytes of the whole response, where its head says so */
  head(bytes: Buffer, announced = 0): void {
    this.#headSize = bytes.length;
    this.#announced = announced;
    this.#block.update(bytes);
    this.bytes.append(bytes);
  }

  /**
   * @param piece as it came
   * @param payload the slices of it that are not transfer-coding
   * @returns false when the disk is behind, as `Spool.append`, or the thread that hashes
   */
  body(piece: Buffer, payload: readonly Buffer[]): boolean {
    for (const slice of payload) this.#payloadSize += slice.length;
    const hashed = this.#hash(piece, payload);
    const kept = this.bytes.append(piece);
    if (this.#isKept && (this.bytes.memory === undefined || this.bytes.size > HASHED_LATER_BYTES)) this.#keepNothing();
    return kept && hashed;
  }

  /** Call back once, when neither is behind any more. */
  onDrain(callback: () => void): void {
    const elsewhere = this.#elsewhere;
    this.bytes.onDrain(elsewhere === undefined ? callback : () => elsewhere.onDrain(callback));
  }

  /** The digests of a large one may not be known yet: see `onDigested`. */
  finish(facts: HeadFacts, truncated: Truncation | undefined, trailers?: readonly Pick<Field, 'name' | 'value'>[]): RecordedResponse {
    this.bytes.finish();
    const recorded = new Recorded(facts, this.bytes, this.#block, this.#headSize, this.#payloadSize, truncated, trailers);
    if (this.#elsewhere === undefined) recorded.payloadDigest = this.#payload.finish();
    else this.#undigested = recorded;
    return recorded;
  }

  /** After `finish`: some digest is not known yet, and `onDigested` is to be called. */
  get undigested(): boolean {
    return this.#undigested !== undefined;
  }

  /** Call back once, later, when both digests are known, or there is a `hashingError`. */
  onDigested(callback: () => void): void {
    this.#elsewhere?.finish(() => {
      if (this.hashingError === undefined && this.#undigested !== undefined) this.#undigested.payloadDigest = this.#payload.finish();
      callback();
    });
  }

  /** Let go of everything, instead of `finish`. */
  release(): void {
    this.bytes.release();
    this.#elsewhere?.drop();
  }

  #hash(piece: Buffer, payload: readonly Buffer[]): boolean {
    if (this.#elsewhere !== undefined) return this.#elsewhere.update(piece, payload);
    for (const slice of payload) this.#payload.update(slice);
    this.#block.update(piece);
    return true;
  }

  #keepNothing(): void {
    this.#isKept = false;
    if (this.#thread !== undefined && Math.max(this.bytes.size, this.#announced) >= MIN_ELSEWHERE_BYTES)
      this.#elsewhere = ThreadDigests.takeOver(this.#thread, this.#block, this.#payload);
    if (this.#elsewhere !== undefined) return;
    this.#block.keepNothing();
    this.#payload.keepNothing();
  }
}

class Recorded implements RecordedResponse {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly location: string | undefined;
  readonly truncated: Truncation | undefined;
  readonly trailers: RecordedResponse['trailers'];
  readonly bytes: Spool;
  readonly headSize: number;
  readonly payloadSize: number;
  /** said as soon as it is known, which is before anybody else sees this */
  payloadDigest = '';
  readonly #block: Digester;

  constructor(
    { status, contentType, location }: HeadFacts,
    bytes: Spool,
    block: Digester,
    headSize: number,
    payloadSize: number,
    truncated: Truncation | undefined,
    trailers: RecordedResponse['trailers'],
  ) {
    this.status = status;
    this.contentType = contentType;
    this.location = location;
    this.truncated = truncated;
    this.trailers = trailers;
    this.bytes = bytes;
    this.headSize = headSize;
    this.payloadSize = payloadSize;
    this.#block = block;
  }

  get digest(): string {
    return this.#block.finish();
  }
}

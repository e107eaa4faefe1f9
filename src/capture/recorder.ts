/**
 * Keeps a message while it passes: all its bytes in a spool, block and payload digests in the same pass.
 *
 * Never copies a byte and never holds anything back: the caller sends on what it hands in.
 */
import type { Field } from '../http/fields.ts';
import { Digester, type DigestFormat } from '../util/digest.ts';
import type { SpoolPlace, TakePlace } from '../util/spool-place.ts';
import { Spool, type SpoolHolder, type SpoolOptions } from '../util/spool.ts';
import type { RecordedBlock, RecordedResponse, Truncation } from './capture.ts';

export interface RecordingOptions {
  readonly digest: DigestFormat;
  readonly spool: SpoolOptions;
  /** for large responses, where there is any: a place in a WARC file of a prefix */
  readonly places?: ((prefix: string, url: string) => Promise<SpoolPlace | undefined>) | undefined;
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

/** A block that is not written, as it turns out to be a duplicate, need not be hashed: so much waits in memory until that is known. */
const HASHED_LATER_BYTES = 64 * 1024;

/** Records a response: its head once, then the pieces of its body. */
export class ResponseRecorder {
  readonly bytes: Spool;
  readonly #block: Digester;
  readonly #payload: Digester;
  #headSize = 0;
  #payloadSize = 0;

  /**
   * @param holder told when there is no room for more of it
   * @param place where it goes when it is large
   */
  constructor(options: RecordingOptions, holder?: SpoolHolder, place?: TakePlace) {
    this.bytes = new Spool(options.spool, holder, place);
    this.#block = new Digester(options.digest, HASHED_LATER_BYTES);
    this.#payload = new Digester(options.digest);
  }

  head(bytes: Buffer): void {
    this.#headSize = bytes.length;
    this.#write(bytes);
  }

  /**
   * @param piece as it came
   * @param payload the slices of it that are not transfer-coding
   * @returns false when the disk is behind, as `Spool.append`
   */
  body(piece: Buffer, payload: readonly Buffer[]): boolean {
    for (const slice of payload) {
      this.#payload.update(slice);
      this.#payloadSize += slice.length;
    }
    return this.#write(piece);
  }

  finish(facts: HeadFacts, truncated: Truncation | undefined, trailers?: readonly Pick<Field, 'name' | 'value'>[]): RecordedResponse {
    this.bytes.finish();
    const payload = { size: this.#payloadSize, digest: this.#payload.finish() };
    return new Recorded(facts, this.bytes, this.#block, this.#headSize, payload, truncated, trailers);
  }

  #write(piece: Buffer): boolean {
    this.#block.update(piece);
    const ready = this.bytes.append(piece);
    if (this.bytes.memory === undefined) this.#block.keepNothing();
    return ready;
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
  readonly payloadDigest: string;
  readonly #block: Digester;

  constructor(
    { status, contentType, location }: HeadFacts,
    bytes: Spool,
    block: Digester,
    headSize: number,
    payload: { readonly size: number; readonly digest: string },
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
    this.payloadSize = payload.size;
    this.payloadDigest = payload.digest;
    this.#block = block;
  }

  get digest(): string {
    return this.#block.finish();
  }
}

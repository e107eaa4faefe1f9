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

  /**
   * @param holder told when there is no room for more of it
   * @param place where it goes when it is large
   */
  constructor(options: RecordingOptions, holder?: SpoolHolder, place?: TakePlace) {
    this.bytes = new Spool(options.spool, holder, place);
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

/** Records a response: its head once, then the pieces of its body. */
export class ResponseRecorder {
  readonly #block: BlockRecorder;
  readonly #payload: Digester;
  #headSize = 0;
  #payloadSize = 0;

  /** @param holder and place, as above */
  constructor(options: RecordingOptions, holder?: SpoolHolder, place?: TakePlace) {
    this.#block = new BlockRecorder(options, holder, place);
    this.#payload = new Digester(options.digest);
  }

  get bytes(): Spool {
    return this.#block.bytes;
  }

  head(bytes: Buffer): void {
    this.#headSize = bytes.length;
    this.#block.write(bytes);
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
    return this.#block.write(piece);
  }

  finish(
    { status, contentType, location }: HeadFacts,
    truncated: Truncation | undefined,
    trailers?: readonly Pick<Field, 'name' | 'value'>[],
  ): RecordedResponse {
    const { bytes, digest } = this.#block.finish();
    return {
      status,
      contentType,
      location,
      truncated,
      trailers,
      bytes,
      digest,
      headSize: this.#headSize,
      payloadSize: this.#payloadSize,
      payloadDigest: this.#payload.finish(),
    };
  }
}

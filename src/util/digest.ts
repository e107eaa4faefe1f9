/**
 * Labelled digests as WARC writes them: `sha1:` and the hash in lower-case hex or Base32.
 *
 * Source: ISO 28500:2017 §5.8 (WARC-Block-Digest), RFC 4648 §6 (Base32).
 */
import { createHash, hash, type Hash } from 'node:crypto';
import { base32 } from '@scure/base';

export interface DigestFormat {
  /** a name of `crypto.getHashes()` */
  readonly algorithm: string;
  /** Base32 in upper case instead of hex */
  readonly base32: boolean;
}

/** Up to this many bytes are kept and hashed in one call: creating a hash object costs more than copying so little. */
const ONE_SHOT_BYTES = 32 * 1024;
/** Where pieces are joined to be hashed. */
const scratch = Buffer.allocUnsafeSlow(ONE_SHOT_BYTES);

/** Never changed. */
const NO_PIECES: Buffer[] = [];

/** Digest of bytes that come in pieces. The pieces must not change before `finish()`. */
export class Digester {
  readonly #format: DigestFormat;
  #pieces: Buffer[] = NO_PIECES;
  #kept = 0;
  #hash: Hash | undefined;

  constructor(format: DigestFormat) {
    this.#format = format;
  }

  update(piece: Buffer): void {
    if (this.#hash !== undefined) {
      this.#hash.update(piece);
      return;
    }
    if (this.#pieces.length === 0) this.#pieces = [piece];
    else this.#pieces.push(piece);
    this.#kept += piece.length;
    if (this.#kept > ONE_SHOT_BYTES) {
      this.#hash = createHash(this.#format.algorithm);
      for (const kept of this.#pieces) this.#hash.update(kept);
      this.#pieces = NO_PIECES;
    }
  }

  /** The labelled digest. To be called once. */
  finish(): string {
    const { algorithm } = this.#format;
    if (this.#format.base32) {
      const bytes = this.#hash === undefined ? hash(algorithm, this.#joined(), 'buffer') : this.#hash.digest();
      return `${algorithm}:${base32.encode(bytes)}`;
    }
    const hex = this.#hash === undefined ? hash(algorithm, this.#joined(), 'hex') : this.#hash.digest('hex');
    return `${algorithm}:${hex}`;
  }

  #joined(): Buffer {
    const [only] = this.#pieces;
    if (this.#pieces.length === 1 && only !== undefined) return only;
    let size = 0;
    for (const piece of this.#pieces) size += piece.copy(scratch, size);
    return scratch.subarray(0, size);
  }
}

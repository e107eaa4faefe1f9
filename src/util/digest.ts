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
/** And so many pieces: each takes some hundred bytes besides, and an answer may drip byte by byte. */
const MAX_PIECES = 128;
/** Where pieces are joined to be hashed. */
const scratch = Buffer.allocUnsafeSlow(ONE_SHOT_BYTES);

/** Never changed. */
const NO_PIECES: Buffer[] = [];
const NOTHING = Buffer.alloc(0);

/** Digest of bytes that come in pieces. The pieces must not change before `finish()`. */
export class Digester {
  readonly #format: DigestFormat;
  readonly #maxKept: number;
  #first: Buffer | undefined;
  /** after the first */
  #more: Buffer[] = NO_PIECES;
  #kept = 0;
  #hash: Hash | undefined;
  #digest: string | undefined;
  #handedOver = false;

  /** @param maxKept bytes that are kept until the digest is asked for; what is more is hashed as it comes */
  constructor(format: DigestFormat, maxKept = ONE_SHOT_BYTES) {
    this.#format = format;
    this.#maxKept = maxKept;
  }

  update(piece: Buffer): void {
    if (this.#hash !== undefined) {
      this.#hash.update(piece);
      return;
    }
    // Most have one or two, for which an array that grows has room for seventeen.
    if (this.#first === undefined) this.#first = piece;
    else if (this.#more.length === 0) this.#more = [piece];
    else this.#more.push(piece);
    this.#kept += piece.length;
    if (this.#kept > this.#maxKept || this.#more.length >= MAX_PIECES) this.#begin();
  }

  /** Keep nothing of what has come, nor of what will. */
  keepNothing(): void {
    if (this.#hash === undefined) this.#begin();
  }

  /** What has come, if all of it is kept. */
  get kept(): readonly Buffer[] | undefined {
    if (this.#hash !== undefined) return undefined;
    return this.#first === undefined ? NO_PIECES : [this.#first, ...this.#more];
  }

  /** Somebody else hashes what was kept, and all that comes: nothing is known of it before `known`. */
  handOver(): void {
    this.#handedOver = true;
    this.#forget();
  }

  /** What somebody else has found. */
  known(digest: Uint8Array): void {
    const { algorithm, base32: asBase32 } = this.#format;
    const value = asBase32 ? base32.encode(digest) : Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex');
    this.#digest = `${algorithm}:${value}`;
  }

  /** The labelled digest. Nothing comes after it was asked for. @throws Error while it is with somebody else */
  finish(): string {
    return (this.#digest ??= this.#made());
  }

  #made(): string {
    if (this.#handedOver) throw new Error('a digest was asked for before it was known');
    const { algorithm } = this.#format;
    const begun = this.#hash ?? (this.#kept > ONE_SHOT_BYTES ? this.#begin() : undefined);
    let value: string;
    if (this.#format.base32) value = base32.encode(begun === undefined ? hash(algorithm, this.#joined(), 'buffer') : begun.digest());
    else value = begun === undefined ? hash(algorithm, this.#joined(), 'hex') : begun.digest('hex');
    this.#forget();
    return `${algorithm}:${value}`;
  }

  #begin(): Hash {
    const begun = createHash(this.#format.algorithm);
    if (this.#first !== undefined) begun.update(this.#first);
    for (const kept of this.#more) begun.update(kept);
    this.#forget();
    this.#hash = begun;
    return begun;
  }

  #joined(): Buffer {
    const first = this.#first ?? NOTHING;
    if (this.#more.length === 0) return first;
    let size = first.copy(scratch);
    for (const piece of this.#more) size += piece.copy(scratch, size);
    return scratch.subarray(0, size);
  }

  #forget(): void {
    this.#first = undefined;
    this.#more = NO_PIECES;
  }
}

/**
 * What tells requests for one URL apart: the method, and what the body says.
 *
 * Holds at most 64 KiB of a body; a longer one is known by its digest.
 * Source: url/body-query.ts.
 */
import { createHash, type Hash } from 'node:crypto';
import { bodyQuery } from '../url/body-query.ts';

const MAX_QUERY_BYTES = 64 * 1024;

/** Whether requests of this method are told apart by the method alone: what follows the head of a GET has no meaning (RFC 9110 §9.3.1). */
export function hasNoBody(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

export class RequestKey {
  readonly #method: string;
  readonly #contentType: string | undefined;
  readonly #hash: Hash = createHash('sha256');
  #held: Buffer[] = [];
  #size = 0;

  constructor(method: string, contentType: string | undefined) {
    this.#method = method;
    this.#contentType = contentType;
  }

  /** A piece of the body without transfer-coding. */
  update(piece: Buffer): void {
    this.#size += piece.length;
    this.#hash.update(piece);
    if (this.#size <= MAX_QUERY_BYTES) this.#held.push(piece);
    else this.#held = [];
  }

  /** `POST`, or `POST DIGEST` with a body: no spaces but that one. */
  finish(): string {
    if (this.#size === 0) return this.#method;
    const query =
      this.#size <= MAX_QUERY_BYTES
        ? bodyQuery(this.#method, this.#contentType, Buffer.concat(this.#held))
        : `__wb_method=${this.#method}&__wb_post_data=sha256:${this.#hash.digest('hex')}`;
    return `${this.#method} ${createHash('sha256').update(query).digest('base64url')}`;
  }
}

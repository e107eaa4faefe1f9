/**
 * Digests of a record's block and payload, checked while the block passes.
 *
 * The payload of an HTTP message is its body without transfer-coding; of any other record it is the block. Some tools hash the body with
 * its chunks, or take the chunks away and leave the header: that is told apart from a wrong digest.
 * Source: ISO 28500:2017 §5.8, §5.9, §6.3.2; RFC 9112 §6.
 */
import { createHash, getHashes, type Hash } from 'node:crypto';
import { base32 } from '@scure/base';
import type { Framing, ResponseHead } from '../../http/message.ts';
import { bodyReader, type BodyReader } from '../../http1/body.ts';
import { MessageError } from '../../http/errors.ts';
import { requestFraming, responseFraming } from '../../http1/framing.ts';
import { HeadReader, parseRequestHead, parseResponseHead } from '../../http1/head.ts';

/** `unknown`: of an algorithm that this machine does not have. */
export type DigestVerdict = 'right' | 'wrong' | 'unknown';

/** More than SHA-512 takes in hexadecimal. */
const MAX_DIGEST_CHARS = 256;

/** A digest as it stands in a field, `sha1:…`, and the bytes it is about. */
export class DigestCheck {
  readonly #hash: Hash | undefined;
  readonly #expected: string;

  constructor(field: string) {
    const colon = field.indexOf(':');
    const algorithm = field.slice(0, Math.max(colon, 0)).toLowerCase().replace(/^sha-/, 'sha');
    this.#expected = field.slice(colon + 1).trim();
    this.#hash = getHashes().includes(algorithm) ? createHash(algorithm) : undefined;
  }

  update(piece: Uint8Array): void {
    this.#hash?.update(piece);
  }

  verdict(): DigestVerdict {
    if (this.#hash === undefined) return 'unknown';
    const bytes = this.#hash.digest();
    // No digest is longer; the regex would cost the square of what is.
    const expected = this.#expected.slice(0, MAX_DIGEST_CHARS).replace(/=+$/, '');
    const base64 = bytes.toString('base64').replace(/=+$/, '');
    const isRight =
      expected.toLowerCase() === bytes.toString('hex') ||
      expected.toUpperCase() === base32.encode(bytes).replace(/=+$/, '') ||
      expected === base64 ||
      expected === base64.replaceAll('+', '-').replaceAll('/', '_');
    return isRight ? 'right' : 'wrong';
  }
}

/** Payload digest of an HTTP message that comes in pieces. */
export class HttpPayloadCheck {
  readonly #isRequest: boolean;
  readonly #heads = new HeadReader();
  /** of the body as it stands in the block */
  readonly #raw: DigestCheck;
  readonly #decoded: DigestCheck;
  #chunks: BodyReader | undefined;
  #state: 'head' | 'body' | 'not HTTP' = 'head';

  constructor(field: string, isRequest: boolean) {
    this.#raw = new DigestCheck(field);
    this.#decoded = new DigestCheck(field);
    this.#isRequest = isRequest;
  }

  update(piece: Buffer): void {
    let rest = piece;
    while (this.#state === 'head') {
      try {
        const found = this.#heads.push(rest);
        if (found === undefined) return;
        rest = found.rest;
        this.#readHead(found.head);
      } catch (error) {
        if (!(error instanceof MessageError)) throw error;
        this.#state = 'not HTTP';
      }
    }
    if (this.#state === 'body') this.#readBody(rest);
  }

  /** `coded`: right for the body with its transfer-coding; `unknown`, too, when there is no HTTP message in the block */
  verdict(): DigestVerdict | 'coded' {
    if (this.#state === 'not HTTP') return 'unknown';
    const raw = this.#raw.verdict();
    if (this.#chunks === undefined || raw === 'unknown') return raw;
    if (this.#decoded.verdict() === 'right') return 'right';
    // Chunks that never end are not chunks.
    return raw !== 'right' ? 'wrong' : this.#chunks.done ? 'coded' : 'right';
  }

  #readHead(bytes: Buffer): void {
    const framing = this.#isRequest ? requestFraming(parseRequestHead(bytes)) : framingOf(parseResponseHead(bytes));
    if (framing === undefined) return;
    this.#state = 'body';
    if (framing.kind === 'chunked') this.#chunks = bodyReader(framing, false);
  }

  #readBody(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#raw.update(bytes);
    if (this.#chunks === undefined || this.#chunks.done) return;
    const payload: Buffer[] = [];
    try {
      this.#chunks.read(bytes, 0, payload);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      // The header speaks of chunks, and there are none: what there is must be the payload.
      this.#chunks = undefined;
    }
    for (const slice of payload) this.#decoded.update(slice);
  }
}

/** @returns undefined for an interim answer, which is followed by another head */
function framingOf(head: ResponseHead): Framing | undefined {
  return head.status < 200 && head.status !== 101 ? undefined : responseFraming(head, 'GET');
}

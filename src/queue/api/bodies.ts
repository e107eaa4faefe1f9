/**
 * Bodies of requests: decoded, bounded, in time.
 *
 * What is longer than a megabyte is read and worked on one at a time, and the others wait without being read: so memory holds one large body,
 * however many come.
 * Source: RFC 9110 §8.4.1 (content codings), §15.5.14 (413), §15.5.16 (415).
 */
import { turns } from '../../util/turns.ts';
import { codeOf } from '../../util/thrown.ts';
import { bad, Refusal } from '../refusal.ts';
import type { Call } from './call.ts';

const MIB = 1024 * 1024;
export const MAX_BODY_BYTES = 64 * MIB;
/** Read whenever they come. */
const SMALL_BYTES = MIB;
const MAX_WAITING = 32;

export interface BodyTimes {
  /** for a body, or the first megabyte of it, to come */
  readonly smallMs: number;
  /** for the rest */
  readonly largeMs: number;
}

export type Pieces = AsyncIterable<Uint8Array>;

export class Bodies {
  readonly #large = turns();
  readonly #times: BodyTimes;

  constructor(times: BodyTimes) {
    this.#times = times;
  }

  /**
   * Work on a whole body.
   *
   * @throws Refusal 413, 415, 408, 400, and 503 when too many large ones wait
   */
  async with<T>({ headers, body }: Pick<Call, 'headers' | 'body'>, maxBytes: number, work: (text: string) => Promise<T>): Promise<T> {
    refuseTooLong(Number(headers.get('content-length') ?? 0), maxBytes);
    const reader = decoded(headers, body)?.getReader();
    const kept: Uint8Array[] = [];
    try {
      if (await this.#read(reader, kept, Math.min(SMALL_BYTES, maxBytes), maxBytes, this.#times.smallMs)) return await work(textOf(kept));
      if (this.#large.waiting >= MAX_WAITING) throw new Refusal(503, 'too many large bodies wait, try again', { 'Retry-After': '5' });
      return await this.#large.run(async () => {
        await this.#read(reader, kept, Infinity, maxBytes, this.#times.largeMs);
        return await work(textOf(kept));
      });
    } finally {
      void reader?.cancel().catch(() => undefined);
    }
  }

  /** Lines as they come, without their ends; empty ones are passed over. @throws Refusal 415, 400 */
  async *lines({ headers, body }: Pick<Call, 'headers' | 'body'>, maxChars: number): AsyncGenerator<string, void> {
    const stream = decoded(headers, body);
    if (stream === undefined) return;
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const take = (piece?: Uint8Array) => told(() => (piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true })));
    let rest = '';
    for await (const piece of piecesOf(stream)) {
      rest += take(piece);
      const lines = rest.split(/\r?\n/);
      rest = lines.pop() ?? '';
      if (rest.length > maxChars) throw bad(`a line must not be longer than ${maxChars} characters (an array is sent as application/json)`);
      for (const line of lines) if (line !== '') yield line;
    }
    rest += take();
    if (rest !== '') yield rest;
  }

  /** @returns whether it came to its end; false when there is more than `enough` */
  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
    kept: Uint8Array[],
    enough: number,
    maxBytes: number,
    ms: number,
  ): Promise<boolean> {
    if (reader === undefined) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Refusal(408, `the body did not come within ${ms / 1000} seconds`)), ms);
    });
    let size = kept.reduce((sum, { length }) => sum + length, 0);
    try {
      while (size <= enough) {
        const { done, value } = await Promise.race([reader.read(), late]);
        if (done) return true;
        kept.push(value);
        size += value.length;
        refuseTooLong(size, maxBytes);
      }
      return false;
    } catch (error) {
      throw readable(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* stream;
  } catch (error) {
    throw readable(error);
  }
}

/** What cannot be unpacked is the caller's fault. */
function readable(error: unknown): unknown {
  const isUnpacking = error instanceof TypeError || /^(Z_|ERR_TRAILING_JUNK)/.test(codeOf(error) ?? '');
  return isUnpacking ? bad('the body is not gzip, as its Content-Encoding says') : error;
}

function refuseTooLong(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new Refusal(413, `the body must not be longer than ${maxBytes} bytes, after decompression`);
}

function decoded(headers: Headers, body: ReadableStream<Uint8Array> | null): ReadableStream<Uint8Array> | undefined {
  const coding = (headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (coding === 'identity' || coding === '') return body ?? undefined;
  if (coding !== 'gzip' && coding !== 'x-gzip')
    throw new Refusal(415, 'Content-Encoding must be gzip or none', { 'Accept-Encoding': 'gzip' });
  return body?.pipeThrough<Uint8Array>(new DecompressionStream('gzip'));
}

function textOf(pieces: readonly Uint8Array[]): string {
  return told(() => new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
}

function told(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw bad('the body must be UTF-8');
  }
}

/** @throws Refusal */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw bad('the body must be JSON');
  }
}

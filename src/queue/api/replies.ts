/**
 * From a reply to a Response: validators, compression, and what every answer has.
 *
 * Source: RFC 9110 §8.8.3 (ETag), §13.1.2 (If-None-Match), §12.5.3 (Accept-Encoding).
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Reply } from './call.ts';

const compress = promisify(gzip);

/** What all answers say that they are from. */
export const SERVER = 'heroshi-manager';
/** Below, compression is not worth it. */
const MIN_GZIP_BYTES = 400;
/** What is told in pieces is kept up to here; what is longer is told twice: once for its ETag. */
const MAX_KEPT_CHARS = 4 * 1024 * 1024;

export interface Asked {
  readonly path: string;
  /** GET and HEAD: they may be answered 304 */
  readonly safe: boolean;
  readonly headers: Headers;
}

export async function responseOf(reply: Reply, asked: Asked): Promise<Response> {
  try {
    return await made(reply, asked);
  } catch (error) {
    await reply.close?.();
    throw error;
  }
}

async function made(reply: Reply, asked: Asked): Promise<Response> {
  const { status = 200, text, json, events, headers = {} } = reply;
  const type = events !== undefined ? 'text/event-stream' : text === undefined ? 'application/json' : 'text/plain;charset=utf-8';
  const fields = new Headers({
    server: SERVER,
    'content-type': type,
    'cache-control': 'no-store',
    vary: 'Accept-Encoding, X-Heroshi-Auth',
    ...headers,
  });
  // They have no end that could be waited for, and shall not wait to be packed.
  if (events !== undefined) return new Response(events, { status, headers: fields });
  const told = reply.pieces === undefined ? (text ?? JSON.stringify(json ?? null)) : await kept(reply.pieces(), asked.path);
  const body = typeof told === 'string' ? told : told.text;
  if (status >= 200 && status <= 299) {
    const tag = `"${typeof told === 'string' ? digest(asked.path, told) : told.digest}"`;
    fields.set('etag', tag);
    if (asked.safe && has(asked.headers.get('if-none-match'), tag)) {
      await reply.close?.();
      fields.delete('content-type');
      return new Response(null, { status: 304, headers: fields });
    }
  }
  const zip = takesGzip(asked.headers.get('accept-encoding'));
  if (body === undefined && reply.pieces !== undefined) {
    if (zip) fields.set('content-encoding', 'gzip');
    return new Response(streamOf(reply.pieces(), zip, reply.close), { status, headers: fields });
  }
  await reply.close?.();
  let bytes: Buffer = Buffer.from(body ?? '');
  if (zip && bytes.length > MIN_GZIP_BYTES) {
    bytes = await compress(bytes);
    fields.set('content-encoding', 'gzip');
  }
  fields.set('content-length', String(bytes.length));
  return new Response(new Uint8Array(bytes), { status, headers: fields });
}

/** The whole, unless it is too long. */
async function kept(pieces: AsyncIterable<string>, path: string): Promise<{ readonly text: string | undefined; readonly digest: string }> {
  const hash = createHash('sha256').update(path);
  let text: string | undefined = '';
  for await (const piece of pieces) {
    hash.update(piece);
    if (text !== undefined) text = text.length + piece.length > MAX_KEPT_CHARS ? undefined : text + piece;
  }
  return { text, digest: hash.digest('base64') };
}

function digest(path: string, body: string): string {
  return createHash('sha256').update(path).update(body).digest('base64');
}

function streamOf(pieces: AsyncIterable<string>, zip: boolean, close: Reply['close']): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  const bytes = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next();
          if (next.done !== true) return controller.enqueue(Buffer.from(next.value));
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        await close?.();
      },
      async cancel() {
        await iterator.return?.();
        await close?.();
      },
    },
    { highWaterMark: 0 },
  );
  return zip ? bytes.pipeThrough<Uint8Array>(new CompressionStream('gzip')) : bytes;
}

function has(condition: string | null, tag: string): boolean {
  if (condition === null) return false;
  return condition.trim() === '*' || condition.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}

function takesGzip(accepted: string | null): boolean {
  return (accepted ?? '').split(',').some((each) => {
    const [name = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
    return (name === 'gzip' || name === 'x-gzip' || name === '*') && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

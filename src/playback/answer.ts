/**
 * Answers out of the WARC files: the latest capture of exactly the URL that is asked for.
 *
 * ```
 * index ─ place ─► record ─┬─ response: its head and bytes, framed as they were
 *                          ├─ revisit ─ original by id, or by URL, date and digest ─► its own head, the original's payload framed anew
 *                          └─ anything else: 200, the block as it is
 *    └─ nothing there, or not any more: 404
 * ```
 *
 * Knows nothing of sockets. Never waits for a whole body.
 * Source: spec/warcprox.md §10; RFC 9110 §7.6.1 (fields of one connection), RFC 9112 §6.3, §7.1.
 */
import { STATUS_CODES } from 'node:http';
import type { Framing, ResponseHead } from '../http/message.ts';
import { fieldLine, forwardedLines } from '../http1/serialize.ts';
import type { PlaybackIndex, PlaybackPlace } from '../store/playback.ts';
import type { Log } from '../util/log.ts';
import type { ReadRecord } from '../warc/read/reader.ts';
import { IncompleteError, payloadOf, readBlock, wireBytesOf, type ArchivedMessage } from './message.ts';
import { openRecord, type OpenRecord } from './record.ts';

export interface PlaybackRequest {
  readonly method: string;
  readonly url: string;
  /** HTTP minor version of the client, which cannot read chunks with 0 */
  readonly minor: 0 | 1;
}

export interface PlaybackAnswer {
  /** status line and fields, each with its CRLF, Latin-1; without Connection and without the empty line */
  readonly lines: string;
  /** the connection has to end after the body */
  readonly close: boolean;
  /**
   * framed as `lines` say; can be read once
   *
   * @throws IncompleteError when no more is archived: the client should see that something is missing
   */
  readonly body: AsyncIterable<Buffer>;
  /** Let go of the files, whether the body was read or not. */
  release(): Promise<void>;
}

/** @throws WarcReadError, or the index's error, when the archive cannot be read */
export type Playback = (request: PlaybackRequest) => Promise<PlaybackAnswer>;

export interface PlaybackOptions {
  readonly index: Pick<PlaybackIndex, 'latest' | 'byId' | 'byDate'>;
  /** of the WARC files */
  readonly dir: string;
  readonly log: Log;
}

const NOT_IN_ARCHIVE = '404 Not in Archive\n';

/** What is to be sent, before the files are bound to it. */
type Content = Omit<PlaybackAnswer, 'release'>;

export function playback({ index, dir, log }: PlaybackOptions): Playback {
  const openAt = async (place: PlaybackPlace, url: string): Promise<OpenRecord | undefined> => {
    const opened = await openRecord(dir, place);
    if (typeof opened !== 'string') return opened;
    log.warn({ url, file: place.file, offset: place.offset, record: place.recordId }, `archived record not found: ${opened}`);
    return undefined;
  };

  /** The record that a revisit stands in for. */
  const originalOf = async (revisit: ReadRecord, url: string): Promise<OpenRecord | undefined> => {
    const id = revisit.header('WARC-Refers-To');
    const target = revisit.header('WARC-Refers-To-Target-URI');
    const date = revisit.header('WARC-Refers-To-Date');
    const digest = revisit.header('WARC-Payload-Digest') ?? '';
    let place = id === undefined ? undefined : await index.byId(id);
    if (place === undefined && target !== undefined && date !== undefined) place = await index.byDate(target, date, digest);
    if (place !== undefined) return openAt(place, url);
    log.warn({ url, refersTo: id ?? target ?? '' }, 'the original of an archived revisit is not in the index');
    return undefined;
  };

  return async (request) => {
    const { url, method } = request;
    const opened: OpenRecord[] = [];
    const release = async () => {
      for (const record of opened) await record.close();
    };
    const open = (record: OpenRecord | undefined): ReadRecord | undefined => {
      if (record !== undefined) opened.push(record);
      return record?.record;
    };
    const contentOf = async (): Promise<Content> => {
      const place = await index.latest(url, method);
      const record = place && open(await openAt(place, url));
      if (record === undefined) return notInArchive(method);
      const block = await readBlock(record);
      if (block.kind === 'bytes') return bytesContent(record, block.bytes, method);
      if (record.type === 'response') return responseContent(block, request);
      const original = open(await originalOf(record, url));
      const message = original && (await readBlock(original));
      return message?.kind === 'http' ? revisitContent(block, message, request) : notInArchive(method);
    };
    try {
      return { ...(await contentOf()), release };
    } catch (error) {
      await release();
      throw error;
    }
  };
}

function responseContent(message: ArchivedMessage, { method, minor }: PlaybackRequest): Content {
  const { head, framing, bodySize, truncated } = message;
  if (method === 'HEAD') return { lines: headLines(head, framing), close: false, body: nothing() };
  const unchunk = framing.kind === 'chunked' && minor === 0;
  const short = framing.kind === 'length' && bodySize < framing.length;
  return {
    lines: headLines(head, framing, unchunk ? 'payload' : 'wire'),
    close: framing.kind === 'close' || unchunk || truncated || short,
    body: unchunk ? payloadOf(message) : wireBytesOf(message),
  };
}

function revisitContent({ head, framing }: ArchivedMessage, original: ArchivedMessage, { method, minor }: PlaybackRequest): Content {
  if (method === 'HEAD' || framing.kind === 'none') return { lines: headLines(head, framing), close: false, body: nothing() };
  const payload = payloadOf(original);
  const unchunk = framing.kind === 'chunked' && minor === 0;
  const body =
    framing.kind === 'length' ? exactly(payload, framing.length) : framing.kind === 'chunked' && !unchunk ? chunked(payload) : payload;
  return {
    lines: headLines(head, framing, unchunk ? 'payload' : 'chunked anew'),
    close: framing.kind === 'close' || unchunk || original.truncated,
    body,
  };
}

function bytesContent(record: ReadRecord, bytes: AsyncIterable<Buffer>, method: string): Content {
  const contentType = record.header('Content-Type');
  const type = contentType === undefined ? '' : fieldLine('Content-Type', latin1(contentType));
  return { lines: statusLine(200) + type + length(record.contentLength), close: false, body: method === 'HEAD' ? nothing() : bytes };
}

function notInArchive(method: string): Content {
  return textContent(404, NOT_IN_ARCHIVE, method);
}

/** A plain text of ours. */
export function textContent(status: number, text: string, method: string): Content {
  const body = Buffer.from(text);
  const lines = statusLine(status) + fieldLine('Content-Type', 'text/plain;charset=utf-8') + length(body.length);
  return { lines, close: false, body: method === 'HEAD' ? nothing() : only(body) };
}

/**
 * The archived head for another connection, as the proxy itself would have passed it on, but for Via.
 *
 * @param sent the body goes out as it was, with new chunks (without the old trailers), or without chunks
 */
function headLines({ status, reason, fields }: ResponseHead, framing: Framing, sent: 'wire' | 'chunked anew' | 'payload' = 'wire'): string {
  const firstLength = fields.list.find(({ key }) => key === 'content-length');
  const lines = forwardedLines(fields, (field) => {
    switch (field.key) {
      case 'strict-transport-security':
        return '';
      // Only one statement on where the body ends is passed on, the one that we go by (RFC 9112 §6.3).
      case 'content-length':
        if (framing.kind === 'none') return undefined;
        return framing.kind === 'length' && field === firstLength ? fieldLine(field.name, String(framing.length)) : '';
      case 'transfer-encoding':
        return framing.kind === 'length' || sent === 'payload' ? '' : undefined;
      case 'trailer':
        return sent === 'wire' ? undefined : '';
      default:
        return undefined;
    }
  });
  return `HTTP/1.1 ${status} ${reason}\r\n${lines}`;
}

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
}

function length(bytes: number): string {
  return fieldLine('Content-Length', String(bytes));
}

/** What WARC headers hold is UTF-8; what heads hold is a character per byte. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

async function* exactly(payload: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer, void> {
  let left = bytes;
  for await (const piece of payload) {
    if (piece.length > left) throw new IncompleteError('the archived payload is longer than its revisit says');
    left -= piece.length;
    yield piece;
  }
  if (left > 0) throw new IncompleteError('the archived payload is shorter than its revisit says');
}

async function* chunked(payload: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  for await (const piece of payload) {
    if (piece.length > 0) yield Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, CRLF]);
  }
  yield LAST_CHUNK;
}

const CRLF = Buffer.from('\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

// eslint-disable-next-line @typescript-eslint/require-await -- one interface for memory and files
async function* only(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

async function* nothing(): AsyncGenerator<Buffer, void> {}

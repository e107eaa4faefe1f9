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
import { fieldOf, Fields } from '../http/fields.ts';
import type { BodyPiece, Framing, ResponseHead } from '../http/message.ts';
import { chunkOf, LAST_CHUNK } from '../http1/chunked.ts';
import type { PlaybackIndex, PlaybackPlace } from '../store/playback.ts';
import type { Log } from '../util/log.ts';
import type { ReadRecord } from '../warc/read/reader.ts';
import { IncompleteError, payloadOf, readBlock, wirePiecesOf, type ArchivedMessage } from './message.ts';
import { openRecord, type OpenRecord } from './record.ts';

export interface PlaybackRequest {
  readonly method: string;
  readonly url: string;
  /** HTTP minor version of the client, which cannot read chunks with 0 */
  readonly minor: 0 | 1;
}

export interface PlaybackAnswer {
  readonly head: ResponseHead;
  readonly framing: Framing;
  /** nothing may follow on the connection: less is archived than the head says */
  readonly last: boolean;
  /**
   * framed as `framing` says; can be read once
   *
   * @throws IncompleteError when no more is archived: the client should see that something is missing
   */
  readonly body: AsyncIterable<BodyPiece>;
  /** Let go of the files, whether the body was read or not. */
  release(): Promise<void>;
}

/** @returns undefined for what is not in the archive; @throws WarcReadError, or the index's error, when the archive cannot be read */
export type Playback = (request: PlaybackRequest) => Promise<PlaybackAnswer | undefined>;

export interface PlaybackOptions {
  readonly index: Pick<PlaybackIndex, 'latest' | 'byId' | 'byDate'>;
  /** of the WARC files */
  readonly dir: string;
  readonly log: Log;
}

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
    const contentOf = async (): Promise<Content | undefined> => {
      const place = await index.latest(url, method);
      const record = place && open(await openAt(place, url));
      if (record === undefined) return undefined;
      const block = await readBlock(record);
      if (block.kind === 'bytes') return bytesContent(record, block.bytes, method);
      if (record.type === 'response') return responseContent(block, request);
      const original = open(await originalOf(record, url));
      const message = original && (await readBlock(original));
      return message?.kind === 'http' ? revisitContent(block, message, request) : undefined;
    };
    try {
      const content = await contentOf();
      if (content !== undefined) return { ...content, release };
      await release();
      return undefined;
    } catch (error) {
      await release();
      throw error;
    }
  };
}

function responseContent(message: ArchivedMessage, { method, minor }: PlaybackRequest): Content {
  const { head, framing, bodySize, truncated } = message;
  if (method === 'HEAD') return headOnly(head, framing);
  const short = framing.kind === 'length' && bodySize < framing.length;
  // Without its chunks, as such a client gets it, a body has no chunks that could be misunderstood.
  return { head, framing, last: truncated || short, body: wirePiecesOf(message, minor === 1) };
}

function revisitContent({ head, framing }: ArchivedMessage, original: ArchivedMessage, { method }: PlaybackRequest): Content {
  if (method === 'HEAD' || framing.kind === 'none') return headOnly(head, framing);
  const payload = payloadOf(original);
  const last = original.truncated;
  if (framing.kind === 'length') return { head, framing, last, body: pieces(exactly(payload, framing.length)) };
  if (framing.kind === 'close') return { head, framing, last, body: pieces(payload) };
  // The old trailers are not there any more.
  const fields = new Fields(head.fields.list.filter(({ key }) => key !== 'trailer'));
  return { head: { ...head, fields }, framing, last, body: chunked(payload) };
}

/** The answer to HEAD says of its body what the answer to GET would go by. */
function headOnly(head: ResponseHead, framing: Framing): Content {
  const first = head.fields.list.find(({ key }) => key === 'content-length');
  const list = head.fields.list.flatMap((field) => {
    if (framing.kind === 'none') return [field];
    if (field.key === 'transfer-encoding') return framing.kind === 'length' ? [] : [field];
    if (field.key !== 'content-length') return [field];
    return framing.kind === 'length' && field === first ? [fieldOf(field.name, String(framing.length))] : [];
  });
  return { head: { ...head, fields: new Fields(list) }, framing: NO_BODY, last: false, body: nothing() };
}

function bytesContent(record: ReadRecord, bytes: AsyncIterable<Buffer>, method: string): Content {
  const contentType = record.header('Content-Type');
  const type = contentType === undefined ? [] : [fieldOf('Content-Type', latin1(contentType))];
  const fields = new Fields([...type, fieldOf('Content-Length', String(record.contentLength))]);
  const head: ResponseHead = { status: 200, reason: 'OK', minor: 1, fields };
  if (method === 'HEAD') return { head, framing: NO_BODY, last: false, body: nothing() };
  return { head, framing: { kind: 'length', length: record.contentLength }, last: false, body: pieces(bytes) };
}

const NO_BODY: Framing = { kind: 'none' };

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

async function* pieces(payload: AsyncIterable<Buffer>): AsyncGenerator<BodyPiece, void> {
  for await (const piece of payload) yield { bytes: piece, payload: [piece] };
}

async function* chunked(payload: AsyncIterable<Buffer>): AsyncGenerator<BodyPiece, void> {
  for await (const piece of payload) if (piece.length > 0) yield { bytes: chunkOf(piece), payload: [piece] };
  yield { bytes: LAST_CHUNK, payload: [] };
}

async function* nothing(): AsyncGenerator<BodyPiece, void> {}

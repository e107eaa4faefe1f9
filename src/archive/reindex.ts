/**
 * Entries of the deduplication and playback indexes made again from WARC files, as the chain made them.
 *
 * What does not stand in the files is not known: the buckets of deduplication (all goes into one), and which captures were not to be
 * originals. Entries that are there already stay.
 */
import { MessageError } from '../http/errors.ts';
import type { ResponseHead } from '../http/message.ts';
import { bodyReader } from '../http1/body.ts';
import { responseFraming } from '../http1/framing.ts';
import { HeadReader, parseRequestHead, parseResponseHead } from '../http1/head.ts';
import { answerOf, type DedupIndex, type Published } from '../store/dedup.ts';
import { CUSTOM, WEBSOCKET, type Lane } from '../store/lanes.ts';
import type { PlaybackEntry, PlaybackIndex } from '../store/playback.ts';
import { WarcReadError } from '../warc/errors.ts';
import { readWarc, type ReadRecord } from '../warc/read/reader.ts';
import { lanesOfExchange } from './lanes.ts';

export interface ReindexOptions {
  /** undefined: not that one */
  readonly dedup: Pick<DedupIndex, 'claim' | 'publish'> | undefined;
  readonly playback: Pick<PlaybackIndex, 'find' | 'save'> | undefined;
  /** what a payload is to be known by, of its digest: its key without a bucket */
  readonly keysOf: (digest: string) => readonly string[];
  /** where a record begins, to go on from there; by default the first */
  readonly start?: number;
}

/** What was added. */
export interface Reindexed {
  records: number;
  dedup: number;
  playback: number;
}

/** A principal record, without its request. */
interface Principal {
  readonly url: string;
  readonly date: string;
  readonly id: string;
  readonly type: string;
  readonly digest: string;
  readonly truncated: string | undefined;
  readonly offset: number;
  readonly length: number;
  /** of the HTTP response in it; undefined when it holds none */
  readonly head: ResponseHead | undefined;
  /** undefined where the payload is not in the record */
  readonly payloadSize: number | undefined;
  /** of one that is no exchange */
  readonly lanes: readonly Lane[];
}

/** Neither of a fetch nor of a client: what the proxy says of a file or a fetch. A record of a client has the digest of its payload. */
function isBeside(record: ReadRecord): boolean {
  if (record.type === 'metadata') return record.header('WARC-Payload-Digest') === undefined;
  return record.type === 'warcinfo' || record.type === 'request';
}

/**
 * @param path of the file, as records have it in the indexes
 * @param added counted on while it is read
 * @throws WarcReadError where the file is not whole; what stands before is in the indexes
 */
export async function reindex(file: string, path: string, options: ReindexOptions, added: Reindexed): Promise<void> {
  const { start = 0 } = options;
  let principal: Principal | undefined;
  try {
    for await (const record of readWarc(file, { start })) {
      added.records++;
      if (principal !== undefined && record.type === 'request' && principal.id === record.header('WARC-Concurrent-To'))
        await addExchange(principal, record, path, options, added);
      else if (principal !== undefined) await addAlone(principal, path, options, added);
      principal = undefined;
      if (!isBeside(record)) principal = await read(record);
    }
  } catch (error) {
    // Its request may be what is not whole.
    if (error instanceof WarcReadError && principal !== undefined) await addAlone(principal, path, options, added);
    throw error;
  }
  if (principal !== undefined) await addAlone(principal, path, options, added);
}

async function addExchange(
  principal: Principal,
  record: ReadRecord,
  path: string,
  options: ReindexOptions,
  added: Reindexed,
): Promise<void> {
  const { head, truncated } = principal;
  if (head === undefined) return;
  const read = await requestIn(record);
  if (read === undefined) return;
  const lanes = await lanesOfExchange({
    method: read.method,
    status: head.status,
    truncated: truncated !== undefined && principal.type === 'response',
    request: () => read.pieces,
    contentRange: () => head.fields.get('content-range'),
  });
  await addPlayback({ principal, path, method: read.method, lanes }, options, added);
  await addPayload(principal, path, options, added);
}

/** Without a request beside it. */
async function addAlone(principal: Principal, path: string, options: ReindexOptions, added: Reindexed): Promise<void> {
  await addPlayback({ principal, path, method: undefined, lanes: principal.lanes }, options, added);
  await addPayload(principal, path, options, added);
}

async function addPayload(principal: Principal, path: string, { dedup, keysOf }: ReindexOptions, added: Reindexed): Promise<void> {
  const { type, head, truncated, digest, payloadSize = 0 } = principal;
  if (dedup === undefined || type !== 'response' || head === undefined || payloadSize === 0 || digest === '') return;
  const { id: recordId, url, offset } = principal;
  const answer = answerOf({ status: head.status, location: head.fields.get('location') });
  const original = { recordId, url, date: new Date(principal.date).toISOString(), answer };
  const keys = keysOf(truncated === undefined ? digest : `${digest}/${truncated}`);
  const standings = await dedup.claim(keys.map((key) => ({ key, claims: true })));
  const won = keys.filter((_key, nth) => standings[nth] === 'won');
  if (won.length === 0) return;
  await dedup.publish(won.map((key): Published => ({ key, original, place: { file: path, offset } })));
  added.dedup++;
}

interface Addition extends Pick<PlaybackEntry, 'method' | 'lanes'> {
  readonly principal: Principal;
  readonly path: string;
}

async function addPlayback({ principal, path, method, lanes }: Addition, { playback }: ReindexOptions, added: Reindexed): Promise<void> {
  const { url, date, id, type, digest, offset, length, payloadSize } = principal;
  const startedAt = new Date(date);
  const [lane] = lanes;
  if (playback === undefined || url === '' || lane === undefined || Number.isNaN(startedAt.getTime())) return;
  const known = await playback.find(url, lane, 'last', { from: startedAt, to: startedAt });
  if (known?.recordId === id) return;
  const entry = { url, startedAt, method, lanes, file: path, offset, length, recordId: id, type, payloadDigest: digest, payloadSize };
  await playback.save([entry]);
  added.playback++;
}

async function read(record: ReadRecord): Promise<Principal> {
  const isHttp = /^application\/http\b/i.test(record.header('Content-Type') ?? '');
  const { head, size } = isHttp ? await responseIn(record) : { head: undefined, size: record.contentLength };
  return {
    url: record.header('WARC-Target-URI') ?? '',
    date: record.header('WARC-Date') ?? '',
    id: record.header('WARC-Record-ID') ?? '',
    type: record.type,
    digest: record.header('WARC-Payload-Digest') ?? '',
    truncated: record.header('WARC-Truncated'),
    offset: record.offset,
    length: await record.length(),
    head,
    payloadSize: record.type === 'revisit' ? undefined : size,
    lanes: record.header('WARC-Resource-Type') === 'websocket' && record.type === 'resource' ? [WEBSOCKET, CUSTOM] : [CUSTOM],
  };
}

async function responseIn(record: ReadRecord): Promise<{ readonly head: ResponseHead | undefined; readonly size: number }> {
  const heads = new HeadReader();
  let head: ResponseHead | undefined;
  let body: ReturnType<typeof bodyReader> | undefined;
  let size = 0;
  try {
    for await (const piece of record.content()) {
      let bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      if (body === undefined) {
        const found = heads.push(bytes);
        if (found === undefined) continue;
        head = parseResponseHead(found.head);
        body = bodyReader(responseFraming(head, 'GET'), false);
        bytes = found.rest;
      }
      const payload: Buffer[] = [];
      if (!body.done) body.read(bytes, 0, payload);
      for (const slice of payload) size += slice.length;
    }
  } catch (error) {
    // As far as it could be understood.
    if (!(error instanceof MessageError)) throw error;
  }
  return { head, size };
}

async function requestIn(record: ReadRecord): Promise<{ readonly method: string; readonly pieces: AsyncIterable<Buffer> } | undefined> {
  const content = record.content()[Symbol.asyncIterator]();
  const heads = new HeadReader();
  const first: Buffer[] = [];
  for (let next = await content.next(); next.done !== true; next = await content.next()) {
    const piece = Buffer.from(next.value);
    first.push(piece);
    try {
      const found = heads.push(piece);
      if (found === undefined) continue;
      return { method: parseRequestHead(found.head).method, pieces: after(first, content) };
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return undefined;
    }
  }
  return undefined;
}

async function* after(first: readonly Buffer[], content: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer, void> {
  yield* first;
  for (let next = await content.next(); next.done !== true; next = await content.next()) yield Buffer.from(next.value);
}

/**
 * What an index says of the records of a file: an entry for each that can be played back, in the order of the file.
 *
 * A request that stands next to its answer adds its method and its body to the key. Of bodies of requests 1 MiB is held, of answers nothing.
 * Source: CDXJ as pywb and its `cdxj-indexer` write it (urlkey, timestamp, JSON); the fields of `CDX N b a m s k r M S V g`.
 */
import { cdxKey } from '../../url/cdx-key.ts';
import { postedQuery, postedUrl } from '../../url/posted-query.ts';
import { asciiUri } from '../fields.ts';
import { Digester } from '../../util/digest.ts';
import { eachRecord, type Fault } from '../read/onward.ts';
import type { ReadRecord } from '../read/reader.ts';
import { isReadFault, withoutTransferCoding } from './body.ts';
import { glanceAt, mimeOf, type Glance, type SeenRecord } from './glance.ts';

export interface IndexEntry {
  readonly urlkey: string;
  /** 14 digits */
  readonly timestamp: string;
  readonly url: string;
  readonly mime: string | undefined;
  readonly status: string | undefined;
  /** labelled, as the record has it; of one that has none, `sha1:` in Base32 */
  readonly digest: string | undefined;
  readonly length: string;
  readonly offset: string;
  readonly filename: string;
  readonly requestBody?: string;
  /** other than GET */
  readonly method?: string;
  /** Location of a redirect */
  readonly redirect: string | undefined;
}

/** What a reader of the file may want to look at while it is read, besides the entries. */
export interface IndexOptions {
  /** as entries name the file */
  readonly filename: string;
  readonly onEntry: (entry: IndexEntry) => Promise<void> | void;
  readonly onFault: (fault: Fault) => void;
  /** sees each piece of an answer's payload as it passes; asked for each record that gets an entry */
  readonly watch?: (glance: Glance) => PayloadWatch | undefined;
  /** told how far the file is read */
  readonly onRecord?: (offset: number) => void;
}

export interface PayloadWatch {
  update(piece: Buffer): void;
  /** the record is whole, and has this entry */
  end(entry: IndexEntry): Promise<void> | void;
}

const INDEXED = new Set(['response', 'revisit', 'resource', 'metadata', 'conversion']);
const MAX_HELD_BYTES = 1024 * 1024;

interface Asked {
  readonly id: string;
  readonly url: string;
  readonly concurrentTo: string;
  readonly method: string;
  readonly query: string;
}

interface Answered {
  readonly entry: IndexEntry;
  readonly id: string;
  readonly concurrentTo: string;
  readonly isAnswer: boolean;
  readonly watch: PayloadWatch | undefined;
}

export async function indexFile(file: string, options: IndexOptions): Promise<void> {
  const indexer = recordIndexer(options);
  const visit = (record: ReadRecord) => {
    options.onRecord?.(record.offset);
    return indexer.add(record);
  };
  await eachRecord(file, visit, options.onFault);
  await indexer.end();
}

/** Takes the records of a file one after the other, from wherever they come. */
export interface RecordIndexer {
  add(record: SeenRecord): Promise<void>;
  /** Nothing stands behind them, for now: what waits for its other half is given without it. */
  end(): Promise<void>;
}

export function recordIndexer(options: Pick<IndexOptions, 'filename' | 'onEntry' | 'watch'>): RecordIndexer {
  /** the record before, as far as it waits for its other half */
  let asked: Asked | undefined;
  let answered: Answered | undefined;
  const give = async (entry: IndexEntry, watch: PayloadWatch | undefined) => {
    await options.onEntry(entry);
    await watch?.end(entry);
  };
  const giveWaiting = async () => {
    const waiting = answered;
    answered = undefined;
    if (waiting !== undefined) await give(waiting.entry, waiting.watch);
  };
  const add = async (record: SeenRecord) => {
    const before = asked;
    asked = undefined;
    if (record.type === 'request') {
      const request = await readAsked(record);
      if (request !== undefined && answered !== undefined && belong(request, answered)) {
        answered = { ...answered, entry: withRequest(answered.entry, request) };
      } else asked = request;
      return giveWaiting();
    }
    await giveWaiting();
    if (!isIndexed(record)) return;
    const read = await readAnswered(record, options);
    if (read === undefined) return;
    if (before !== undefined && belong(before, read)) await give(withRequest(read.entry, before), read.watch);
    else answered = read;
  };
  return { add, end: giveWaiting };
}

/** Fields for machines, such as a crawl's, are about a URL and not what it gave. */
function isIndexed(record: SeenRecord): boolean {
  if (!INDEXED.has(record.type)) return false;
  const isFields =
    (record.type === 'metadata' || record.type === 'resource') && record.header('Content-Type') === 'application/warc-fields';
  return !isFields && (record.header('WARC-Target-URI') ?? '') !== '';
}

/** Whichever stands first, and whichever names the other. */
function belong(request: Asked, { entry, id, concurrentTo, isAnswer }: Answered): boolean {
  return isAnswer && request.url === entry.url && (request.concurrentTo === id || (concurrentTo !== '' && concurrentTo === request.id));
}

function withRequest(entry: IndexEntry, { method, query }: Asked): IndexEntry {
  if (method === 'GET') return entry;
  return { ...entry, urlkey: keyOf(postedUrl(entry.url, method, query)), requestBody: query, method };
}

function keyOf(url: string): string {
  // Spaces part the columns.
  return asciiUri(cdxKey(url));
}

async function readAsked(record: SeenRecord): Promise<Asked | undefined> {
  const { block, method, url } = await glanceAt(record);
  const held: Buffer[] = [];
  if (block.kind === 'request' && method !== 'GET') {
    let size = 0;
    try {
      for await (const piece of withoutTransferCoding(block)) {
        size += piece.length;
        if (size <= MAX_HELD_BYTES) held.push(piece);
      }
    } catch (error) {
      // As far as it came.
      if (!isReadFault(error)) throw error;
    }
  }
  await record.length();
  if (block.kind !== 'request' || method === undefined) return undefined;
  const query = postedQuery(method.toUpperCase(), block.head.fields.get('content-type'), Buffer.concat(held));
  return { id: idOf(record), url, concurrentTo: record.header('WARC-Concurrent-To') ?? '', method: method.toUpperCase(), query };
}

async function readAnswered(
  record: SeenRecord,
  { filename, watch: watchOf }: Pick<IndexOptions, 'filename' | 'watch'>,
): Promise<Answered | undefined> {
  const glance = await glanceAt(record);
  const { block, url, timestamp, status } = glance;
  const watch = watchOf?.(glance);
  const written = record.header('WARC-Payload-Digest');
  const digester = written === undefined && record.type !== 'revisit' ? new Digester({ algorithm: 'sha1', base32: true }) : undefined;
  if (digester !== undefined || watch !== undefined) {
    try {
      for await (const piece of block.kind === 'bytes' ? block.bytes : withoutTransferCoding(block)) {
        digester?.update(piece);
        watch?.update(piece);
      }
    } catch (error) {
      if (!isReadFault(error)) throw error;
    }
  }
  const length = await record.length();
  const fields = block.kind === 'bytes' ? undefined : block.head.fields;
  const entry: IndexEntry = {
    urlkey: keyOf(url),
    timestamp: timestamp.padEnd(14, '0'),
    url,
    mime:
      record.type === 'revisit'
        ? 'warc/revisit'
        : mimeOf(fields === undefined ? record.header('Content-Type') : fields.get('content-type')),
    status: status === undefined ? undefined : String(status),
    digest: written ?? digester?.finish(),
    length: String(length),
    offset: String(record.offset),
    filename,
    redirect: status !== undefined && status >= 300 && status < 400 ? fields?.get('location') : undefined,
  };
  const isAnswer = record.type === 'response' || record.type === 'revisit';
  return { entry, id: idOf(record), concurrentTo: record.header('WARC-Concurrent-To') ?? '', isAnswer, watch };
}

function idOf(record: SeenRecord): string {
  return record.header('WARC-Record-ID') ?? '';
}

/** `urlkey timestamp {…}`, with the line's end: ASCII only, so that it sorts the same everywhere. */
export function cdxjLine({ urlkey, timestamp, ...fields }: IndexEntry): string {
  const pairs = Object.entries(fields).filter(([name, value]) => value !== undefined && name !== 'redirect');
  return `${urlkey} ${timestamp} {${pairs.map(([name, value]) => `"${name}": ${asciiJson(value ?? '')}`).join(', ')}}\n`;
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^\0-~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export const CDX11_HEAD = ' CDX N b a m s k r M S V g\n';

/** Eleven columns; `-` where there is nothing. */
export function cdx11Line({ urlkey, timestamp, url, mime, status, digest, redirect, length, offset, filename }: IndexEntry): string {
  const bare = digest?.slice(digest.lastIndexOf(':') + 1);
  const columns = [urlkey, timestamp, url, mime, status, bare, redirect, undefined, length, offset, filename];
  return `${columns.map((column) => (column === undefined || column === '' ? '-' : asciiUri(column))).join(' ')}\n`;
}

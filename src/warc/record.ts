/**
 * A WARC record: one model for those that are read and those that are written. Knows nothing of captures.
 *
 * Source: ISO 28500:2017 §4, §5 (fields), §6.2 (`warcinfo`).
 */
import type { Bytes } from '../util/spool.ts';
import { field, warcDate, type WarcVersion } from './fields.ts';

/** What a record says of itself. */
export interface WarcRecord {
  /** `WARC/1.1` */
  readonly version: string;
  readonly type: string;
  /** in the record's order and case */
  readonly headers: Headers;
  /** bytes of the block */
  readonly contentLength: number;
  /** value of the first field of that name, in whatever case */
  header(name: string): string | undefined;
}

export type Headers = readonly (readonly [name: string, value: string])[];

/** What a writer has to know of a record. */
export interface RecordBytes {
  /** `<urn:uuid:…>` */
  readonly id: string;
  readonly type: string;
  /** WARC-Date */
  readonly date: string;
  /** version line, fields and the empty line */
  readonly head: string;
  readonly block: Bytes;
  /** bytes of the block in front of its payload, where that is known */
  readonly headSize: number;
}

/** A record that is to be written. A class, so that what its head says is there for who asks, and costs nothing for who only writes it. */
export class NewRecord implements WarcRecord, RecordBytes {
  readonly id: string;
  readonly type: string;
  readonly date: string;
  readonly head: string;
  readonly block: Bytes;
  readonly headSize: number;

  constructor(id: string, type: string, date: string, head: string, block: Bytes, headSize: number) {
    this.id = id;
    this.type = type;
    this.date = date;
    this.head = head;
    this.block = block;
    this.headSize = headSize;
  }

  get version(): string {
    return this.head.slice(0, this.head.indexOf('\r\n'));
  }

  get headers(): Headers {
    const lines = this.head.split('\r\n').slice(1, -2);
    return lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
  }

  get contentLength(): number {
    return this.block.size;
  }

  header(name: string): string | undefined {
    return headerIn(this.headers, name);
  }
}

/** Where a record stands. */
export interface WrittenRecord {
  /** `<urn:uuid:…>` */
  readonly id: string;
  readonly type: string;
  /** WARC-Date */
  readonly date: string;
  /** name of the file once closed, without folder */
  readonly filename: string;
  /** the same with the folder that it has below the folder of WARC files, if any: `PREFIX/NAME`, with `/` on all systems */
  readonly path: string;
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
  /** bytes in the (compressed) file */
  readonly length: number;
}

/** What `warcinfo` says about the program that wrote the file. */
export interface WriterInfo {
  /** `warctap VERSION` */
  readonly software: string;
  readonly hostname: string;
  readonly ip: string | undefined;
}

const TYPES = ['warcinfo', 'response', 'resource', 'request', 'metadata', 'revisit', 'conversion', 'continuation'];
const startsIn = (version: WarcVersion) => new Map(TYPES.map((type) => [type, start(type, version)]));
const STARTS = { '1.0': startsIn('1.0'), '1.1': startsIn('1.1') };

const CONFORMS_TO = 'http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/';

/** The record that opens a file. */
export function warcinfoRecord(
  filename: string,
  date: Date,
  info: WriterInfo,
  options: { readonly version: WarcVersion; readonly newRecordId: () => string },
): NewRecord {
  const { version } = options;
  const block = bytesOf(
    Buffer.from(
      field('software', info.software) +
        field('hostname', info.hostname) +
        field('ip', info.ip) +
        field('format', `WARC File Format ${version}`) +
        field('conformsTo', version === '1.1' ? CONFORMS_TO : undefined),
    ),
  );
  const fields = field('Content-Type', 'application/warc-fields') + field('WARC-Filename', filename);
  return recordOf(options.newRecordId(), 'warcinfo', warcDate(date, version), fields, block, version);
}

/** Value of the first field of that name, in whatever case. */
export function headerIn(headers: Headers, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([each]) => each.toLowerCase() === wanted)?.[1];
}

/**
 * The fields that every record has stand around the others.
 *
 * @param id made by ourselves, as the date is
 * @param fields lines of the others
 */
export function recordOf(
  id: string,
  type: string,
  date: string,
  fields: string,
  block: Bytes,
  version: WarcVersion,
  headSize = 0,
): NewRecord {
  const head = `${startOf(type, version)}${id}\r\nWARC-Date: ${date}\r\n${fields}Content-Length: ${block.size}\r\n\r\n`;
  return new NewRecord(id, type, date, head, block, headSize);
}

/** As heads begin, up to the id: of types that there are, made once. */
function startOf(type: string, version: WarcVersion): string {
  return STARTS[version].get(type) ?? start(type, version);
}

function start(type: string, version: WarcVersion): string {
  return `WARC/${version}\r\n${field('WARC-Type', type)}WARC-Record-ID: `;
}

/**
 * A record with the same fields in the same order, to be written somewhere else.
 *
 * @param block of a record that is read: its bytes as long as they are there, or wherever they have been put
 * @throws RangeError when it has another length than the record says
 */
export function copyOf(record: WarcRecord, block: Bytes): NewRecord {
  const { version, type, headers, contentLength } = record;
  if (block.size !== contentLength) throw new RangeError(`a block of ${block.size} bytes for a record of ${contentLength}`);
  const lines = headers.map(([name, value]) => field(name, value)).join('');
  const [id, date] = [record.header('WARC-Record-ID') ?? '', record.header('WARC-Date') ?? ''];
  return new NewRecord(id, type, date, `${version}\r\n${lines}\r\n`, block, 0);
}

/** Bytes in memory. */
export function bytesOf(buffer: Buffer): Bytes {
  return {
    size: buffer.length,
    memory: [buffer],
    // eslint-disable-next-line @typescript-eslint/require-await -- one interface for memory and file
    async *read() {
      yield buffer;
    },
  };
}

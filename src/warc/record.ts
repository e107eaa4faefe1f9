/**
 * A WARC record: its header as text, its block as bytes. Knows nothing of captures.
 *
 * Source: ISO 28500:2017 §4, §5 (fields), §6.2 (`warcinfo`).
 */
import type { Bytes } from '../util/spool.ts';
import { field, warcDate, type WarcVersion } from './fields.ts';

export interface WarcRecord {
  /** `<urn:uuid:…>` */
  readonly id: string;
  readonly type: string;
  /** WARC-Date */
  readonly date: string;
  /** version line, fields and the empty line */
  readonly header: string;
  readonly block: Bytes;
  /** bytes of the block in front of its payload, where that is known */
  readonly headSize: number;
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

const CONFORMS_TO = 'http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/';

/** The record that opens a file. */
export function warcinfoRecord(
  filename: string,
  date: Date,
  info: WriterInfo,
  options: { readonly version: WarcVersion; readonly newRecordId: () => string },
): WarcRecord {
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

/** @param fields lines of all fields but those that every record has */
export function recordOf(
  id: string,
  type: string,
  date: string,
  fields: string,
  block: Bytes,
  version: WarcVersion,
  headSize = 0,
): WarcRecord {
  const start = `WARC/${version}\r\n` + field('WARC-Type', type) + field('WARC-Record-ID', id) + field('WARC-Date', date);
  return { id, type, date, header: `${start}${fields}Content-Length: ${block.size}\r\n\r\n`, block, headSize };
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

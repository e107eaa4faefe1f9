/**
 * What is seen of a record at a glance: its fields, and the head of the HTTP message in it. The body is still to be read.
 *
 * Source: ISO 28500:2017 §5, §6.
 */
import { readBlock, readRequest, type ArchivedBytes, type ArchivedMessage, type ArchivedRequest } from '../read/message.ts';
import type { ReadRecord } from '../read/reader.ts';

/** Of a record, read or about to be written. */
export type SeenRecord = Omit<ReadRecord, 'bytes'>;

export interface Glance {
  readonly record: SeenRecord;
  /** WARC-Target-URI; empty where there is none */
  readonly url: string;
  /** WARC-Date in 14 digits; fewer where there is none, or one that is cut */
  readonly timestamp: string;
  /** of an HTTP response */
  readonly status: number | undefined;
  /** of an HTTP request */
  readonly method: string | undefined;
  /** of the payload, in lower case and without parameters */
  readonly mime: string | undefined;
  readonly block: ArchivedMessage | ArchivedRequest | ArchivedBytes;
}

export async function glanceAt(record: SeenRecord): Promise<Glance> {
  const block = record.type === 'request' ? await readRequest(record) : await readBlock(record);
  const contentType = block.kind === 'bytes' ? record.header('Content-Type') : block.head.fields.get('content-type');
  return {
    record,
    // Some tools put it into angle brackets, as WARC 1.0 says.
    url: (record.header('WARC-Target-URI') ?? '').replace(/^<(.*)>$/, '$1'),
    timestamp: (record.header('WARC-Date') ?? '').replace(/\D/g, '').slice(0, 14),
    status: block.kind === 'http' ? block.head.status : undefined,
    method: block.kind === 'request' ? block.head.method : undefined,
    mime: mimeOf(contentType)?.toLowerCase(),
    block,
  };
}

/** The type alone; undefined where there is none. */
export function mimeOf(contentType: string | undefined): string | undefined {
  const mime = /^[^;\s]*/.exec(contentType ?? '')?.[0] ?? '';
  return mime === '' ? undefined : mime;
}

/** On one line, without what a terminal would take for commands, and of a bounded length. */
export function printable(text: string, maxChars = 2_000): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return clean.length > maxChars ? `${clean.slice(0, maxChars)}…` : clean;
}

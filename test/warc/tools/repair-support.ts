/** WARC files made by hand, as bytes: what the product writes, what other tools write, and what is broken. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface HandMade {
  readonly type?: string;
  readonly id?: string;
  readonly version?: string;
  /** field lines, each with its CRLF */
  readonly more?: string;
  readonly block?: string | Buffer;
}

let count = 0;

export function idOf(number: number): string {
  return `<urn:uuid:00000000-0000-4000-8000-${String(number).padStart(12, '0')}>`;
}

export function handMade({
  type = 'resource',
  id = idOf((count += 1)),
  version = '1.0',
  more = '',
  block = 'hello',
}: HandMade = {}): Buffer {
  const bytes = Buffer.from(block);
  const head =
    `WARC/${version}\r\nWARC-Type: ${type}\r\nWARC-Record-ID: ${id}\r\nWARC-Date: 2024-02-03T04:05:06Z\r\n` +
    `${more}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n\r\n')]);
}

/** Each record its own member. */
export function members(...records: readonly Buffer[]): Buffer {
  return Buffer.concat(records.map((record) => gzipSync(record)));
}

/** As Python's warcio writes it: Base32 digests in upper case, of the body as it came. */
export function base32Sha1(data: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...createHash('sha1').update(data).digest()].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return `sha1:${(bits.match(/.{5}/g) ?? []).map((five) => letters[parseInt(five, 2)]).join('')}`;
}

/** Where each record begins, and the end of the last. */
export function bordersOf(records: readonly Buffer[]): number[] {
  const borders = [0];
  for (const record of records) borders.push((borders.at(-1) ?? 0) + record.length);
  return borders;
}

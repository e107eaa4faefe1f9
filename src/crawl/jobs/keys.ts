/**
 * Keys of jobs in the database, as bytes: a letter of their own, identifiers raw, numbers so that they sort.
 *
 * ```
 * J job                     → what never changes of it        N job → what does
 * T start job               → nothing                         X schedule start job → nothing
 * F job host cost n         → an entry of the frontier        H job cost host → nothing: the host has entries of this cost
 * S job hash                → nothing: a URL that was seen
 * I job sequence kind       → an item                         B job sequence → its body, where no WARC file has it
 * C job cookie              → a cookie                        L job host → nothing: a login was tried
 * K job file                → nothing: a WARC file is kept for the job
 * R origin                  → robots.txt                      G job → what is still to be cleared away
 * M                         → counters of all jobs
 * ```
 *
 * They begin with bytes that no text begins with: other parts of the database have keys of text.
 */
import { hash } from 'node:crypto';

const SPACES = 'JNTXFHSIBCLKRGM';
export type Space = 'J' | 'N' | 'T' | 'X' | 'F' | 'H' | 'S' | 'I' | 'B' | 'C' | 'L' | 'K' | 'R' | 'G' | 'M';

export function key(space: Space, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([1 + SPACES.indexOf(space)]), ...parts]);
}

export interface Range {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

/** All keys that begin so. */
export function within(prefix: Buffer): Range {
  return { gte: prefix, lt: after(prefix) };
}

/** The first key that does not begin so any more, and comes after it. */
export function after(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.subarray(0, at + 1);
    }
  }
  return Buffer.from([0xff]);
}

/** Of a number above zero: the order of its bytes is that of numbers. Source: IEEE 754 §3.4. */
export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

export function count(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

const HOST_BYTES = 8;

/** Of a host, short: two with the same one are fetched from as if they were one. */
export function hostKey(host: string): Buffer {
  return Buffer.from(hash('sha256', host, 'buffer').subarray(0, HOST_BYTES));
}

export const ID_BYTES = 16;
/** What stands in front of the parts of a job. */
const BEGIN = 1 + ID_BYTES;

export function readFrontierKey(bytes: Buffer): { readonly cost: number; readonly n: number } {
  return { cost: bytes.readDoubleBE(BEGIN + HOST_BYTES), n: Number(bytes.readBigUInt64BE(BEGIN + HOST_BYTES + 8)) };
}

export function readHostKey(bytes: Buffer): { readonly cost: number; readonly host: Buffer } {
  return { cost: bytes.readDoubleBE(BEGIN), host: bytes.subarray(BEGIN + 8) };
}

export type ItemKind = 'success' | 'error' | 'exception';
const KINDS: readonly ItemKind[] = ['success', 'error', 'exception'];

export function itemKey(job: Uint8Array, sequence: number, kind: ItemKind): Buffer {
  return key('I', job, count(sequence), Buffer.from([KINDS.indexOf(kind)]));
}

export function readItemKey(bytes: Buffer): { readonly sequence: number; readonly kind: ItemKind } {
  return { sequence: Number(bytes.readBigUInt64BE(BEGIN)), kind: KINDS[bytes[BEGIN + 8] ?? 0] ?? 'success' };
}

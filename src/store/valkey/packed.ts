/**
 * Keys and entries of the dedup index as they stand in the shared store: binary, as memory is what such a store costs.
 *
 * ```
 * key    TAG digest rest              TAG says algorithm and form, rest is `|bucket`, nothing for the bucket without a name
 *        NUL text                     any other
 * entry  1 id(16) date(6) n answer(n) url     date in milliseconds since 1970
 *        2 id(16) date(6) url                 what it answered is not known
 *        NUL JSON                             any other
 * ```
 *
 * What is unpacked is what was packed, to the last character. Which hash an entry stands in follows from its key alone.
 */
import { base32 } from '@scure/base';
import { crc32 } from 'node:zlib';
import type { Original } from '../dedup.ts';

const OTHER = 0;
const ANSWERED = 1;
const UNANSWERED = 2;
/** bytes of a digest by algorithm; their place in the list is part of the format */
const ALGORITHMS: readonly (readonly [name: string, bytes: number])[] = [
  ['sha1', 20],
  ['sha256', 32],
  ['md5', 16],
  ['sha512', 64],
  ['blake2b512', 64],
  ['blake2s256', 32],
  ['sha3-256', 32],
];
const UUID = /^<urn:uuid:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})>$/;
const ID_BYTES = 16;
const DATE_BYTES = 6;
const HEAD_BYTES = 1 + ID_BYTES + DATE_BYTES;
const MAX_ANSWER_BYTES = 255;
/** Hashes that entries are spread over: 24 in each at 100 million, 240 at a thousand million. A part of the format. */
const SLOTS = 2 ** 22;

export function packKey(key: string): Buffer {
  const colon = key.indexOf(':');
  const tag = ALGORITHMS.findIndex(([name]) => name === key.slice(0, colon));
  const bytes = ALGORITHMS[tag]?.[1] ?? 0;
  if (bytes > 0) {
    for (const isBase32 of [false, true]) {
      const digits = isBase32 ? Math.ceil((bytes * 8) / 40) * 8 : bytes * 2;
      const text = key.slice(colon + 1, colon + 1 + digits);
      const digest = isBase32 ? fromBase32(text) : fromHex(text);
      if (digest?.length !== bytes) continue;
      const rest = key.slice(colon + 1 + digits);
      return Buffer.concat([Buffer.of(1 + tag * 2 + Number(isBase32)), digest, Buffer.from(rest === '|' ? '' : rest)]);
    }
  }
  return Buffer.concat([Buffer.of(OTHER), Buffer.from(key)]);
}

/** @throws RangeError for what is no key */
export function unpackKey(packed: Buffer): string {
  const [tag = -1] = packed;
  if (tag === OTHER) return packed.toString('utf8', 1);
  const [name, bytes] = ALGORITHMS[(tag - 1) >> 1] ?? [];
  if (name === undefined || bytes === undefined) throw new RangeError(`a key of an unknown kind, ${tag}`);
  const digest = packed.subarray(1, 1 + bytes);
  const rest = packed.toString('utf8', 1 + bytes);
  return `${name}:${(tag - 1) % 2 === 1 ? base32.encode(digest) : digest.toString('hex')}${rest === '' ? '|' : rest}`;
}

/** The end of the name of the hash that a key stands in. */
export function slotOf(packedKey: Buffer): string {
  return (crc32(packedKey) % SLOTS).toString(36);
}

export function packEntry(original: Original): Buffer {
  const { recordId, url, date, answer } = original;
  const id = UUID.exec(recordId);
  const ms = Date.parse(date);
  const said = Buffer.from(answer ?? '');
  if (id === null || !(ms >= 0) || new Date(ms).toISOString() !== date || said.length > MAX_ANSWER_BYTES) return asJson(original);
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = answer === undefined ? UNANSWERED : ANSWERED;
  head.write(id.slice(1).join(''), 1, 'hex');
  head.writeUIntBE(ms, 1 + ID_BYTES, DATE_BYTES);
  return Buffer.concat([head, ...(answer === undefined ? [] : [Buffer.of(said.length), said]), Buffer.from(url)]);
}

/** @throws RangeError, or the error of JSON, for what is no entry */
export function unpackEntry(packed: Buffer): Original {
  const [kind = -1] = packed;
  if (kind === OTHER) return JSON.parse(packed.toString('utf8', 1)) as Original;
  if ((kind !== ANSWERED && kind !== UNANSWERED) || packed.length < HEAD_BYTES)
    throw new RangeError(`an entry of an unknown kind, ${kind}`);
  const hex = packed.toString('hex', 1, 1 + ID_BYTES);
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  const date = new Date(packed.readUIntBE(1 + ID_BYTES, DATE_BYTES)).toISOString();
  const answerEnd = kind === ANSWERED ? HEAD_BYTES + 1 + (packed[HEAD_BYTES] ?? 0) : HEAD_BYTES;
  const original = { recordId: `<urn:uuid:${uuid}>`, url: packed.toString('utf8', answerEnd), date };
  return kind === ANSWERED ? { ...original, answer: packed.toString('utf8', HEAD_BYTES + 1, answerEnd) } : original;
}

function asJson({ recordId, url, date, answer }: Original): Buffer {
  return Buffer.concat([Buffer.of(OTHER), Buffer.from(JSON.stringify({ recordId, url, date, answer }))]);
}

function fromHex(text: string): Buffer | undefined {
  return /^[0-9a-f]+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

function fromBase32(text: string): Uint8Array | undefined {
  try {
    const digest = base32.decode(text);
    return base32.encode(digest) === text ? digest : undefined;
  } catch {
    return undefined;
  }
}

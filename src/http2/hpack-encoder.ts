/**
 * Blocks of fields as they go over the wire: HPACK, put together.
 *
 * What comes again with the next message is kept in the table; what does not, or is a secret, is not (RFC 7541 §7.1).
 * Source: RFC 7541 §5, §6.
 */
import { DEFAULT_TABLE_SIZE, DynamicTable, entrySize, STATIC_TABLE } from './hpack-table.ts';
import { huffmanEncode, huffmanLength } from './huffman.ts';
import type { FieldList } from './field-list.ts';

const STATIC_SIZE = STATIC_TABLE.length;
const NAMES = new Map<string, number>();
const VALUES = new Map<string, Map<string, number>>();
STATIC_TABLE.forEach(({ name, value }, at) => {
  if (!NAMES.has(name)) NAMES.set(name, at + 1);
  const values = VALUES.get(name) ?? new Map<string, number>();
  VALUES.set(name, values.set(value, at + 1));
});

/** Other with each message. */
const NOT_KEPT = new Set([':path', 'age', 'content-length', 'etag', 'if-modified-since', 'if-none-match', 'location', 'set-cookie']);
/** Nobody may keep them. */
const SECRET = new Set(['authorization', 'proxy-authorization']);
/** A short one could be guessed, bit by bit. */
const SHORT_COOKIE = 20;

const KEPT = 0x40;
const PLAIN = 0x00;
const NEVER_KEPT = 0x10;

let scratch = Buffer.allocUnsafeSlow(8192);

export class HpackEncoder {
  readonly #numbers = new Map<string, Map<string, number>>();
  readonly #table = new DynamicTable((entry, number) => {
    const values = this.#numbers.get(entry.name);
    if (values?.get(entry.value) === number) values.delete(entry.value);
    if (values?.size === 0) this.#numbers.delete(entry.name);
  });
  /** the smallest that the table was made since the other side has last heard of it (RFC 7541 §4.2) */
  #smallest = Infinity;
  #at = 0;

  get tableSize(): number {
    return this.#table.size;
  }

  /** As the other side has said. */
  limitTable(size: number): void {
    const limited = Math.min(size, DEFAULT_TABLE_SIZE);
    if (limited === this.#table.maxSize) return;
    this.#table.resize(limited);
    this.#smallest = Math.min(this.#smallest, limited);
  }

  encode(list: FieldList): Buffer {
    this.#at = 0;
    // A number has at most six bytes, a text never more than its own.
    let most = 16;
    for (const text of list) most += text.length + 8;
    if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(2 * most);
    if (this.#smallest < this.#table.maxSize) this.#integer(0x20, 0x1f, this.#smallest);
    if (this.#smallest < Infinity) this.#integer(0x20, 0x1f, this.#table.maxSize);
    this.#smallest = Infinity;
    for (let at = 0; at + 1 < list.length; at += 2) this.#field(list[at] ?? '', list[at + 1] ?? '', list.neverIndexed);
    return Buffer.from(scratch.subarray(0, this.#at));
  }

  #field(name: string, value: string, never: FieldList['neverIndexed']): void {
    const isNever = SECRET.has(name) || never?.has(name) === true;
    const known = isNever ? undefined : VALUES.get(name)?.get(value);
    if (known !== undefined) return this.#integer(0x80, 0x7f, known);
    const values = this.#numbers.get(name);
    const number = isNever ? undefined : values?.get(value);
    if (number !== undefined) return this.#integer(0x80, 0x7f, STATIC_SIZE + 1 + this.#table.ageOf(number));
    const form = isNever ? NEVER_KEPT : this.#formOf(name, value);
    const prefix = form === KEPT ? 0x3f : 0x0f;
    const index = NAMES.get(name) ?? this.#nameIndex(values);
    this.#integer(form, prefix, index);
    if (index === 0) this.#text(name);
    this.#text(value);
    if (form === KEPT) this.#keep(name, value);
  }

  /** Of a name that stands in the table with another value. */
  #nameIndex(values: ReadonlyMap<string, number> | undefined): number {
    for (const number of values?.values() ?? []) return STATIC_SIZE + 1 + this.#table.ageOf(number);
    return 0;
  }

  #formOf(name: string, value: string): number {
    if (name === 'cookie' && value.length < SHORT_COOKIE) return NEVER_KEPT;
    // One that takes most of the table costs more than it saves.
    return NOT_KEPT.has(name) || entrySize(name, value) > 0.75 * this.#table.maxSize ? PLAIN : KEPT;
  }

  #keep(name: string, value: string): void {
    const number = this.#table.add({ name, value });
    if (number < 0) return;
    const values = this.#numbers.get(name);
    if (values === undefined) this.#numbers.set(name, new Map([[value, number]]));
    else values.set(value, number);
  }

  #text(text: string): void {
    const coded = huffmanLength(text);
    if (coded < text.length) {
      this.#integer(0x80, 0x7f, coded);
      this.#at = huffmanEncode(text, scratch, this.#at);
    } else {
      this.#integer(0, 0x7f, text.length);
      this.#at += scratch.write(text, this.#at, 'latin1');
    }
  }

  #integer(flags: number, prefix: number, value: number): void {
    if (value < prefix) {
      scratch[this.#at++] = flags | value;
      return;
    }
    scratch[this.#at++] = flags | prefix;
    let left = value - prefix;
    for (; left >= 128; left >>>= 7) scratch[this.#at++] = (left & 0x7f) | 0x80;
    scratch[this.#at++] = left;
  }
}

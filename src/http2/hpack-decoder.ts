/**
 * Blocks of fields as they come over the wire: HPACK, taken apart.
 *
 * A list that is too long is read to its end, since the table goes on with it, but not kept.
 * Source: RFC 7541 §3, §5, §6.
 */
import { CODE, Http2Error } from './frames.ts';
import { DEFAULT_TABLE_SIZE, DynamicTable, ENTRY_BYTES, STATIC_TABLE, type Entry } from './hpack-table.ts';
import { huffmanDecode } from './huffman.ts';
import { withNeverIndexed, type FieldList } from './field-list.ts';

const STATIC_SIZE = STATIC_TABLE.length;
/** Numbers of more bits mean nothing here. */
const MAX_SHIFT = 28;

export interface DecoderOptions {
  /** what the other side may make of the table, as was said to it */
  readonly maxTableSize?: number;
  /** of a list, by the count of RFC 9113 §6.5.2 */
  readonly maxListSize: number;
  readonly maxFields: number;
}

export class HpackDecoder {
  readonly #table = new DynamicTable();
  readonly #maxTableSize: number;
  readonly #options: DecoderOptions;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** names of the block that is read */
  #never: Set<string> | undefined;

  constructor(options: DecoderOptions) {
    this.#options = options;
    // Until it has heard what was said to it, the other side may go by the default.
    this.#maxTableSize = Math.max(options.maxTableSize ?? 0, DEFAULT_TABLE_SIZE);
  }

  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * @returns names and values by turns, Latin-1; undefined when it is a longer list than may be
   * @throws Http2Error COMPRESSION_ERROR, after which nothing more can be read
   */
  decode(block: Buffer): FieldList | undefined {
    this.#never = undefined;
    this.#bytes = block;
    this.#at = 0;
    const { maxListSize, maxFields } = this.#options;
    const list: string[] = [];
    let size = 0;
    let fits = true;
    while (this.#at < block.length) {
      const byte = block[this.#at] ?? 0;
      if ((byte & 0xe0) === 0x20) {
        this.#resize(size > 0 || !fits);
        continue;
      }
      const { name, value } = byte >= 0x80 ? this.#indexed() : this.#literal(byte);
      size += name.length + value.length + ENTRY_BYTES;
      if (fits && (size > maxListSize || list.length >= 2 * maxFields)) {
        fits = false;
        list.length = 0;
      }
      if (fits) list.push(name, value);
    }
    return fits ? withNeverIndexed(list, this.#never) : undefined;
  }

  #indexed(): Entry {
    return this.#entry(this.#integer(0x7f));
  }

  #literal(byte: number): Entry {
    const kept = byte >= 0x40;
    const index = this.#integer(kept ? 0x3f : 0x0f);
    const name = index === 0 ? this.#text() : this.#entry(index).name;
    const entry = { name, value: this.#text() };
    if (kept) this.#table.add(entry);
    else if ((byte & 0x10) !== 0) (this.#never ??= new Set()).add(name);
    return entry;
  }

  #resize(late: boolean): void {
    const size = this.#integer(0x1f);
    if (late) throw wrong('a size of the table behind fields');
    if (size > this.#maxTableSize) throw wrong(`a table of ${size} bytes, expected at most ${this.#maxTableSize}`);
    this.#table.resize(size);
  }

  #entry(index: number): Entry {
    const entry = index <= STATIC_SIZE ? STATIC_TABLE[index - 1] : this.#table.at(index - STATIC_SIZE - 1);
    if (entry === undefined) throw wrong(`no field has the index ${index}`);
    return entry;
  }

  #text(): string {
    const coded = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(0x7f);
    const from = this.#at;
    const to = from + length;
    if (to > this.#bytes.length) throw wrong('a text is not complete');
    this.#at = to;
    if (!coded) return this.#bytes.toString('latin1', from, to);
    const text = huffmanDecode(this.#bytes, from, to);
    if (text === undefined) throw wrong('not in the code of Huffman');
    return text;
  }

  /** @param prefix its bits in the first byte */
  #integer(prefix: number): number {
    const bytes = this.#bytes;
    if (this.#at >= bytes.length) throw wrong('a number is missing');
    let value = (bytes[this.#at++] ?? 0) & prefix;
    if (value < prefix) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw wrong('a number is not complete');
      if (shift > MAX_SHIFT) throw wrong('a number is too large');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
}

function wrong(what: string): Http2Error {
  return new Http2Error(CODE.compression, `fields not understood: ${what}`);
}

/**
 * The tables of HPACK: the static one, and the dynamic one of a side.
 *
 * Source: RFC 7541 §2.3, §4, appendix A.
 */

/** `name|value`, or a name alone, from index 1 on. */
const STATIC =
  ':authority :method|GET :method|POST :path|/ :path|/index.html :scheme|http :scheme|https :status|200 :status|204 :status|206 :status|304 ' +
  ':status|400 :status|404 :status|500 accept-charset accept-encoding|gzip,_deflate accept-language accept-ranges accept ' +
  'access-control-allow-origin age allow authorization cache-control content-disposition content-encoding content-language content-length ' +
  'content-location content-range content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range ' +
  'if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after ' +
  'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate';

export interface Entry {
  readonly name: string;
  readonly value: string;
}

export const STATIC_TABLE: readonly Entry[] = STATIC.split(' ').map((text) => {
  const [name = '', value = ''] = text.split('|');
  return { name, value: value.replace('_', ' ') };
});
export const DEFAULT_TABLE_SIZE = 4096;
/** What an entry counts beside its bytes (RFC 7541 §4.1). */
export const ENTRY_BYTES = 32;

/** Entries by how long ago they came, as many as fit. */
export class DynamicTable {
  #maxSize = DEFAULT_TABLE_SIZE;
  #size = 0;
  /** oldest first, from `#first` on */
  #entries: Entry[] = [];
  #first = 0;
  readonly #onEvicted: ((entry: Entry, number: number) => void) | undefined;
  /** of entries that have been let go of in all: the number of the oldest one */
  #evicted = 0;

  /** @param onEvicted told with the number under which `add` has taken it */
  constructor(onEvicted?: (entry: Entry, number: number) => void) {
    this.#onEvicted = onEvicted;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  get size(): number {
    return this.#size;
  }

  get length(): number {
    return this.#entries.length - this.#first;
  }

  /** @param age 0 is the newest */
  at(age: number): Entry | undefined {
    return age < this.length ? this.#entries[this.#entries.length - 1 - age] : undefined;
  }

  /** How long ago the entry of this number came. */
  ageOf(number: number): number {
    return this.#evicted + this.length - 1 - number;
  }

  /** @returns its number, or -1 when it is larger than the whole table, which is empty then */
  add(entry: Entry): number {
    const size = entrySize(entry.name, entry.value);
    this.#shrink(this.#maxSize - size);
    if (size > this.#maxSize) return -1;
    this.#entries.push(entry);
    this.#size += size;
    return this.#evicted + this.length - 1;
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#shrink(maxSize);
  }

  #shrink(size: number): void {
    while (this.#size > size && this.length > 0) {
      const entry = this.#entries[this.#first++];
      if (entry === undefined) break;
      this.#size -= entrySize(entry.name, entry.value);
      const number = this.#evicted++;
      this.#onEvicted?.(entry, number);
    }
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}

export function entrySize(name: string, value: string): number {
  return name.length + value.length + ENTRY_BYTES;
}

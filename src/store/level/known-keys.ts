/**
 * Which keys an index may have, in memory: what is certainly new needs no look into the database.
 *
 * A Bloom filter in layers: of one that is full nothing more is put into it, and one four times as large is begun; the largest goes on when
 * it is full, and is then of less and less use. Nothing is ever taken out: a key that was deleted is looked for in vain, and one that is
 * there is never called new.
 * Source: A. Kirsch, M. Mitzenmacher, "Less Hashing, Same Performance" (2006); P. S. Almeida et al., "Scalable Bloom Filters" (2007).
 */

/** Sizes of the layers as powers of two, in bits: 1 MiB for 800,000 keys, up to 85 MiB for 70 million in all. */
const LAYERS = [23, 25, 27, 29];
/** With ten bits a key and seven of them set, 0.8 % of the keys that are new are looked for. */
const BITS_PER_KEY = 10;
const PROBES = 7;

interface Layer {
  readonly words: Int32Array;
  /** of the number of a bit */
  readonly mask: number;
  /** keys until it is full */
  room: number;
}

export class KnownKeys {
  readonly #sizes: readonly number[];
  readonly #full: Layer[] = [];
  #last: Layer;
  #complete = false;
  #learning: object | undefined;

  /** @param sizes as powers of two, in bits, at most 31 */
  constructor(sizes: readonly number[] = LAYERS) {
    this.#sizes = sizes;
    this.#last = layerOf(sizes[0] ?? 0);
  }

  /** Bytes that it takes. */
  get size(): number {
    return this.#full.reduce((sum, { words }) => sum + words.byteLength, this.#last.words.byteLength);
  }

  /** Certainly not in the index. False for all keys until what is in it has been learnt. */
  isNew(key: string): boolean {
    if (!this.#complete) return false;
    hash(key);
    return !isIn(this.#last) && !this.#full.some(isIn);
  }

  /** To be called before the key can be found in the index. */
  add(key: string): void {
    hash(key);
    if (this.#full.some(isIn) || !setIn(this.#last) || --this.#last.room > 0) return;
    const next = this.#sizes[this.#full.length + 1];
    if (next === undefined) return;
    this.#full.push(this.#last);
    this.#last = layerOf(next);
  }

  /**
   * Learn what the index has; what is added to it meanwhile need not be among it. Every key counts as known until the end of this, or for
   * good when it fails; who calls it again while it runs starts anew.
   *
   * @throws what reading the keys throws
   */
  async learn(slices: AsyncIterable<readonly string[]>): Promise<void> {
    const own = (this.#learning = {});
    this.#complete = false;
    for await (const keys of slices) for (const key of keys) this.add(key);
    if (this.#learning === own) this.#complete = true;
  }
}

function layerOf(bits: number): Layer {
  return { words: new Int32Array(2 ** bits / 32), mask: 2 ** bits - 1, room: Math.floor(2 ** bits / BITS_PER_KEY) };
}

/** Of the key that was hashed last: the first bit, and from each to the next. */
let first = 0;
let step = 0;

/** Two hashes of 32 bits, mixed as in MurmurHash3. */
function hash(key: string): void {
  let a = 0x9e3779b1;
  let b = 0x85ebca6b;
  for (let at = 0; at < key.length; at++) {
    const c = key.charCodeAt(at);
    a = Math.imul(a ^ c, 0x9e3779b1);
    b = Math.imul(b ^ c, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  first = a;
  // Odd: no bit comes twice.
  step = b | 1;
}

function isIn({ words, mask }: Layer): boolean {
  for (let nth = 0, bit = first; nth < PROBES; nth++, bit = (bit + step) | 0) {
    if ((((words[(bit & mask) >>> 5] ?? 0) >>> (bit & 31)) & 1) === 0) return false;
  }
  return true;
}

/** @returns false when all of them were set */
function setIn({ words, mask }: Layer): boolean {
  let changed = false;
  for (let nth = 0, bit = first; nth < PROBES; nth++, bit = (bit + step) | 0) {
    const at = (bit & mask) >>> 5;
    const before = words[at] ?? 0;
    const after = before | (1 << (bit & 31));
    changed ||= after !== before;
    words[at] = after;
  }
  return changed;
}

/**
 * A Bloom filter: whether a key is certainly not among those that were added, without asking whoever has them.
 *
 * Grows in layers, each for twice as many keys as the one before, up to a bound in bytes: from then on the last layer takes more than it was
 * made for, and "perhaps" is said more often. Never says "no" of what was added.
 * Source: Bloom, Space/Time Trade-offs in Hash Coding with Allowable Errors (1970); Putze, Sanders, Singler, Cache-, Hash- and
 * Space-Efficient Bloom Filters (2007), for the blocks.
 */

/** One key in a thousand that was not added looks as if it had been. */
const BITS_PER_KEY = 20;
/** of a key in a layer, three in each of the three sums */
const BITS_IN_SUM = 3;
/** A cache line: all bits of a key are in one. */
const BLOCK_WORDS = 16;
const BLOCK_BIT_MASK = BLOCK_WORDS * 32 - 1;
const FIRST_KEYS = 128 * 1024;
/** Room for 27 million keys. */
export const MAX_FILTER_BYTES = 64 * 1024 * 1024;

interface Layer {
  readonly words: Uint32Array;
  readonly blocks: number;
  readonly capacity: number;
}

/** Of the key that was looked at last. */
let place = 0;
let bitsLow = 0;
let bitsMiddle = 0;
let bitsHigh = 0;

export class KeyFilter {
  readonly #maxBytes: number;
  readonly #layers: Layer[] = [];
  #inLast = 0;

  constructor(maxBytes = MAX_FILTER_BYTES, firstKeys = FIRST_KEYS) {
    this.#maxBytes = maxBytes;
    this.#layers.push(layerFor(firstKeys));
  }

  /** One that was saved. @throws RangeError when that is none */
  static of(words: readonly Uint32Array[], inLast: number): KeyFilter {
    const filter = new KeyFilter();
    filter.#layers.splice(0, 1, ...words.map(layerOf));
    if (words.length === 0 || words.some(({ length }) => length === 0 || length % BLOCK_WORDS !== 0))
      throw new RangeError('no such filter');
    filter.#inLast = inLast;
    return filter;
  }

  /** Of each layer, the first first. */
  get words(): readonly Uint32Array[] {
    return this.#layers.map(({ words }) => words);
  }

  /** How many keys the last layer has taken. */
  get inLast(): number {
    return this.#inLast;
  }

  get bytes(): number {
    return this.#layers.reduce((sum, { words }) => sum + words.byteLength, 0);
  }

  add(key: string): void {
    let layer = this.#layers.at(-1);
    if (layer === undefined) return;
    if (this.#inLast >= layer.capacity) {
      const next = layerFor(layer.capacity * 2);
      if (this.bytes + next.words.byteLength <= this.#maxBytes) {
        this.#layers.push((layer = next));
        this.#inLast = 0;
      }
    }
    lookAt(key);
    const { words, blocks } = layer;
    const at = blockAt(blocks);
    for (let bits = bitsLow, nth = 0; nth < BITS_IN_SUM; nth++, bits >>>= 9) set(words, at, bits & BLOCK_BIT_MASK);
    for (let bits = bitsMiddle, nth = 0; nth < BITS_IN_SUM; nth++, bits >>>= 9) set(words, at, bits & BLOCK_BIT_MASK);
    for (let bits = bitsHigh, nth = 0; nth < BITS_IN_SUM; nth++, bits >>>= 9) set(words, at, bits & BLOCK_BIT_MASK);
    this.#inLast++;
  }

  /** @returns false for a key that was certainly not added */
  mayHave(key: string): boolean {
    lookAt(key);
    for (const { words, blocks } of this.#layers) {
      const at = blockAt(blocks);
      if (
        isSet(words, at, bitsLow & BLOCK_BIT_MASK) &&
        isSet(words, at, (bitsLow >>> 9) & BLOCK_BIT_MASK) &&
        isSet(words, at, (bitsLow >>> 18) & BLOCK_BIT_MASK) &&
        isSet(words, at, bitsMiddle & BLOCK_BIT_MASK) &&
        isSet(words, at, (bitsMiddle >>> 9) & BLOCK_BIT_MASK) &&
        isSet(words, at, (bitsMiddle >>> 18) & BLOCK_BIT_MASK) &&
        isSet(words, at, bitsHigh & BLOCK_BIT_MASK) &&
        isSet(words, at, (bitsHigh >>> 9) & BLOCK_BIT_MASK) &&
        isSet(words, at, (bitsHigh >>> 18) & BLOCK_BIT_MASK)
      )
        return true;
    }
    return false;
  }
}

function layerFor(keys: number): Layer {
  return layerOf(new Uint32Array(Math.ceil((keys * BITS_PER_KEY) / (BLOCK_WORDS * 32)) * BLOCK_WORDS));
}

function layerOf(words: Uint32Array): Layer {
  return { words, blocks: words.length / BLOCK_WORDS, capacity: Math.floor((words.length * 32) / BITS_PER_KEY) };
}

/** The index of the first word of the block. */
function blockAt(blocks: number): number {
  return Math.floor((place / 2 ** 32) * blocks) * BLOCK_WORDS;
}

function set(words: Uint32Array, at: number, bit: number): void {
  const word = at + (bit >>> 5);
  words[word] = (words[word] ?? 0) | (1 << (bit & 31));
}

function isSet(words: Uint32Array, at: number, bit: number): boolean {
  return ((words[at + (bit >>> 5)] ?? 0) & (1 << (bit & 31))) !== 0;
}

/** Two sums over the characters, mixed as MurmurHash3 ends; digests are even already, but keys may be anything. */
function lookAt(key: string): void {
  let one = key.length;
  let other = 0x9e3779b9;
  for (let nth = 0; nth < key.length; nth++) {
    const code = key.charCodeAt(nth);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul((other << 5) ^ (other >>> 27) ^ code, 0x85ebca6b);
  }
  place = mixed(one) >>> 0;
  bitsLow = mixed(other);
  bitsMiddle = mixed(one + Math.imul(other, 0x27d4eb2f));
  bitsHigh = mixed(other ^ Math.imul(one, 0xcc9e2d51));
}

function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * What has come of a stream and waits to be taken: pieces, and what stands behind them.
 *
 * Small pieces are put together, as a peer chooses how small they are, and each of them would hold on to all that it was read with.
 */
export const END = Symbol('end');
export type Item = Buffer | { readonly trailers: readonly string[] } | typeof END;

/** Copied, where they have to wait. */
const SMALL_BYTES = 4096;
const CHUNK_BYTES = 16_384;

export class ReceiveQueue {
  #items: Item[] = [];
  /** the last item is its beginning, so many bytes */
  #chunk: Buffer | undefined;
  #filled = 0;

  get length(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    if (item instanceof Buffer && item.length < SMALL_BYTES) return this.#addSmall(item);
    this.#chunk = undefined;
    this.#items.push(item);
  }

  shift(): Item | undefined {
    if (this.#items.length === 1) this.#chunk = undefined;
    return this.#items.shift();
  }

  clear(): void {
    this.#items = [];
    this.#chunk = undefined;
  }

  #addSmall(piece: Buffer): void {
    const isNew = this.#chunk === undefined || this.#filled + piece.length > this.#chunk.length;
    if (isNew) this.#filled = 0;
    // The first one that waits is often the only one.
    const chunk = isNew ? Buffer.allocUnsafe(this.#items.length === 0 ? Math.max(piece.length, 512) : CHUNK_BYTES) : this.#chunk;
    if (chunk === undefined) return;
    this.#chunk = chunk;
    this.#filled += piece.copy(chunk, this.#filled);
    const item = chunk.subarray(0, this.#filled);
    if (isNew) this.#items.push(item);
    else this.#items[this.#items.length - 1] = item;
  }
}

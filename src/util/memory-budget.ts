/**
 * A ceiling on bytes that many holders keep in memory together.
 */
export class MemoryBudget {
  readonly maxBytes: number;
  #free: number;

  /** @param maxBytes for all holders */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.#free = maxBytes;
  }

  get used(): number {
    return this.maxBytes - this.#free;
  }

  /** @returns false when there is not so much left; nothing is taken then */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  /** Give back what was taken. */
  give(bytes: number): void {
    this.#free += bytes;
  }
}

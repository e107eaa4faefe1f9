/** What is remembered of a file, some hundred bytes each: what has been forgotten is written again. */
const MAX_KEYS = 5000;

/** What stands in a file once, as far as is remembered. */
export class WrittenOnce {
  /** the earliest first */
  readonly #keys = new Set<string>();

  /** Whether this was not asked before. @param key of what is to stand in it once */
  first(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > MAX_KEYS) for (const earliest of this.#keys) return this.#keys.delete(earliest);
    return true;
  }
}

/**
 * Who has won which key, among those who claim in this process. In memory only: with the process all claims lapse.
 */

/** Nothing but itself. */
export type Holder = object;

export class Claims {
  readonly #holders = new Map<string, Holder>();
  /** who waits for a key that another holds */
  readonly #waiting = new Map<string, Set<() => void>>();

  holderOf(key: string): Holder | undefined {
    return this.#holders.get(key);
  }

  /** @returns false when it is somebody's already */
  take(key: string, holder: Holder): boolean {
    if (this.#holders.has(key)) return false;
    this.#holders.set(key, holder);
    return true;
  }

  free(key: string, holder: Holder): void {
    if (this.#holders.get(key) !== holder) return;
    this.#holders.delete(key);
    if (this.#waiting.size > 0) for (const wake of [...(this.#waiting.get(key) ?? [])]) wake();
  }

  lapse(holder: Holder): void {
    for (const [key, each] of this.#holders) if (each === holder) this.free(key, holder);
  }

  /** Resolves when one of these is held by nobody else; at once when there is none that is. */
  freed(keys: readonly string[], self: Holder): Promise<void> {
    const isFree = (key: string) => [undefined, self].includes(this.#holders.get(key));
    if (keys.length === 0 || keys.some(isFree)) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        for (const key of keys)
          if (this.#waiting.get(key)?.delete(wake) === true && this.#waiting.get(key)?.size === 0) this.#waiting.delete(key);
        resolve();
      };
      for (const key of keys) {
        const others = this.#waiting.get(key);
        if (others === undefined) this.#waiting.set(key, new Set([wake]));
        else others.add(wake);
      }
    });
  }
}

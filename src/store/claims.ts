/**
 * Who has won which key, among those who claim in this process. In memory only: with the process all claims lapse.
 */

/** Nothing but itself. */
export type Holder = object;

export class Claims {
  readonly #holders = new Map<string, Holder>();

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
    if (this.#holders.get(key) === holder) this.#holders.delete(key);
  }

  lapse(holder: Holder): void {
    for (const [key, each] of this.#holders) if (each === holder) this.#holders.delete(key);
  }
}

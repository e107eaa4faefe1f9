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

  /** @returns false when another has it */
  take(key: string, holder: Holder): boolean {
    const now = this.#holders.get(key);
    if (now === undefined) this.#holders.set(key, holder);
    return now === undefined || now === holder;
  }

  free(key: string, holder: Holder): void {
    if (this.#holders.get(key) === holder) this.#holders.delete(key);
  }

  lapse(holder: Holder): void {
    for (const [key, each] of this.#holders) if (each === holder) this.#holders.delete(key);
  }
}

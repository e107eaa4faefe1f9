/**
 * Counts of observations by size. What costs is a search in a few numbers; nothing is allocated.
 */
/** Without its bounds. */
export interface Observed {
  readonly counts: readonly number[];
  readonly sum: number;
}

export class Histogram {
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds upper ones, in ascending order */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] ?? Infinity)) index++;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  /** Add those of another with the same bounds. */
  add({ counts, sum }: Observed): void {
    for (const [index, count] of counts.entries()) this.#counts[index] = (this.#counts[index] ?? 0) + count;
    this.#sum += sum;
  }

  /** What there is, and from now on nothing. */
  take(): Observed {
    const taken = { counts: this.counts, sum: this.#sum };
    this.#counts.fill(0);
    this.#sum = 0;
    return taken;
  }

  /** Of each bound alone, then of what is beyond the last. */
  get counts(): readonly number[] {
    return [...this.#counts];
  }

  get sum(): number {
    return this.#sum;
  }
}

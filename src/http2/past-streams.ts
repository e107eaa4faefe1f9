/**
 * Streams of a session that are over, and of which something may still come.
 */
const REMEMBERED = 256;

/** By our reset, by theirs, or because both sides had said all. */
export type Ending = 'ours' | 'theirs' | 'whole';

export class PastStreams {
  readonly #streams = new Map<number, Ending>();

  has(id: number): boolean {
    return this.#streams.has(id);
  }

  endingOf(id: number): Ending | undefined {
    return this.#streams.get(id);
  }

  add(id: number, ending: Ending): void {
    this.#streams.set(id, ending);
    if (this.#streams.size <= REMEMBERED) return;
    for (const oldest of this.#streams.keys()) {
      this.#streams.delete(oldest);
      break;
    }
  }
}

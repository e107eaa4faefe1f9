/**
 * One direction of a flow that several have to keep up with: it flows while none of them holds it.
 *
 * Each holder is a bit, so that a valve is one number; whoever lets go sees to it that the flow goes on.
 */
export class Valve {
  #held: number;

  /** @param held bits of those who hold it at first */
  constructor(held: number) {
    this.#held = held;
  }

  /** Nobody holds it. */
  get open(): boolean {
    return this.#held === 0;
  }

  isHeldBy(holder: number): boolean {
    return (this.#held & holder) !== 0;
  }

  set(holder: number, held: boolean): void {
    if (held) this.#held |= holder;
    else this.#held &= ~holder;
  }

  /** Let go. @returns true when that was the last one who held it */
  release(holder: number): boolean {
    if ((this.#held & holder) === 0) return false;
    this.#held &= ~holder;
    return this.#held === 0;
  }
}

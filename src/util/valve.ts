/**
 * One direction of a flow that several have to keep up with: it flows while none of them holds it.
 *
 * Each holder is a bit, so that a valve is one number.
 */
export class Valve {
  #held: number;
  readonly #onOpen: () => void;

  /**
   * @param held bits of those who hold it at first
   * @param onOpen called each time when the last holder has let go
   */
  constructor(held: number, onOpen: () => void) {
    this.#held = held;
    this.#onOpen = onOpen;
  }

  /** Nobody holds it. */
  get open(): boolean {
    return this.#held === 0;
  }

  isHeldBy(holder: number): boolean {
    return (this.#held & holder) !== 0;
  }

  hold(holder: number): void {
    this.#held |= holder;
  }

  /** Let go. Who holds nothing changes nothing. */
  release(holder: number): void {
    if ((this.#held & holder) === 0) return;
    this.#held &= ~holder;
    if (this.#held === 0) this.#onOpen();
  }

  /** The same without telling: for the one who asks `open` right afterwards. */
  set(holder: number, held: boolean): void {
    if (held) this.#held |= holder;
    else this.#held &= ~holder;
  }
}

/** Where the threads of a regex machine are while they advance: used between pauses only, so that all machines can share one. */
export class Scratch {
  threads = new Int32Array(0);
  reached = new Int32Array(0);
  stack = new Int32Array(0);
  visited = new Uint32Array(0);
  #round = 0;

  reserve(size: number): void {
    if (this.visited.length >= size) return;
    this.threads = new Int32Array(size);
    this.reached = new Int32Array(size);
    this.stack = new Int32Array(size + 1);
    this.visited = new Uint32Array(size);
    this.#round = 0;
  }

  /** A number that stands nowhere in `visited`. */
  nextRound(): number {
    this.#round += 1;
    if (this.#round > 0xffffffff) {
      this.visited.fill(0);
      this.#round = 1;
    }
    return this.#round;
  }
}

/**
 * Bytes that wait to be sent, in the pieces in which they came, and taken in others.
 */
export class SendQueue {
  #pieces: Buffer[] = [];
  /** of the first piece, what has been taken already */
  #at = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** @param bytes at most as many as there are */
  take(bytes: number, into: Buffer[]): void {
    this.#bytes -= bytes;
    let left = bytes;
    let used = 0;
    while (left > 0) {
      const piece = this.#pieces[used];
      if (piece === undefined) break;
      const rest = piece.length - this.#at;
      if (rest <= left) {
        into.push(this.#at === 0 ? piece : piece.subarray(this.#at));
        this.#at = 0;
        used++;
        left -= rest;
      } else {
        into.push(piece.subarray(this.#at, this.#at + left));
        this.#at += left;
        left = 0;
      }
    }
    if (used === this.#pieces.length) this.#pieces = [];
    else if (used > 0) this.#pieces.splice(0, used);
  }

  clear(): void {
    this.#pieces = [];
    this.#at = this.#bytes = 0;
  }
}

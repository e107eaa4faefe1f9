/**
 * How a scan gets from record to record in one file.
 */

export interface Walk {
  /** what a record begins with */
  readonly magic: Buffer;
  /**
   * Where the whole record ends that begins at a place.
   *
   * @param onPiece sees what is unpacked on the way, of a packed file
   * @throws CutOffError when the file ends before it does, OtherLayoutError, or an Error with what is wrong with it
   */
  recordEnd(start: number, onPiece?: (piece: Buffer) => void): Promise<number>;
  /** How far no record begins behind one that is not whole: what stands in that one's block is none. */
  afterBroken(start: number): Promise<number>;
  /** How far no record begins, knowing that none begins at `start`, though it begins as one does. */
  afterHopeless(start: number): Promise<number>;
}

/** Legal for other tools, but not how we write, and not to be cut. */
export class OtherLayoutError extends Error {}

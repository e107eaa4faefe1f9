/**
 * A place in a file that bytes can go to at once, instead of a temporary file, because that is where they are bound for.
 */

export interface SpoolPlace {
  /** of the file, which is open until `release` */
  readonly fd: number;
  /** where in the file the first byte goes */
  readonly start: number;
  /** Nothing is written or read any more. What has not been taken for good by then is given up. Called once. */
  release(): void;
}

/** @returns undefined where there is none; never rejects */
export type TakePlace = () => Promise<SpoolPlace | undefined>;

/**
 * What is to be done with each WARC file that is finished: a command, an upload. Each in its turn.
 */

/** A file that is closed and has its name. */
export interface FinishedFile {
  /** where it is */
  readonly file: string;
  /** path below the folder of WARC files, with `/` on all systems */
  readonly path: string;
  /** of its name; undefined where the name does not tell */
  readonly prefix: string | undefined;
  /** bytes */
  readonly size: number;
  /** `sha256:` and hex digits */
  readonly digest: string;
}

export interface Step {
  /** as the journal and `/status` call it */
  readonly name: string;
  /** files at once */
  readonly atOnce: number;
  /** how often it is tried before it is left to the next start; Infinity for what others may mend meanwhile */
  readonly tries: number;
  /**
   * Do it, whole. It may have been done before, by a run that did not live to write that down.
   *
   * @param signal the program ends: what is not done is done at the next start
   * @throws when it is not done
   */
  run(file: FinishedFile, signal: AbortSignal): Promise<void>;
  close?(): void;
}

/** What programs show of themselves in numbers: the live line, the summary in the log, `figures()` of the library. */

/** What a core has done so far, and is doing. */
export interface Figures {
  /** exchanges and records of clients that have passed, written or not */
  readonly captures: number;
  /** those of them that were written whole */
  readonly new: number;
  /** those of them that were written as revisits, because their payload was there already */
  readonly duplicates: number;
  /** fetches that failed */
  readonly errors: number;
  readonly warcBytes: number;
  /** WARC files, open or not */
  readonly warcFiles: number;
  /** requests that are under way, and those that wait for their turn */
  readonly active: number;
  readonly waiting: number;
  /** captures that wait to be written */
  readonly queued: number;
}

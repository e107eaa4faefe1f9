/**
 * Where a record stands, as the indexes keep it.
 */
export interface RecordPlace {
  /** path below the folder of WARC files, without `.open` */
  readonly file: string;
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
}

/** What a crash has left of the WARC files that were open. */
export interface Lost {
  /** of each file, where what is whole ends: records from there on are lost */
  readonly ends: ReadonlyMap<string, number>;
  /** files that are open still, in another process, or could not be looked at */
  readonly unknown: ReadonlySet<string>;
}

export function isLost({ file, offset }: RecordPlace, { ends }: Lost): boolean {
  return offset >= (ends.get(file) ?? Infinity);
}

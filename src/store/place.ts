/**
 * Where a record stands, as the indexes keep it.
 */
export interface RecordPlace {
  /** path below the folder of WARC files, without `.open` */
  readonly file: string;
  /** bytes from the start of the (compressed) file */
  readonly offset: number;
}

export type IsLost = (place: RecordPlace) => boolean;

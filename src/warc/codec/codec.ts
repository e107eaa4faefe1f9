/**
 * How records stand in a file: as they are, or each packed for itself, so that one can be read without those before it.
 *
 * One interface for who writes (`encoders.ts` lists what there is), one for who reads (`decoders.ts`). Neither knows what a record says.
 * Source: ISO 28500:2017 Annex D (record-at-a-time compression).
 */
import type { RecordBytes } from '../record.ts';
import type { FileWindow } from '../window.ts';

export type CodecName = 'none' | 'gzip' | 'zstd';

/** A record as it stands in the file, in pieces; undefined for one that has to be streamed. */
export type UnitPieces = readonly Buffer[] | undefined;

/** The records of one batch as they stand in the file, made ahead as far as that pays. */
export interface Units {
  /** Those of the next record. A promise only when it is being made elsewhere: one for each record would cost as much as the rest of the work. */
  next(): UnitPieces | Promise<UnitPieces>;
}

/** Takes pieces, which are its own until the promise is fulfilled. */
export type Sink = (pieces: readonly Buffer[]) => Promise<void>;

/** Of all files of a pool, and closed with it. */
export interface Encoder {
  /** what names of files end with: `.warc`, `.warc.gz` */
  readonly suffix: string;
  /** what a file begins with in front of its first record; nothing where this is left out */
  readonly start?: () => Promise<Buffer>;
  /** @param records in the order in which they are written; the files that they go to may change in between */
  units(records: readonly RecordBytes[]): Units;
  /**
   * Give a record to `sink` piece by piece, waiting for each; memory stays flat.
   *
   * @param into as `Bytes.read`
   */
  stream(record: RecordBytes, into: Buffer, sink: Sink): Promise<void>;
  /** how a record stands in a file whose block is there before its head; left out where that cannot be */
  readonly ahead?: Ahead;
  close(): Promise<void>;
}

/** A record whose block goes to the file as it comes, behind room for a head that nobody knows yet. */
export interface Ahead {
  /** Of so many bytes: the beginning of a record that has no end, whatever stands behind it. */
  placeholder(room: number): Buffer;
  /** What stands there in the end; undefined where the head does not fit. */
  head(head: string, room: number): Buffer | undefined;
  /** What stands behind the block. */
  readonly end: Buffer;
}

/** One record in a file, or with what follows it where only its header says where it ends. */
export interface Unit {
  /** What was packed. @throws when it is cut off or damaged; the last piece comes before its checksum was seen */
  data(): AsyncGenerator<Buffer, void>;
  /** where it ends in the file, once all of `data()` was read; always undefined where units have no end of their own */
  readonly end: number | undefined;
  /** Of one that may be in several pieces: all of the record has come, and what stands behind the piece that is read now is another's. */
  last?(): void;
}

export interface Decoder {
  /** what a unit begins with: by it a file is recognised, and a record searched for */
  readonly magic: Buffer;
  /** what a file may begin with besides */
  readonly alsoBegins?: Buffer;
  /** a unit has an end of its own; otherwise only the header of its record says where it ends */
  readonly delimits: boolean;
  /** For one file: what its beginning may say holds for all units in it. @returns the unit that begins at a place */
  open(window: FileWindow): (start: number) => Unit;
}

/**
 * What stands around a stream of HTTP/2: who uses it, and the connection that carries it.
 */
import type { FieldList } from './field-list.ts';
import type { SessionStream } from './stream.ts';

/** What the one who uses a stream is told. */
export interface StreamEvents {
  /** A head that came in answer: interim ones, then the final one. @param ended nothing follows it */
  onHead?(list: FieldList, ended: boolean): void;
  onData(piece: Buffer): void;
  onTrailers(list: FieldList): void;
  /** all has come, and was told */
  onEnd(): void;
  /** what waited has gone out, after `write` was false */
  onDrain(): void;
  /**
   * It is over, and nothing more is told.
   *
   * @param code CODE.none when both sides have ended, or said so; undefined when the connection has gone
   */
  onClosed(code: number | undefined): void;
}

/** What a stream needs of its connection. */
export interface StreamConnection {
  ready(stream: SessionStream): void;
  headers(stream: SessionStream, list: FieldList, ended: boolean): void;
  reset(stream: SessionStream, code: number): void;
  widen(stream: SessionStream, more: number): void;
  over(stream: SessionStream): void;
  /** it answers: once that has ended, nothing more of the request is wanted */
  readonly answers: boolean;
}

/**
 * What stands around a session of HTTP/2: how it is to be, and who owns it.
 */
import type { FieldList } from './field-list.ts';
import type { Settings } from './settings.ts';
import type { SessionStream } from './stream.ts';

export interface SessionOptions {
  readonly settings: Settings;
  /** bytes of all streams that may come unasked, at least 65,535 */
  readonly sessionWindow: number;
  /** of a list of fields, by the count of RFC 9113 §6.5.2 */
  readonly maxListSize: number;
  readonly maxFields: number;
}

/** What the one who owns a session is told. */
export interface SessionEvents {
  /** A client asks. @param list undefined when it is longer than may be @param ended nothing follows */
  onRequest?(stream: SessionStream, list: FieldList | undefined, ended: boolean): void;
  /** the other side has said how it wants to be spoken to, for the first time or anew */
  onSettings?(): void;
  /** no stream past this one is looked at */
  onGoaway?(lastStream: number): void;
  /** a stream was reset by the other side, or for what that did */
  onReset?(): void;
  /** the connection is over, all of its streams have been told */
  onClosed(): void;
  /** what was thrown by whom is told of something */
  onFault(error: unknown): void;
}

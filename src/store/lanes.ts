/**
 * Lanes: the captures of a URL, sorted into what they can answer, so that the best is found by looking at the end of a lane.
 *
 * ```
 * KEY whole       2xx, all of it; KEY is the method, with a digest of the request's body if it has one
 * KEY cut         the same, of which the end is missing
 * KEY other       redirects and errors
 * KEY range 0-99  206 and 416, which only who asks for just that range can use; once for each way to ask for it
 * custom          records that a client wrote, and the messages of WebSockets, for who asks for them as for a page
 * websocket       the messages of WebSockets, for who opens one
 * unknown         what a version without lanes has indexed: answers of whatever status to any method but HEAD, and records of clients
 * unknown HEAD    the same, to HEAD
 * ```
 *
 * 304 and 412 answer a condition that nobody else sets, and 101 begins what is no answer any more: they are in no lane.
 * Which lanes a request looks into, and in what order, is for playback/choice.ts.
 */
export type Lane = string;

export const CUSTOM: Lane = 'custom';
export const WEBSOCKET: Lane = 'websocket';
export const UNKNOWN: Lane = 'unknown';
export const UNKNOWN_HEAD: Lane = 'unknown HEAD';

export type Kind = 'whole' | 'cut' | 'other';

export function lane(key: string, kind: Kind): Lane {
  return `${key} ${kind}`;
}

/** @param text as of `rangeText` */
export function rangeLane(key: string, text: string): Lane {
  return `${key} range ${text}`;
}

/** Whether an answer of this status is of use only to requests with the same Range, or the same conditions. */
export function isConditional(status: number): boolean {
  return isOfRange(status) || status === 304 || status === 412;
}

export function isOfRange(status: number): boolean {
  return status === 206 || status === 416;
}

export interface Answered {
  /** as of `RequestKey` */
  readonly key: string;
  readonly status: number;
  readonly truncated: boolean;
  /** what it answers if it is a range, as of `rangeText` */
  readonly ranges: readonly string[];
}

export function lanesOf({ key, status, truncated, ranges }: Answered): readonly Lane[] {
  if (isOfRange(status)) return [...new Set(ranges)].map((text) => rangeLane(key, text));
  if (isConditional(status) || status < 200) return [];
  if (status >= 300) return [lane(key, 'other')];
  return [lane(key, truncated ? 'cut' : 'whole')];
}

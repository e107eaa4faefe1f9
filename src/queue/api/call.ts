/**
 * What one call of the API is, for whoever answers it, and what it may answer.
 */
import type { Identity } from '../access.ts';

export interface Call {
  /** in upper case; HEAD is told as GET */
  readonly method: string;
  /** what follows the path of a route that ends with a slash, as it came; otherwise empty */
  readonly rest: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly who: Identity;
}

export interface Reply {
  /** 200 by default */
  readonly status?: number;
  /** one JSON value, unless there are `text` or `pieces`; null by default */
  readonly json?: unknown;
  readonly text?: string;
  /** server-sent events, in place of all of these */
  readonly events?: ReadableStream<Uint8Array>;
  /** JSON that is told in pieces; asked for once more when it is too long to be kept */
  readonly pieces?: () => AsyncIterable<string>;
  /** called when nothing more of the pieces will be asked for */
  readonly close?: () => Promise<void>;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answering = (call: Call) => Promise<Reply> | Reply;

export interface Route {
  /** a worker's key will do, too */
  readonly forWorkers: boolean;
  readonly methods: Readonly<Record<string, Answering>>;
}

/** By path; where it ends with a slash, whatever follows belongs to it. */
export type Routes = Readonly<Record<string, Route>>;

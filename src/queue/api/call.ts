/**
 * What one call of the API is, for whoever answers it, and what it may answer.
 */
import type { Identity } from '../access.ts';

export interface Call {
  /** in upper case; HEAD is told as GET */
  readonly method: string;
  /** what follows the path that the route is known by, as it came; empty for most */
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
  /** something may follow the path: a slash, and what `Call.rest` says */
  readonly open?: true;
  readonly methods: Readonly<Record<string, Answering>>;
}

/** By path. */
export type Routes = Readonly<Record<string, Route>>;

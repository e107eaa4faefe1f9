/**
 * The dedup index: for a payload and a bucket, the `response` record that holds the payload, or who is about to write it.
 *
 * Asking and claiming are one step, so that of many who come with the same payload at the same time one writes it, and no two.
 *
 * ```
 *            claim                    publish
 * nothing ─────────► held by its ───────────────► known to all
 *    ▲               winner     │
 *    └───────────────────────────┘ release, or the winner is gone
 * ```
 *
 * Source: spec/warcprox.md §4 (Dedup).
 */
import type { Lost, RecordPlace } from './place.ts';

/** What a revisit refers to. */
export interface Original {
  /** WARC-Record-ID: `<urn:uuid:…>` */
  readonly recordId: string;
  /** WARC-Target-URI */
  readonly url: string;
  /** WARC-Date, with milliseconds whatever the version of the format */
  readonly date: string;
  /** status and Location of its response, as `answerOf` has them; undefined where that is not known */
  readonly answer?: string | undefined;
}

/** A key that is asked for. */
export interface Wanted {
  readonly key: string;
  /** who asks would write the original; otherwise it only looks */
  readonly claims: boolean;
}

/**
 * What is there under a key: the original; `won`, nothing, and who asks is the one to write it, now or since an earlier call; `held`,
 * nothing yet, but another is about to write it; undefined, nothing, for who only looked.
 */
export type Standing = Original | 'won' | 'held' | undefined;

/** An original whose record is in its file. */
export interface Published {
  readonly key: string;
  readonly original: Original;
  /** so that its entry can be dropped when a crash has taken its record */
  readonly place: RecordPlace;
}

/** The index as one of those sees it who claim: a chain, a process. What it has won is its own until it publishes, releases or closes. */
export interface DedupIndex {
  /**
   * Ask for many keys in one step. A key may come more than once, and gets the same answer each time.
   *
   * @returns in the same order; a promise only when the store has to be asked
   * @throws the store's error; nothing was claimed then
   */
  claim(wanted: readonly Wanted[]): readonly Standing[] | Promise<readonly Standing[]>;
  /**
   * Remember originals, in one write; they are known then, and held no more. Those that another holds are left out: it publishes its own.
   *
   * @throws the store's error; what was won is still held
   */
  publish(originals: readonly Published[]): Promise<void>;
  /**
   * Wait for what others hold: resolves when at least one of these keys is published, released, or its holder is gone, and may be asked for
   * again. At once when none of them is held by another. Who waits holds nothing itself, so that no two wait for each other.
   */
  freed(keys: readonly string[]): Promise<void>;
  /**
   * Whether what was won may be another's by now, as its holder could not say in time that it is there: to be asked right before it is
   * written. Only where claims end by themselves.
   */
  readonly lapsed?: boolean;
  /** Let others have what was won. What has been published meanwhile, or was never won, may be among it. */
  release(keys: readonly string[]): Promise<void> | void;
  /** Release all. */
  close(): Promise<void>;
}

export interface DedupStore {
  /** One more who claims. */
  holder(): DedupIndex;
  /**
   * Drop the entries whose record is lost, at each start. Costs time by what was open, not by what is stored.
   *
   * @returns how many were dropped
   */
  drop(lost: Lost): Promise<number>;
}

/** What a payload was the answer of: two responses that differ in it say different things with the same body. */
export function answerOf({ status, location }: { readonly status: number; readonly location: string | undefined }): string {
  return location === undefined ? `${status}` : `${status} ${location}`;
}

/** @param digest labelled; without `|` */
export function dedupKey(digest: string, bucket: string): string {
  return `${digest}|${bucket}`;
}

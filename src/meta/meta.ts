/**
 * What a client said in Warcprox-Meta, understood and checked: the only form in which the other rooms see it.
 *
 * Source: spec/warcprox.md §5.
 */

export interface Meta {
  /** the whole JSON object, unknown fields included: plugins read their own from it */
  readonly raw: Readonly<Record<string, unknown>>;
  /** undefined without one: the proxy's own prefix holds */
  readonly warcPrefix: string | undefined;
  /** in the order in which they are asked; empty without any, when the bucket with the empty name is used */
  readonly dedupBuckets: readonly DedupBucket[];
  /** false: this capture may not serve as an original */
  readonly dedupOk: boolean;
  /** empty without any, when `__unspecified__` is tallied */
  readonly statsBuckets: readonly StatsBucket[];
  readonly limits: readonly Limit[];
  readonly softLimits: readonly Limit[];
  readonly blocks: readonly UrlRule[];
  readonly mimeTypeFilters: readonly MimeTypeFilter[];
  /** the client wants to know the WARC-Date */
  readonly acceptsCaptureMetadata: boolean;
  /** what the crawl log reads of `metadata`; undefined where it is absent or no string */
  readonly metadata: {
    readonly seed: string | undefined;
    readonly hopPath: string | undefined;
    readonly brozzledUrl: string | undefined;
    readonly hopViaUrl: string | undefined;
  };
}

export interface DedupBucket {
  readonly name: string;
  /** `ro`: asked, but nothing is stored in it */
  readonly mode: 'rw' | 'ro';
}

export interface StatsBucket {
  readonly name: string;
  /** normalised domains that are tallied apart, as `NAME:domain` */
  readonly tallyDomains: readonly string[];
}

/** `"bucket/sub-bucket/statistic": number` */
export interface Limit {
  /** as the client wrote it */
  readonly key: string;
  readonly bucket: string;
  readonly subBucket: 'total' | 'new' | 'revisit';
  readonly statistic: 'urls' | 'wire_bytes';
  readonly value: number;
}

export interface UrlRule {
  /** as the client wrote it */
  readonly raw: Readonly<Record<string, unknown>>;
  /** @param parentUrl URL of the page that the request came from, if known */
  matches(url: string, parentUrl: string | undefined): boolean;
}

export interface MimeTypeFilter {
  readonly type: 'REJECT' | 'LIMIT';
  /** whether the regex matches at the start */
  matches(contentType: string): boolean;
}

/** Of a request without Warcprox-Meta. */
export const NO_META: Meta = Object.freeze({
  raw: Object.freeze({}),
  warcPrefix: undefined,
  dedupBuckets: [],
  dedupOk: true,
  statsBuckets: [],
  limits: [],
  softLimits: [],
  blocks: [],
  mimeTypeFilters: [],
  acceptsCaptureMetadata: false,
  metadata: Object.freeze({ seed: undefined, hopPath: undefined, brozzledUrl: undefined, hopViaUrl: undefined }),
});

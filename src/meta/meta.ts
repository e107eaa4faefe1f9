/**
 * What a client said in Warcprox-Meta, understood and checked: the only form in which the other rooms see it.
 *
 * Source: spec/warcprox.md §5.
 */
import type { JsonObject } from './json.ts';
import type { Regex } from '../regex/regex.ts';

export interface Meta {
  /** the whole JSON object, unknown fields included: plugins read their own from it */
  readonly raw: JsonObject;
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
  /** what the crawl log and listeners to captures read of `metadata`; undefined where it is absent or no string */
  readonly metadata: {
    readonly seed: string | undefined;
    /** of the crawl job that asked for it */
    readonly jobId: string | undefined;
    readonly hopPath: string | undefined;
    readonly brozzledUrl: string | undefined;
    readonly hopViaUrl: string | undefined;
  };
  /** what was skipped, one line each: for the log */
  readonly warnings: readonly string[];
  /** bytes of memory that it takes, about, with the text that it was made of and decompressed rules */
  readonly size: number;
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

export const SUB_BUCKETS = ['total', 'new', 'revisit'] as const;
export const STATISTICS = ['urls', 'wire_bytes'] as const;
export type SubBucket = (typeof SUB_BUCKETS)[number];
export type Statistic = (typeof STATISTICS)[number];

/** `"bucket/sub-bucket/statistic": number` */
export interface Limit {
  /** as the client wrote it */
  readonly bucket: string;
  /** the same with the domain of `NAME:domain` normalised, the form in which domains are tallied */
  readonly normalBucket: string;
  readonly subBucket: SubBucket;
  readonly statistic: Statistic;
  readonly value: number;
}

/** As the client wrote it where that can be compared as it is, else with what was made of it: `rules.ts` tells them apart. */
export type UrlRule = RuleTexts | MadeRule;

export type RuleTexts = {
  readonly exact?: boolean | null;
  /** normalised */
  readonly domain?: string | undefined;
  readonly surt?: string | undefined;
  readonly ssurt?: string | undefined;
  readonly substring?: string | undefined;
};

export interface MadeRule {
  readonly raw: JsonObject;
  readonly texts: RuleTexts;
  readonly regex: Regex | undefined;
  readonly parentRegex: Regex | undefined;
}

export interface MimeTypeFilter {
  readonly type: 'REJECT' | 'LIMIT';
  /** is to match at the start */
  readonly regex: Regex;
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
  metadata: Object.freeze({ seed: undefined, hopPath: undefined, brozzledUrl: undefined, hopViaUrl: undefined, jobId: undefined }),
  warnings: [],
  size: 0,
});

/**
 * Which captures are deduplicated, and under which keys: the same for the step that looks up and the step that saves.
 *
 * Any status and any method counts, as long as there is a payload. Cut responses are a kind of their own: their payload is the beginning
 * of something unknown, so one serves as original only for others that were cut for the same reason. A revisit cannot say why its payload
 * is incomplete (its WARC-Truncated stands for the payload left out), the original that it refers to says it then.
 * Source: spec/warcprox.md §4 (Dedup); ISO 28500:2017 §5.13.
 */
import type { Capture, ExchangeCapture, RecordedResponse } from '../capture/capture.ts';
import { isExchange } from '../capture/kinds.ts';
import { mediaTypeIn } from '../http/media-type.ts';
import type { DedupBucket, Meta } from '../meta/meta.ts';
import { dedupKey } from '../store/dedup.ts';
import { remembered } from '../util/remembered.ts';

export interface DedupRules {
  /** only payloads larger than this, in bytes */
  readonly minTextSize: number;
  readonly minBinarySize: number;
  /** only captures whose client named a bucket */
  readonly onlyWithBucket: boolean;
}

const NO_BUCKET: readonly DedupBucket[] = [{ name: '', mode: 'rw' }];
const TEXT = new Set([
  'application/xml',
  'application/javascript',
  'application/json',
  'application/xhtml+xml',
  'application/typescript',
  'image/svg+xml',
]);

export function isDedupable(capture: Capture, rules: DedupRules): capture is ExchangeCapture {
  if (!isExchange(capture) || (rules.onlyWithBucket && capture.meta.dedupBuckets.length === 0)) return false;
  const { payloadSize, contentType } = capture.response;
  return payloadSize > (isText(contentType ?? '') ? rules.minTextSize : rules.minBinarySize);
}

/** The buckets of a capture, in the order in which they are asked. */
export function dedupBucketsOf({ dedupBuckets }: Meta): readonly DedupBucket[] {
  return dedupBuckets.length === 0 ? NO_BUCKET : dedupBuckets;
}

export function dedupKeyOf({ payloadDigest, truncated }: RecordedResponse, bucket: DedupBucket): string {
  return dedupKey(truncated === undefined ? payloadDigest : `${payloadDigest}/${truncated}`, bucket.name);
}

const isText = remembered((contentType) => {
  const type = mediaTypeIn(contentType).toLowerCase();
  return type.startsWith('text/') || TEXT.has(type);
});

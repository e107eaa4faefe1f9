/**
 * Claims that have ended before what they are for is written, as a process that stood still for too long cannot keep them: asked for again.
 *
 * What another has published meanwhile becomes a revisit of that; what another holds is written all the same, which is true, and not published.
 * Whatever in the batch refers to a capture that is a revisit now refers to what that one does.
 */
import type { Capture, ExchangeCapture } from '../capture/capture.ts';
import type { DedupIndex, Original } from '../store/dedup.ts';
import { isToBeArchived } from './decision.ts';
import { dedupBucketsOf, dedupKeyOf, isDedupable, type DedupRules } from './dedup-rules.ts';

export interface LapsedClaimsOptions {
  readonly index: Pick<DedupIndex, 'claim' | 'lapsed'>;
  /** gets the keys that are won again */
  readonly won: string[];
  readonly rules: DedupRules;
  /** as the WARC writer has them */
  readonly methods: readonly string[];
}

/** @returns for the step that writes, to be called right before: a promise only where claims have ended */
export function lapsedClaims({
  index,
  won,
  rules,
  methods,
}: LapsedClaimsOptions): (batch: readonly Capture[]) => Promise<void> | undefined {
  const wanted = new Set(methods);
  const isOriginal = (capture: Capture): capture is ExchangeCapture =>
    isToBeArchived(capture, wanted) && isDedupable(capture, rules) && capture.outcome.duplicateOf === undefined && capture.meta.dedupOk;

  const claimAgain = async (batch: readonly Capture[]): Promise<void> => {
    const keys = batch.filter(isOriginal).flatMap((capture) => {
      const buckets = dedupBucketsOf(capture.meta).filter(({ mode }) => mode === 'rw');
      return buckets.map((bucket) => ({ capture, key: dedupKeyOf(capture.response, bucket) }));
    });
    const standings = await index.claim(keys.map(({ key }) => ({ key, claims: true })));
    const replaced = new Map<string, Original>();
    for (const [nth, { capture, key }] of keys.entries()) {
      const standing = standings[nth];
      if (standing === 'won') won.push(key);
      else if (typeof standing === 'object') replaced.set(capture.recordId, (capture.outcome.duplicateOf = standing));
    }
    for (const { outcome } of batch) outcome.duplicateOf = replaced.get(outcome.duplicateOf?.recordId ?? '') ?? outcome.duplicateOf;
  };

  return (batch) => (index.lapsed === true ? claimAgain(batch) : undefined);
}

/**
 * `DedupDb`: remembers the payloads that were written as `response` records, so that later captures can refer to them.
 *
 * Comes after the WARC writer: no entry is made before its record is in the file. What the batch has won and not written others may write.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import type { Capture } from '../capture/capture.ts';
import { answerOf, type DedupIndex, type Published } from '../store/dedup.ts';
import { isoDate } from '../util/iso-date.ts';
import { dedupBucketsOf, dedupKeyOf, isDedupable, type DedupRules } from './dedup-rules.ts';
import type { Processor } from './processor.ts';

export interface DedupDbOptions {
  /** closed with this step */
  readonly index: Pick<DedupIndex, 'publish' | 'release' | 'close'>;
  /** the keys that `DedupLoader` has won for the batch; emptied */
  readonly won: string[];
  readonly rules: DedupRules;
}

export function dedupDb({ index, won, rules }: DedupDbOptions): Processor {
  const publish = async (originals: readonly Published[], claimed: readonly string[]): Promise<void> => {
    try {
      await index.publish(originals);
    } finally {
      await index.release(claimed);
    }
  };

  return {
    name: 'DedupDb',
    process(batch) {
      const originals: Published[] = [];
      for (const capture of batch) addOriginals(originals, capture, rules);
      const claimed = won.splice(0);
      if (originals.length > 0) return publish(originals, claimed);
      return claimed.length === 0 ? undefined : index.release(claimed);
    },
    close: () => index.close(),
  };
}

/** What a capture that was written is the original of: its payload, in each bucket that is not only read. */
function addOriginals(originals: Published[], capture: Capture, rules: DedupRules): void {
  const { meta, outcome } = capture;
  const principal = outcome.records?.[0];
  if (principal?.type !== 'response' || !meta.dedupOk || !isDedupable(capture, rules)) return;
  const original = { recordId: principal.id, url: capture.url, date: isoDate(capture.startedAt), answer: answerOf(capture.response) };
  const place = { file: principal.path, offset: principal.offset };
  for (const bucket of dedupBucketsOf(meta)) {
    if (bucket.mode === 'rw') originals.push({ key: dedupKeyOf(capture.response, bucket), original, place });
  }
}

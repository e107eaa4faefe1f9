/**
 * `DedupDb`: remembers the payloads that were written as `response` records, so that later captures can refer to them.
 *
 * Comes after the WARC writer: no entry is made before its record is in the file.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import type { DedupStore } from '../store/level/dedup-store.ts';
import { isoDate } from '../util/iso-date.ts';
import { dedupBucketsOf, dedupKeyOf, isDedupable, type DedupRules } from './dedup-rules.ts';
import type { Processor } from './processor.ts';

export interface DedupDbOptions {
  readonly store: Pick<DedupStore, 'save'>;
  readonly rules: DedupRules;
}

export function dedupDb({ store, rules }: DedupDbOptions): Processor {
  return {
    name: 'DedupDb',
    process(batch) {
      const originals: Parameters<DedupStore['save']>[0][number][] = [];
      for (const capture of batch) {
        const principal = capture.outcome.records?.[0];
        if (principal?.type !== 'response') continue;
        if (!capture.meta.dedupOk || !isDedupable(capture, rules)) continue;
        const entry = { recordId: principal.id, url: capture.url, date: isoDate(capture.startedAt) };
        const place = { file: principal.path, offset: principal.offset };
        for (const bucket of dedupBucketsOf(capture.meta)) {
          if (bucket.mode === 'rw') originals.push({ key: dedupKeyOf(capture.response, bucket), entry, place });
        }
      }
      return originals.length === 0 ? undefined : store.save(originals);
    },
  };
}

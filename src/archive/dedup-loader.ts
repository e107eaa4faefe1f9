/**
 * `DedupLoader`: finds the earlier record with the same payload, in the dedup index or among those before it in the batch.
 *
 * Within the batch it goes by what the later steps will do: the first of equals becomes a `response` and is stored under its `rw` buckets,
 * so the rest can refer to it already. That holds because it asks the same questions as they do, and after the temporary files are whole.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import type { Capture, ExchangeCapture } from '../capture/capture.ts';
import type { DedupEntry, DedupStore } from '../store/level/dedup-store.ts';
import { isoDate } from '../util/iso-date.ts';
import type { Log } from '../util/log.ts';
import { isToBeArchived, turnDownUnreadable } from './decision.ts';
import { dedupBucketsOf, dedupKeyOf, isDedupable, type DedupRules } from './dedup-rules.ts';
import type { Processor } from './processor.ts';

export interface DedupLoaderOptions {
  readonly store: Pick<DedupStore, 'getMany'>;
  readonly rules: DedupRules;
  /** as the WARC writer has them */
  readonly methods: readonly string[];
  readonly log: Log;
}

export function dedupLoader({ store, rules, methods, log }: DedupLoaderOptions): Processor {
  const wanted = new Set(methods);

  const load = (captures: readonly ExchangeCapture[]): Promise<void> | undefined => {
    const keys = captures.flatMap(({ meta, response }) => dedupBucketsOf(meta).map((bucket) => dedupKeyOf(response, bucket)));
    if (keys.length === 0) return undefined;
    const stored = store.getMany(keys);
    if (stored instanceof Promise) return stored.then((entries) => resolveAll(captures, keys, entries));
    resolveAll(captures, keys, stored);
    return undefined;
  };

  return {
    name: 'DedupLoader',
    process(batch: readonly Capture[]) {
      const captures: ExchangeCapture[] = [];
      for (const capture of batch) if (isToBeArchived(capture, wanted) && isDedupable(capture, rules)) captures.push(capture);
      const waiting = turnDownUnreadable(captures, log);
      return waiting === undefined ? load(captures) : waiting.then(() => load(captures.filter(({ outcome }) => outcome.archive)));
    },
  };
}

/**
 * @param keys of all captures, one after the other
 * @param stored what the index knows under each
 */
function resolveAll(captures: readonly ExchangeCapture[], keys: readonly string[], stored: readonly (DedupEntry | undefined)[]): void {
  const ofBatch = new Map<string, DedupEntry>();
  let first = 0;
  for (const capture of captures) {
    const buckets = dedupBucketsOf(capture.meta);
    let original: DedupEntry | undefined;
    for (let nth = 0; nth < buckets.length && original === undefined; nth++) {
      original = stored[first + nth] ?? ofBatch.get(keys[first + nth] ?? '');
    }
    if (original !== undefined) capture.outcome.duplicateOf = original;
    else if (capture.meta.dedupOk) {
      const { recordId, url, startedAt } = capture;
      const entry: DedupEntry = { recordId, url, date: isoDate(startedAt) };
      for (const [nth, { mode }] of buckets.entries()) if (mode === 'rw') ofBatch.set(keys[first + nth] ?? '', entry);
    }
    first += buckets.length;
  }
}

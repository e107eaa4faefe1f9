/**
 * `DedupLoader`: finds the earlier record with the same payload, in the dedup index or among those before it in the batch.
 *
 * Whoever is the first with a payload claims the right to write it, as another chain may come with the same one at the same time. Within the
 * batch it goes by what the later steps will do: the first of equals becomes a `response` and is stored under its `rw` buckets,
 * so the rest can refer to it already. That holds because it asks the same questions as they do, and after the temporary files are whole.
 * Source: spec/warcprox.md §4 (Dedup).
 */
import type { Capture, ExchangeCapture } from '../capture/capture.ts';
import { answerOf, type DedupIndex, type Original, type Standing, type Wanted } from '../store/dedup.ts';
import { isoDate } from '../util/iso-date.ts';
import type { Log } from '../util/log.ts';
import { isToBeArchived, turnDownUnreadable } from './decision.ts';
import { dedupBucketsOf, dedupKeyOf, isDedupable, type DedupRules } from './dedup-rules.ts';
import type { Processor } from './processor.ts';

export interface DedupLoaderOptions {
  readonly index: Pick<DedupIndex, 'claim'>;
  /** gets the keys that the batch wins; what is not published in the end `DedupDb` releases */
  readonly won: string[];
  readonly rules: DedupRules;
  /** as the WARC writer has them */
  readonly methods: readonly string[];
  readonly log: Log;
}

export function dedupLoader({ index, won, rules, methods, log }: DedupLoaderOptions): Processor {
  const wanted = new Set(methods);

  const decide = (captures: readonly ExchangeCapture[], wanted: readonly Wanted[], standings: readonly Standing[]): void => {
    for (const [nth, standing] of standings.entries()) if (standing === 'won') won.push(wanted[nth]?.key ?? '');
    resolveAll(captures, wanted, standings);
  };

  const load = (captures: readonly ExchangeCapture[]): Promise<void> | undefined => {
    const wanted = captures.flatMap(wantedBy);
    if (wanted.length === 0) return undefined;
    const standings = index.claim(wanted);
    if (standings instanceof Promise) return standings.then((late) => decide(captures, wanted, late));
    decide(captures, wanted, standings);
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

/** A bucket that is only read, and a capture that is not to be an original, claim nothing. */
function wantedBy({ meta, response }: ExchangeCapture): Wanted[] {
  return dedupBucketsOf(meta).map((bucket) => ({ key: dedupKeyOf(response, bucket), claims: meta.dedupOk && bucket.mode === 'rw' }));
}

/**
 * What another is about to write counts as not known: the capture is written as a response, which is true, and not published.
 *
 * @param wanted of all captures, one after the other
 * @param standings of each
 */
function resolveAll(captures: readonly ExchangeCapture[], wanted: readonly Wanted[], standings: readonly Standing[]): void {
  const ofBatch = new Map<string, Original>();
  let first = 0;
  for (const capture of captures) {
    const end = first + dedupBucketsOf(capture.meta).length;
    let original: Original | undefined;
    for (let nth = first; nth < end && original === undefined; nth++) {
      const standing = standings[nth];
      original = typeof standing === 'object' ? standing : ofBatch.get(wanted[nth]?.key ?? '');
    }
    if (original !== undefined) capture.outcome.duplicateOf = original;
    else if (capture.meta.dedupOk) {
      const { recordId, url, startedAt, response } = capture;
      const own: Original = { recordId, url, date: isoDate(startedAt), answer: answerOf(response) };
      for (let nth = first; nth < end; nth++) {
        const each = wanted[nth];
        if (each?.claims === true) ofBatch.set(each.key, own);
      }
    }
    first = end;
  }
}

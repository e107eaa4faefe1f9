/**
 * `DedupLoader`: finds the earlier record with the same payload, in the dedup index or among those before it in the batch.
 *
 * Whoever is the first with a payload claims the right to write it, as another chain may come with the same one at the same time. What another
 * is about to write is held back, until the rest of the batch is written and published: nobody waits who holds what others wait for.
 * Within the batch it goes by what the later steps will do: the first of equals becomes a `response` and is stored under its `rw` buckets,
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
  readonly index: Pick<DedupIndex, 'claim' | 'freed' | 'release'>;
  /** gets the keys that the batch wins; what is not published in the end `DedupDb` releases */
  readonly won: string[];
  readonly rules: DedupRules;
  /** as the WARC writer has them */
  readonly methods: readonly string[];
  readonly log: Log;
}

export function dedupLoader({ index, won, rules, methods, log }: DedupLoaderOptions): Processor {
  const wanted = new Set(methods);

  let held: readonly ExchangeCapture[] = [];
  /** what those wait for */
  let awaited: readonly string[] = [];

  const decide = (
    captures: readonly ExchangeCapture[],
    wanted: readonly Wanted[],
    standings: readonly Standing[],
  ): Promise<void> | void => {
    // Equal payloads in one batch have the same keys.
    const keys = new Set<string>();
    wanted.forEach(({ key }, nth) => standings[nth] === 'won' && keys.add(key));
    won.push(...keys);
    const { waiting, written } = resolveAll(captures, wanted, standings);
    if (waiting.length === 0) return undefined;
    held = waiting;
    awaited = [...new Set(standings.flatMap((standing, nth) => (standing === 'held' ? (wanted[nth]?.key ?? []) : [])))];
    // What only those have won another may write meanwhile.
    const claimed = won.splice(0);
    won.push(...claimed.filter((key) => written.has(key)));
    return index.release(claimed.filter((key) => !written.has(key)));
  };

  const load = (captures: readonly ExchangeCapture[]): Promise<void> | void => {
    const wanted: Wanted[] = [];
    for (const capture of captures) addWanted(wanted, capture);
    if (wanted.length === 0) return undefined;
    const standings = index.claim(wanted);
    return standings instanceof Promise ? standings.then((late) => decide(captures, wanted, late)) : decide(captures, wanted, standings);
  };

  const select = (batch: readonly Capture[]): Promise<void> | void => {
    const captures: ExchangeCapture[] = [];
    for (const capture of batch) if (isToBeArchived(capture, wanted) && isDedupable(capture, rules)) captures.push(capture);
    const waiting = turnDownUnreadable(captures, log);
    return waiting === undefined ? load(captures) : waiting.then(() => load(captures.filter(({ outcome }) => outcome.archive)));
  };

  return {
    name: 'DedupLoader',
    get held() {
      return held;
    },
    process(batch: readonly Capture[]) {
      if (held.length === 0) return select(batch);
      held = [];
      return index.freed(awaited).then(() => select(batch));
    },
  };
}

/** A bucket that is only read, and a capture that is not to be an original, claim nothing. */
function addWanted(wanted: Wanted[], { meta, response }: ExchangeCapture): void {
  for (const bucket of dedupBucketsOf(meta))
    wanted.push({ key: dedupKeyOf(response, bucket), claims: meta.dedupOk && bucket.mode === 'rw' });
}

/**
 * @param wanted of all captures, one after the other
 * @param standings of each
 * @returns captures that wait for what another is about to write, and the keys of what will be written
 */
function resolveAll(
  captures: readonly ExchangeCapture[],
  wanted: readonly Wanted[],
  standings: readonly Standing[],
): { readonly waiting: readonly ExchangeCapture[]; readonly written: ReadonlyMap<string, Original> } {
  const ofBatch = new Map<string, Original>();
  const waiting: ExchangeCapture[] = [];
  let first = 0;
  for (const capture of captures) {
    const end = first + dedupBucketsOf(capture.meta).length;
    let original: Original | undefined;
    let held = false;
    for (let nth = first; nth < end && original === undefined; nth++) {
      const standing = standings[nth];
      original = typeof standing === 'object' ? standing : ofBatch.get(wanted[nth]?.key ?? '');
      held ||= standing === 'held';
    }
    if (original !== undefined) capture.outcome.duplicateOf = original;
    else if (held) waiting.push(capture);
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
  return { waiting, written: ofBatch };
}

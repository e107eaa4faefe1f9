/**
 * `WarcWriterProcessor`: decides what is archived, and writes it.
 *
 * No revisit is written before the record that it refers to, whatever files the two go to, and none whose original is not written.
 * Source: spec/warcprox.md §4 (Writer).
 */
import type { Capture } from '../capture/capture.ts';
import { isExchange, type Archivable } from '../capture/kinds.ts';
import { answerOf } from '../store/dedup.ts';
import type { Log } from '../util/log.ts';
import type { WriterPool } from '../warc/write/pool.ts';
import { WarcWriteError } from '../warc/errors.ts';
import { buildRecords, type RecordOptions } from './records.ts';
import { tlsEvidence } from './evidence.ts';
import { isToBeArchived, isToBeRecorded, logIfLost, turnDownUnreadable } from './decision.ts';
import type { Processor } from './processor.ts';

export interface WarcWriterOptions {
  /** closed with this step */
  readonly pool: Pick<WriterPool, 'write' | 'close'>;
  readonly records: RecordOptions;
  /** only these methods are archived, in upper case; none for all. Custom records always are */
  readonly methods: readonly string[];
  /** no revisit is written of a URL whose original is at most so many seconds old, and has the same status and Location */
  readonly blackout?: { readonly seconds: number; readonly now: () => Date } | undefined;
  /** sees to it, right before anything is written, that what the batch has won is its own still */
  readonly lapsed?: ((batch: readonly Capture[]) => Promise<void> | undefined) | undefined;
  /** fetches without an answer leave records, too */
  readonly recordFailures?: boolean;
  readonly log: Log;
}

export function warcWriter({ pool, records, methods, blackout, lapsed, recordFailures, log }: WarcWriterOptions): Processor {
  const wanted = new Set(methods);

  /** Only what says the same again: an equal payload may come with another status, or lead elsewhere. */
  const isBlackedOut = (capture: Archivable): boolean => {
    const { duplicateOf } = capture.outcome;
    if (blackout === undefined || blackout.seconds === 0 || duplicateOf?.url !== capture.url) return false;
    if (!isExchange(capture) || duplicateOf.answer !== answerOf(capture.response)) return false;
    return blackout.now().getTime() - Date.parse(duplicateOf.date) <= blackout.seconds * 1000;
  };

  const write = async (captures: readonly Capture[]) => {
    if (captures.length === 0) return;
    const built = await buildRecords(captures, records).catch((error: unknown) => {
      // Captures that are not written must not pass for written: this stops the proxy as a failed write does.
      throw new WarcWriteError('temporary file', 'what was captured cannot be read back', error);
    });
    const written = await pool.write(
      captures.map((capture, index) => ({
        prefix: capture.warcPrefix,
        records: built[index] ?? [],
        once: tlsEvidence(capture, records),
        awaited: capture.kind === 'custom',
      })),
    );
    captures.forEach(({ outcome }, index) => (outcome.records = written[index] ?? []));
  };

  return {
    name: 'WarcWriterProcessor',
    async process(batch) {
      await turnDownUnreadable(
        batch.filter((capture) => isToBeArchived(capture, wanted)),
        log,
      );
      await lapsed?.(batch);
      const originals = originalsIn(batch);
      const captures: Capture[] = [];
      const late: Archivable[] = [];
      for (const capture of batch) {
        const { outcome } = capture;
        if (!isToBeArchived(capture, wanted)) {
          logIfLost(capture, log);
          outcome.archive = false;
          if (recordFailures === true && isToBeRecorded(capture, wanted)) {
            // Whether what was sent can be read back is known then.
            await capture.request?.bytes.flushed();
            captures.push(capture);
          }
          continue;
        }
        const original = originals.get(outcome.duplicateOf?.recordId ?? '');
        // The step that looks for duplicates has seen to it already; a revisit of nothing must not depend on that.
        if (original !== undefined && !isToBeArchived(original, wanted)) outcome.duplicateOf = undefined;
        if (isBlackedOut(capture)) outcome.archive = false;
        else if (original === undefined || original.warcPrefix === capture.warcPrefix) captures.push(capture);
        else late.push(capture);
      }
      await write(captures);
      // Files of several prefixes are written at the same time, so a crash could leave the revisit without its original.
      await write(late);
    },
    close: () => pool.close(),
  };
}

/** The captures of a batch by the id of their principal record, when any of them is a duplicate. */
function originalsIn(batch: readonly Capture[]): ReadonlyMap<string, Capture> {
  if (batch.every(({ outcome }) => outcome.duplicateOf === undefined)) return new Map();
  return new Map(batch.map((capture) => [capture.recordId, capture]));
}

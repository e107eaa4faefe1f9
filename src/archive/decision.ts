/**
 * Whether a capture is to be archived: decided here for the steps that have to know it before the WARC writer and for the writer itself.
 *
 * Source: spec/warcprox.md §4 (Writer).
 */
import type { Capture, FailedCapture } from '../capture/capture.ts';
import { isArchivable, isFailure, isSpilled, originMethod, spoolsOf, type Archivable } from '../capture/kinds.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';

/** A prefix that stands for "archive nothing". */
const NO_PREFIX = '-';

/** @param methods only these are archived, in upper case; none for all. Custom records always are */
export function isToBeArchived(capture: Capture, methods: ReadonlySet<string>): capture is Archivable {
  if (!isArchivable(capture) || !capture.outcome.archive || capture.warcPrefix === NO_PREFIX) return false;
  const method = originMethod(capture);
  return methods.size === 0 || method === undefined || isIn(methods, method);
}

/** Whether there are to be records of a failure, where failures are recorded. @param methods as above */
export function isToBeRecorded(capture: Capture, methods: ReadonlySet<string>): capture is FailedCapture {
  return isFailure(capture) && capture.warcPrefix !== NO_PREFIX && (methods.size === 0 || isIn(methods, capture.method));
}

/** Nearly all are written in upper case already. */
function isIn(methods: ReadonlySet<string>, method: string): boolean {
  return methods.has(method) || methods.has(method.toUpperCase());
}

/**
 * Turn down the captures whose temporary file has failed: each of them is lost, and nothing else.
 *
 * @returns undefined when all are in memory and there was nothing to wait for
 */
export function turnDownUnreadable(captures: readonly Archivable[], log: Log): Promise<void> | undefined {
  const spilled = captures.filter(isSpilled);
  return spilled.length === 0 ? undefined : turnDown(spilled, log);
}

/** An exchange that noticed by itself that it cannot be kept is a failure already, and is told of in the same words. */
export function logIfLost(capture: Capture, log: Log): void {
  if (isFailure(capture) && capture.error.code === 'recording-failed') logLost(capture, capture.error.message, capture.error.cause, log);
}

async function turnDown(captures: readonly Archivable[], log: Log): Promise<void> {
  for (const capture of captures) {
    for (const spool of spoolsOf(capture)) {
      await spool.flushed();
      if (spool.error === undefined || !capture.outcome.archive) continue;
      logLost(capture, `temporary file failed: ${reasonOf(spool.error)}`, spool.error, log);
      capture.outcome.archive = false;
    }
  }
}

function logLost({ url }: Capture, why: string, error: unknown, log: Log): void {
  log.error({ url, err: error }, `not archived, because its ${why}`);
}

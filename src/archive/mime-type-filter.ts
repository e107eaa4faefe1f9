/**
 * `MimeTypeFilter`: what the client's `mime-type-filters` turn down is not archived. They hold for custom records, too.
 *
 * A filter that cannot be decided, because its regex takes too long, turns nothing down.
 * Source: spec/warcprox.md §4 (MIME filters).
 */
import type { Capture } from '../capture/capture.ts';
import { contentType, isFailure } from '../capture/kinds.ts';
import { rejectsMimeType } from '../meta/mime.ts';
import type { TimeSlices } from '../util/slices.ts';
import type { Log } from '../util/log.ts';
import type { Processor } from './processor.ts';

export interface MimeTypeFilterOptions {
  /** for the clients' regexes */
  readonly slices: TimeSlices;
  readonly log: Log;
}

export function mimeTypeFilter({ slices, log }: MimeTypeFilterOptions): Processor & { readonly errors: number } {
  let errors = 0;

  const undecided = (capture: Capture, error: unknown) => {
    errors++;
    log.warn({ url: capture.url, err: error }, `archived, because its MIME type filters cannot be decided: ${(error as Error).message}`);
  };

  /** @returns a promise only when it takes longer than its slice of time */
  const filter = (capture: Capture): Promise<void> | undefined => {
    if (isFailure(capture) || capture.meta.mimeTypeFilters.length === 0) return undefined;
    const { outcome } = capture;
    try {
      const rejected = rejectsMimeType(capture.meta.mimeTypeFilters, contentType(capture), slices);
      if (rejected instanceof Promise) {
        return rejected.then((late) => void (outcome.archive &&= !late)).catch((error: unknown) => undecided(capture, error));
      }
      outcome.archive &&= !rejected;
    } catch (error) {
      undecided(capture, error);
    }
    return undefined;
  };

  return {
    name: 'MimeTypeFilter',
    get errors() {
      return errors;
    },
    process(batch) {
      const waiting = batch.map(filter).filter((late) => late !== undefined);
      return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
    },
  };
}

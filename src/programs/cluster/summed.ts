/**
 * What many workers do, as if one did it: the source of one status page, and figures.
 */
import type { Rate, StatusSource } from '../../web/status.ts';
import type { Figures } from '../figures.ts';
import { rateIn, type StatusForm } from './said.ts';

export interface OneState {
  readonly worker: number;
  readonly pid: number | undefined;
  readonly state: StatusForm;
}

/** What does not come from workers. */
export type OwnState = Pick<
  StatusSource,
  'version' | 'host' | 'address' | 'port' | 'startedAt' | 'maxExchanges' | 'maxQueued' | 'databases' | 'finished'
> & {
  /** of workers that are gone */
  readonly past: Pick<Figures, 'captures' | 'warcBytes'>;
};

export function summedStatus({ past, ...own }: OwnState, all: readonly OneState[]): StatusSource {
  const states = all.map(({ state }) => state);
  const sum = (of: (state: StatusForm) => number) => states.reduce((total, state) => total + of(state), 0);
  const fetches = states.flatMap(({ earliestFetch }) => earliestFetch ?? []).sort((a, b) => a.startedAt - b.startedAt);
  const [earliest] = fetches;
  const behind = states.toSorted((a, b) => b.secondsBehind - a.secondsBehind);
  return {
    ...own,
    pid: process.pid,
    activeRequests: sum(({ activeRequests }) => activeRequests),
    waitingRequests: sum(({ waitingRequests }) => waitingRequests),
    queued: sum(({ queued }) => queued),
    secondsBehind: behind[0]?.secondsBehind ?? 0,
    urlsProcessed: past.captures + sum(({ urlsProcessed }) => urlsProcessed),
    warcBytesWritten: past.warcBytes + sum(({ warcBytesWritten }) => warcBytesWritten),
    earliestFetch: earliest && { startedAt: new Date(earliest.startedAt), clientAddress: earliest.clientAddress },
    earliestInChain: behind.find(({ earliestInChain }) => earliestInChain !== undefined)?.earliestInChain,
    processors: summedProcessors(states),
    metaIgnored: sum(({ metaIgnored }) => metaIgnored),
    rate: (minutes) => summedRate(states.map(({ rates }) => rateIn(rates, minutes))),
    workers: all.map(({ worker, pid, state: { activeRequests, waitingRequests, queued, urlsProcessed } }) => ({
      ...{ worker, pid, activeRequests, waitingRequests, queued, urlsProcessed },
    })),
  };
}

export function summedFigures(all: readonly Figures[]): Figures {
  const sum = (name: keyof Figures) => all.reduce((total, figures) => total + figures[name], 0);
  return {
    captures: sum('captures'),
    new: sum('new'),
    duplicates: sum('duplicates'),
    errors: sum('errors'),
    warcBytes: sum('warcBytes'),
    warcFiles: sum('warcFiles'),
    active: sum('active'),
    waiting: sum('waiting'),
    queued: sum('queued'),
  };
}

/** Of a worker that is gone: nothing of it is under way any more. */
export function pastFigures(figures: Figures): Figures {
  return { ...figures, active: 0, waiting: 0, queued: 0 };
}

/** A worker that was started later has a shorter time behind it. */
function summedRate(rates: readonly Rate[]): Rate {
  return {
    actual_elapsed: Math.max(0, ...rates.map(({ actual_elapsed: elapsed }) => elapsed)),
    urls_per_sec: rates.reduce((sum, { urls_per_sec: urls }) => sum + urls, 0),
    warc_bytes_per_sec: rates.reduce((sum, { warc_bytes_per_sec: bytes }) => sum + bytes, 0),
  };
}

/** All have the same steps. */
function summedProcessors(states: readonly StatusForm[]): StatusSource['processors'] {
  const [first] = states;
  return (first?.processors ?? []).map(({ name }, nth) => {
    const those = states.flatMap(({ processors }) => processors[nth] ?? []);
    return {
      name,
      queued: those.reduce((sum, { queued }) => sum + queued, 0),
      errors: those.reduce((sum, { errors }) => sum + errors, 0),
    };
  });
}

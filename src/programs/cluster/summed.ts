/**
 * What many workers do and hold, as if one did: what its pages are made of, and figures.
 */
import type { Looked } from '../../web/looked.ts';
import type { Bound } from '../../web/metrics/bound.ts';
import type { ProcessLook } from '../../web/metrics/process-families.ts';
import type { Rate, StatusSource } from '../../web/status.ts';
import type { Figures } from '../figures.ts';
import { rateIn, type LookForm, type StatusForm } from './said.ts';

export interface OneState {
  readonly worker: number;
  readonly pid: number | undefined;
  /** what it has told of itself last, without being asked */
  readonly figures: Figures;
  /** what it has answered last; undefined where it never has */
  readonly look: LookForm | undefined;
  /** why that is not of now */
  readonly problem?: string | undefined;
  /** since it was asked, where it has not answered */
  readonly silentMs: number;
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
  const states = all.map(stateOf);
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
    workers: all.map((each) => {
      const { worker, pid, problem } = each;
      const { activeRequests, waitingRequests, queued, urlsProcessed } = stateOf(each);
      return { worker, pid, activeRequests, waitingRequests, queued, urlsProcessed, problem };
    }),
  };
}

/** Of one that does not answer, what it said last, and that it is behind by that at least. */
function stateOf({ look, figures, problem, silentMs }: OneState): StatusForm {
  if (look !== undefined && problem === undefined) return look.status;
  const { active, waiting, queued, captures, warcBytes } = figures;
  const { secondsBehind, ...last } = look?.status ?? NOTHING_SAID;
  const told = { activeRequests: active, waitingRequests: waiting, queued, urlsProcessed: captures, warcBytesWritten: warcBytes };
  return { ...last, ...told, secondsBehind: Math.max(secondsBehind, silentMs / 1000) };
}

export interface OwnLook extends Pick<Looked, 'status' | 'warcFiles'> {
  /** the primary process */
  readonly own: ProcessLook;
}

/** All that is open or written in one of them, and the process of each. */
export function summedLook({ status, warcFiles, own }: OwnLook, all: readonly OneState[]): Looked {
  const looks = all.flatMap(({ look }) => look ?? []);
  return {
    status,
    warcFiles,
    bounds: summedBounds(looks.flatMap(({ bounds }) => bounds)),
    // They write to the same ones, so the latest answer is as good as any.
    disks: [...new Map(looks.flatMap(({ disks }) => disks).map((disk) => [disk.of, disk])).values()],
    files: looks.flatMap(({ files }) => files).sort((one, other) => Number(other.open) - Number(one.open)),
    processes: [own, ...all.flatMap(({ worker, look }) => look?.processes.map((each) => ({ ...each, process: `worker ${worker}` })) ?? [])],
  };
}

function summedBounds(all: readonly Bound[]): readonly Bound[] {
  const sums = new Map<string, Bound>();
  for (const { name, unit, used, limit } of all) {
    const sum = sums.get(name);
    // Connections are counted for all of them together, so that each has the whole limit.
    const whole = name.startsWith('max-connections');
    const most = sum === undefined || whole ? limit : limit === undefined || sum.limit === undefined ? undefined : limit + sum.limit;
    sums.set(name, { name, unit, used: used + (sum?.used ?? 0), limit: most });
  }
  return [...sums.values()];
}

const NOTHING_SAID: StatusForm = {
  ...{ version: '', host: '', address: '', port: 0, maxExchanges: 0, maxQueued: 0, databases: [], metaIgnored: 0 },
  ...{ activeRequests: 0, waitingRequests: 0, queued: 0, secondsBehind: 0, urlsProcessed: 0, warcBytesWritten: 0 },
  ...{ earliestFetch: undefined, earliestInChain: undefined, processors: [], rates: [] },
};

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
  const first = states.find(({ processors }) => processors.length > 0);
  return (first?.processors ?? []).map(({ name }, nth) => {
    const those = states.flatMap(({ processors }) => processors[nth] ?? []);
    return {
      name,
      queued: those.reduce((sum, { queued }) => sum + queued, 0),
      errors: those.reduce((sum, { errors }) => sum + errors, 0),
    };
  });
}

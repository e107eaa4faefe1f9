/**
 * One control page for all workers: what they are doing, what has been done, and the last captures of all of them in one order.
 *
 * Workers tell of what they have done by themselves, with each batch; what they hold, and their last captures, they are asked for when somebody
 * looks. One that does not answer in time is told of as such, with what it said last.
 */
import { hostname as machineName } from 'node:os';
import { performance } from 'node:perf_hooks';
import { oneForAll } from '../../util/one-for-all.ts';
import { recentCaptures, type KnownCaptures } from '../../web/archived/find.ts';
import { Jobs } from '../../web/captures/jobs.ts';
import { Recent } from '../../web/captures/recent.ts';
import { CaptureCounts } from '../../web/metrics/capture-counts.ts';
import { lookAtProcess } from '../../web/metrics/process-families.ts';
import type { StatusSource } from '../../web/status.ts';
import type { StateSource } from '../../web/captures/state-page.ts';
import { livePages, type LivePages } from '../watching.ts';
import type { Figures } from '../figures.ts';
import { servePages } from './relayed-pages.ts';
import type { Done } from './said.ts';
import { pastFigures, summedFigures, summedLook, summedStatus, type OneState, type OwnState } from './summed.ts';
import { gather } from './told-events.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface ClusterWatchParts extends Pick<StateSource, 'bucket' | 'hasIndex'> {
  /** those that listen */
  readonly running: () => readonly WorkerProcess[];
  /** what does not come from workers */
  readonly own: () => Omit<OwnState, 'host' | 'past'>;
}

/** While somebody waits for further captures, workers are asked for them so often. */
const ASK_MS = 100;

export class ClusterWatch {
  readonly #parts: ClusterWatchParts;
  readonly #recent = new Recent({ onWanted: () => this.#askSoon() });
  readonly #counts = new CaptureCounts(() => performance.now());
  readonly #jobs = new Jobs();
  readonly #pages: LivePages;
  readonly #known: KnownCaptures;
  /** of workers that are gone */
  #past: Figures = summedFigures([]);
  #asking: NodeJS.Timeout | undefined;
  readonly #fetched = oneForAll(async () => {
    const all = this.#parts.running().map(({ events }) => events);
    await Promise.all(all.map((events) => events.fetch()));
    gather(all, this.#recent);
  });

  constructor(parts: ClusterWatchParts) {
    this.#parts = parts;
    const { bucket, hasIndex } = parts;
    const [recent, counts, jobs] = [this.#recent, this.#counts, this.#jobs];
    const look = async () => {
      const states = await this.#states();
      const own = { process: 'primary', ...(await lookAtProcess()) };
      return summedLook({ status: this.#summed(states), warcFiles: this.figures().warcFiles, own }, states);
    };
    const status = async () => this.#summed(await this.#states());
    this.#pages = livePages({ ...{ recent, counts, jobs, look, status, bucket, hasIndex }, fresh: () => this.#fetched() });
    const kept = recentCaptures(recent);
    this.#known = {
      byNumber: (instance, id) => kept.byNumber(instance, id),
      byRecord: async (recordId) => {
        await this.#fetched();
        return kept.byRecord(recordId);
      },
    };
  }

  /** What all of them have done, and are doing. */
  figures(): Figures {
    return summedFigures([this.#past, ...this.#parts.running().map(({ figures }) => figures)]);
  }

  /** Before it starts: it may be asked for any page. */
  add({ wire }: WorkerProcess): void {
    servePages(wire, this.#pages, this.#known);
  }

  done(worker: WorkerProcess, { figures, counted, named }: Done): void {
    worker.figures = figures;
    this.#counts.merge(counted);
    this.#jobs.merge(named);
  }

  /** Nothing more comes from it. */
  remove({ figures, events }: WorkerProcess): void {
    this.#past = summedFigures([this.#past, pastFigures(figures)]);
    events.end(figures.captures);
    gather([events], this.#recent);
  }

  /** Nobody need wait any more. */
  close(): void {
    clearTimeout(this.#asking);
    this.#recent.close();
  }

  #askSoon(): void {
    if (this.#recent.closed) return;
    this.#asking ??= setTimeout(() => {
      void this.#fetched().then(() => {
        this.#asking = undefined;
        if (this.#recent.wanted) this.#askSoon();
      });
    }, ASK_MS).unref();
  }

  async #states(): Promise<readonly OneState[]> {
    const workers = [...this.#parts.running()].sort((one, other) => one.number - other.number);
    return Promise.all(
      workers.map(async ({ number: worker, pid, look, figures }) => {
        const answered = await look.inTime();
        const problem = answered ? undefined : `no answer in ${(look.silentMs / 1000).toFixed(1)} s`;
        return { worker, pid, figures, look: look.last, problem, silentMs: answered ? 0 : look.silentMs };
      }),
    );
  }

  #summed(states: readonly OneState[]): StatusSource {
    return summedStatus({ ...this.#parts.own(), host: machineName(), past: this.#past }, states);
  }
}

/**
 * What runs, of all jobs: begins visits while there is room, each job in its turn, and looks again when something has changed.
 */
import type { HostTurns } from './host-turns.ts';
import type { JobRun } from './job-run.ts';
import type { Requests } from './requests.ts';

export interface PumpParts {
  readonly turns: HostTurns;
  readonly requests: Requests;
  readonly maxDownloads: number;
  /** visits at once: of each one request runs, waits for its host, or has run */
  readonly maxVisits: number;
  readonly onDone: (run: JobRun) => void;
  readonly onFault: (run: JobRun, error: unknown) => void;
}

/** Visits that do not wait for a host, for each download: past them the archive is behind. */
const UNDER_WAY = 3;

export class Pump {
  readonly runs = new Map<string, JobRun>();
  readonly #parts: PumpParts;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #first = 0;
  #closed = false;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** Something has changed. */
  readonly kick = (): void => {
    if (!this.#closed) this.#immediate ??= setImmediate(() => this.#look());
  };

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #look(): void {
    this.#immediate = undefined;
    clearTimeout(this.#timer);
    const waitMs = this.#begin();
    for (const run of this.runs.values()) {
      if (run.stopped) continue;
      if (run.done) this.#parts.onDone(run);
      else if (run.frontier.wantsFilling) this.#fill(run);
    }
    if (waitMs < Infinity) this.#timer = setTimeout(this.kick, waitMs);
  }

  #fill(run: JobRun): void {
    run.frontier.fill().then(this.kick, (error: unknown) => this.#parts.onFault(run, error));
  }

  /** @returns when the next visit may begin that only waits for its host */
  #begin(): number {
    const { turns } = this.#parts;
    let soon = Infinity;
    const runs = [...this.runs.values()];
    let idle = 0;
    for (let at = this.#first; idle < runs.length && this.#hasRoom(runs); at++) {
      const run = runs[at % runs.length];
      const next = run?.next(turns) ?? Infinity;
      if (typeof next === 'number') {
        soon = Math.min(soon, next);
        idle++;
      } else {
        run?.begin(next, turns);
        this.#first = at + 1;
        idle = 0;
      }
    }
    return soon;
  }

  #hasRoom(runs: readonly JobRun[]): boolean {
    const { requests, turns, maxDownloads, maxVisits } = this.#parts;
    const visits = runs.reduce((sum, run) => sum + run.tasks, 0);
    return requests.free && visits < maxVisits && visits - turns.waiting < UNDER_WAY * maxDownloads;
  }
}

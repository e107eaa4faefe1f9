/**
 * What happens by time: leases end, visits are due again. A few hundred at a time, so that nobody waits long behind them.
 *
 * Owns one timer, for the first that comes.
 */
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import type { Clock } from './clock.ts';
import { key, LAST, timeAndId } from './keys.ts';
import { Life, type Alarms } from './life.ts';
import type { QueueStore } from './store.ts';
import { hostOf } from './urls.ts';

/** Of each kind, in one go. */
const AT_ONCE = 500;
const MAX_WAIT_MS = 60_000;
/** After the database has failed. */
const AGAIN_MS = 1000;

export interface SweeperParts {
  readonly store: QueueStore;
  /** asked for late: it is made with these alarms */
  readonly life: () => Life;
  readonly clock: Clock;
  readonly log: Log;
}

export class Sweeper implements Alarms {
  readonly #parts: SweeperParts;
  /** the first there may be of each; nothing stands before it */
  #leaseFrom = 0;
  #dueFrom = 0;
  #nextMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  lease(ms: number): void {
    this.#expect(ms);
  }

  due(ms: number): void {
    this.#expect(ms);
  }

  /** Begin: what has ended while nobody looked is seen to at once. */
  start(): void {
    this.#nextMs = Infinity;
    this.#expect(this.#parts.clock());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** See to what is over by now, as far as that goes in one go. Only for who has the database alone. */
  async sweep(): Promise<void> {
    const nowMs = this.#parts.clock();
    if (this.#nextMs > nowMs) return;
    const { store } = this.#parts;
    const [ended, due] = [
      await store.keysIn({ gte: key.leaseFrom(this.#leaseFrom), lt: key.leaseFrom(nowMs + 1), limit: AT_ONCE }),
      await store.keysIn({ gte: key.dueFrom(this.#dueFrom), lt: key.dueFrom(nowMs + 1), limit: AT_ONCE }),
    ];
    const ids = [...ended, ...due].map((name) => timeAndId(name).id);
    const view = await store.read(ids.flatMap((id) => [...Life.keys({ id, host: hostOf(id) })]));
    const life = this.#parts.life();
    for (const name of ended) {
      view.delete(name);
      life.lapse(view, timeAndId(name).id, nowMs, true);
    }
    for (const name of due) {
      view.delete(name);
      life.isDue(view, timeAndId(name).id, nowMs);
    }
    await store.write(view);
    this.#leaseFrom = timeOfLast(ended, nowMs);
    this.#dueFrom = timeOfLast(due, nowMs);
    this.#nextMs = Infinity;
    if (ended.length === AT_ONCE || due.length === AT_ONCE) return this.#expect(nowMs);
    const [lease] = await store.keysIn({ gte: key.leaseFrom(this.#leaseFrom), lt: `l/${LAST}`, limit: 1 });
    const [visit] = await store.keysIn({ gte: key.dueFrom(this.#dueFrom), lt: `d/${LAST}`, limit: 1 });
    for (const name of [lease, visit]) if (name !== undefined) this.#expect(timeAndId(name).ms);
  }

  #expect(ms: number): void {
    if (ms >= this.#nextMs || this.#closed) return;
    this.#nextMs = ms;
    this.#wake(ms - this.#parts.clock());
  }

  #wake(inMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), Math.min(Math.max(0, inMs) + 1, MAX_WAIT_MS)).unref();
  }

  #run(): void {
    const { store, clock, log } = this.#parts;
    if (this.#closed) return;
    if (this.#nextMs > clock()) return this.#wake(this.#nextMs - clock());
    store
      .alone(() => this.sweep())
      .then(() => this.#wake(this.#nextMs - clock()))
      .catch((error: unknown) => {
        log.error({ err: error }, `leases and visits that are over wait: ${reasonOf(error)}`);
        this.#wake(AGAIN_MS);
      });
  }
}

/** Nothing stands before this. */
function timeOfLast(keys: readonly string[], nowMs: number): number {
  const last = keys.length === AT_ONCE ? keys.at(-1) : undefined;
  return last === undefined ? nowMs : timeAndId(last).ms;
}

/**
 * The queue of URLs, for those who add, take and report: each call is stored when it returns.
 *
 * Owns no file and no socket. What becomes of a URL is told in life.ts, who gets which in hand-out.ts.
 */
import type { Log } from '../util/log.ts';
import { Sweeper } from './alarms.ts';
import type { Clock } from './clock.ts';
import { HandOut, type Given } from './hand-out.ts';
import { key, LAST, timeAndId } from './keys.ts';
import { Life, type Rules } from './life.ts';
import type { Report } from './reports.ts';
import { stateOf, type Lease, type State, type UrlRecord, type Visit } from './records.ts';
import { countKeys, countReport } from './statistics.ts';
import type { QueueStore, Range, View } from './store.ts';
import { hostOf, knownUrl, type KnownUrl } from './urls.ts';

export interface FrontierParts {
  readonly store: QueueStore;
  readonly rules: Rules;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Wished extends KnownUrl {
  readonly priority?: number;
}

/** What was made of a list of links. */
export interface AddedCount {
  readonly added: number;
  readonly known: number;
}

/** What was made of reports. */
export interface Accepted {
  readonly accepted: readonly Report[];
  /** new links */
  readonly added: number;
  readonly ms: number;
}

/** Leases that are looked at in one go. */
const LEASES_AT_ONCE = 1000;

export class Frontier {
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #life: Life;
  readonly #handOut: HandOut;
  readonly #sweeper: Sweeper;

  constructor({ store, rules, clock, log }: FrontierParts) {
    this.#store = store;
    this.#clock = clock;
    this.#sweeper = new Sweeper({ store, life: () => this.#life, clock, log });
    this.#life = new Life(rules, this.#sweeper);
    this.#handOut = new HandOut(store, this.#life, rules);
  }

  start(): void {
    this.#sweeper.start();
  }

  close(): void {
    this.#sweeper.close();
  }

  /** All of them or, when the database fails, none. @param again as in `Added` */
  add(wished: readonly Wished[], again: boolean, parent?: string): Promise<AddedCount> {
    return this.#store.change({
      keys: wished.flatMap((each) => [...Life.keys(each)]),
      apply: (view) => {
        const added = wished.filter((each) => this.#add(view, each, again, parent)).length;
        return { added, known: wished.length - added };
      },
    });
  }

  #add(view: View, wished: Wished, again: boolean, parent: string | undefined): boolean {
    return this.#life.add(view, { ...wished, again, ...(parent === undefined ? {} : { parent }) }, this.#clock());
  }

  /**
   * Take in reports, in order; all of them or none.
   *
   * @returns those that were accepted, which a repetition is not, when, and how many of their links are new
   */
  report(worker: string, reports: readonly Report[]): Promise<Accepted> {
    const nowMs = this.#clock();
    return this.#store.change({
      keys: reports.flatMap(({ found, links }) => [
        ...(found === undefined ? [] : [...Life.keys(found), ...countKeys(worker, found.host, nowMs)]),
        ...links.flatMap((link) => [...Life.keys(link)]),
      ]),
      apply: (view) => {
        let added = 0;
        const accepted = reports.filter((report) => {
          const links = this.#report(view, worker, report, nowMs);
          added += links ?? 0;
          return links !== undefined;
        });
        return { accepted, added, ms: nowMs };
      },
    });
  }

  /** @returns how many links are new; undefined for a repetition */
  #report(view: View, worker: string, { found, visit, parent, links }: Report, nowMs: number): number | undefined {
    if (found !== undefined && visit !== undefined) {
      const known = view.get<UrlRecord>(key.url(found.id));
      const accepted: Visit = { ...visit, worker, at: visit.at ?? nowMs, received: nowMs };
      if (known !== undefined && isRepetition(known, accepted)) return undefined;
      this.#life.visited(view, found, accepted, parent);
      countReport(view, worker, found.host, accepted.length, nowMs);
    }
    return links.filter((link) => this.#add(view, link, false, found?.url)).length;
  }

  /** At most so many, now; one goes to one worker only. */
  handOut(worker: string, limit: number): Promise<readonly Given[]> {
    return this.#store.alone(async () => {
      await this.#sweeper.sweep();
      return this.#handOut.give(worker, limit, this.#clock());
    });
  }

  /** What is out, by the end of its lease. */
  async *active(): AsyncGenerator<{ readonly url: string; readonly lease: Lease }, void> {
    for await (const { id } of this.#leases()) {
      const record = (await this.#store.read([key.url(id)])).get<UrlRecord>(key.url(id));
      if (record?.lease !== undefined) yield { url: record.url, lease: record.lease };
    }
  }

  /** End leases at once, without counting them as attempts. @param ids undefined: all of the worker's. @returns how many */
  async release(worker: string, ids?: readonly string[]): Promise<number> {
    if (ids !== undefined) return this.#release(worker, ids);
    // What is being handed out is out then.
    await this.#store.alone(() => Promise.resolve());
    let released = 0;
    let batch: string[] = [];
    for await (const lease of this.#leases()) {
      if (lease.worker !== worker) continue;
      batch.push(lease.id);
      if (batch.length < LEASES_AT_ONCE) continue;
      released += await this.#release(worker, batch);
      batch = [];
    }
    return released + (await this.#release(worker, batch));
  }

  #release(worker: string, ids: readonly string[]): Promise<number> {
    return this.#store.change({
      keys: ids.flatMap((id) => [...Life.keys({ id, host: hostOf(id) })]),
      apply: (view) => {
        const own = ids.filter((id) => view.get<UrlRecord>(key.url(id))?.lease?.worker === worker);
        for (const id of own) this.#life.lapse(view, id, this.#clock(), false);
        return own.length;
      },
    });
  }

  async *#leases(): AsyncGenerator<{ readonly id: string; readonly worker: string }, void> {
    let from = 'l/';
    for (;;) {
      const entries = await this.#store.entriesIn<string>({ gt: from, lt: `l/${LAST}`, limit: LEASES_AT_ONCE });
      for (const [name, worker] of entries) yield { id: timeAndId(name).id, worker };
      const last = entries.at(-1)?.[0];
      if (last === undefined) return;
      from = last;
    }
  }

  /** New links that have not been reported, oldest first, some at a time. */
  async *listed(offset: number, limit: number, snapshot: Range['snapshot']): AsyncGenerator<readonly UrlRecord[], void> {
    const at = snapshot === undefined ? {} : { snapshot };
    let from = 't/';
    let passed = 0;
    for (let left = limit; left > 0;) {
      const size = passed < offset ? Math.min(LEASES_AT_ONCE, offset - passed) : Math.min(LEASES_AT_ONCE, left);
      const entries = await this.#store.entriesIn<string>({ gt: from, lt: `t/${LAST}`, limit: size, ...at });
      const last = entries.at(-1)?.[0];
      if (last === undefined) return;
      from = last;
      if (passed < offset) {
        passed += entries.length;
        continue;
      }
      left -= entries.length;
      const view = await this.#store.read(
        entries.map(([, id]) => key.url(id)),
        snapshot,
      );
      yield entries.map(([, id]) => view.get<UrlRecord>(key.url(id))).filter((record) => record !== undefined);
    }
  }

  /** What is known of a URL. */
  async look(text: string): Promise<(UrlRecord & { readonly state: State }) | undefined> {
    const found = knownUrl(text);
    if (found === undefined) return undefined;
    const name = key.url(found.id);
    const record = (await this.#store.read([name])).get<UrlRecord>(name);
    return record === undefined ? undefined : { ...record, state: stateOf(record) };
  }
}

/** The same report once more, by the one whose report was the last. */
function isRepetition({ lease, visit }: UrlRecord, report: Visit): boolean {
  if (visit?.worker !== report.worker || lease?.worker === report.worker) return false;
  if (visit.visited !== undefined || report.visited !== undefined)
    return visit.visited !== undefined && report.visited !== undefined && visit.at === report.at;
  return visit.digest === report.digest && visit.status_code === report.status_code && visit.result === report.result;
}

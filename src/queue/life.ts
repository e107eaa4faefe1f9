/**
 * The life of a URL, step by step: new, given, visited, due, failed. Each step is made on a view and sees to everything that hangs on it.
 *
 *           add            hand out            report             time
 *   (unknown) ──► new ────────────────► given ─────────► visited ──────► due ──► given …
 *                  ▲                      │
 *                  └── lease ends ◄───────┘   too often: failed, until it is added again
 */
import { countOut, enqueue, takeOut, type Politeness } from './hosts.ts';
import { key } from './keys.ts';
import { isFailure } from './failures.ts';
import { rankOf, type Lease, type UrlRecord, type Visit } from './records.ts';
import type { View } from './store.ts';
import { hostOf, type KnownUrl } from './urls.ts';

export interface Rules extends Politeness {
  readonly leaseMs: number;
  readonly revisitMs: number;
  /** after the first failed visit, twice as long after each that follows, never longer than `revisitMs`; 0: as after any other */
  readonly retryMs: number;
  readonly maxAttempts: number;
}

/** What has been scheduled, for whoever sees to it when its time comes. */
export interface Alarms {
  lease(ms: number): void;
  due(ms: number): void;
}

export interface Added extends KnownUrl {
  readonly priority?: number;
  readonly parent?: string;
  /** by the administrator: a priority that is higher counts, and what was visited or has failed is due at once */
  readonly again: boolean;
}

export class Life {
  readonly #rules: Rules;
  readonly #alarms: Alarms;

  constructor(rules: Rules, alarms: Alarms) {
    this.#rules = rules;
    this.#alarms = alarms;
  }

  /** What has to be read of a URL for any of these. */
  static keys({ id, host }: Pick<KnownUrl, 'id' | 'host'>): readonly string[] {
    return [key.url(id), key.host(host)];
  }

  /** @returns whether it was not known */
  add(view: View, { url, id, host, priority = 0, parent, again }: Added, nowMs: number): boolean {
    const known = view.get<UrlRecord>(key.url(id));
    if (known !== undefined) {
      if (again) this.#again(view, { id, host }, known, priority, nowMs);
      return false;
    }
    const record: UrlRecord = { url, ...(priority === 0 ? {} : { priority }), ...(parent === undefined ? {} : { parent }) };
    view.counts.urls++;
    this.#list(view, id, record);
    this.#wait(view, { id, host }, record, nowMs);
    return true;
  }

  #again(view: View, at: Pick<KnownUrl, 'id' | 'host'>, known: UrlRecord, priority: number, nowMs: number): void {
    const record = { ...known };
    const raised = priority > (record.priority ?? 0);
    if (raised) record.priority = priority;
    const isOver = record.lease === undefined && record.place === undefined;
    if (isOver) {
      this.#leave(view, at.id, record);
      delete record.attempts;
    }
    const isDue = isOver || (record.place !== undefined && record.visit !== undefined);
    if (isDue && record.listed === undefined) this.#list(view, at.id, record);
    if (raised && record.place !== undefined) this.#leavePlace(view, at.host, record);
    if (record.lease === undefined && record.place === undefined) this.#wait(view, at, record, nowMs);
    else if (raised || isDue) view.set(key.url(at.id), record);
  }

  /** It is this worker's from now on. Its place in the queue and its host are the caller's to see to. */
  give(view: View, id: string, record: UrlRecord, lease: Lease): UrlRecord {
    const given: UrlRecord = { ...record, lease };
    delete given.place;
    view.set(key.url(id), given);
    view.set(key.lease(lease.ends, id), lease.worker);
    view.counts.waiting--;
    view.counts.given++;
    this.#alarms.lease(lease.ends);
    return given;
  }

  /** A report was accepted. */
  visited(view: View, { url, id, host }: KnownUrl, visit: Visit, parent: string | undefined): void {
    const known = view.get<UrlRecord>(key.url(id));
    if (known === undefined) view.counts.urls++;
    const record: UrlRecord = { url, ...(parent === undefined ? {} : { parent }), ...known, visit };
    delete record.attempts;
    if (record.listed !== undefined) view.delete(key.listed(record.listed));
    delete record.listed;
    const nowMs = visit.received;
    if (record.lease !== undefined && record.lease.worker !== visit.worker) {
      // Another has it: that lease goes on, and the later report wins.
      view.set(key.url(id), record);
      return;
    }
    if (record.lease !== undefined) this.#endLease(view, { id, host }, record, nowMs);
    else if (record.place !== undefined) this.#leavePlace(view, host, record);
    else this.#leave(view, id, record);
    this.#rest(view, { id, host }, record, nowMs);
  }

  /** A lease is over without a report. @param counts whether that was an attempt */
  lapse(view: View, id: string, nowMs: number, counts: boolean): void {
    const known = view.get<UrlRecord>(key.url(id));
    if (known?.lease === undefined) return;
    const record = { ...known };
    const at = { id, host: hostOf(id) };
    const { given } = known.lease;
    this.#endLease(view, at, record, nowMs);
    // Somebody else has reported it meanwhile.
    if (record.visit !== undefined && record.visit.received >= given) return this.#rest(view, at, record, nowMs);
    if (counts) record.attempts = (record.attempts ?? 0) + 1;
    if ((record.attempts ?? 0) < this.#rules.maxAttempts) return this.#wait(view, at, record, nowMs);
    record.failed = true;
    view.counts.failed++;
    view.set(key.url(id), record);
  }

  /** The time for its next visit has come. */
  isDue(view: View, id: string, nowMs: number): void {
    const known = view.get<UrlRecord>(key.url(id));
    if (known?.due === undefined || known.due > nowMs) return;
    const record = { ...known };
    this.#leave(view, id, record);
    this.#wait(view, { id, host: hostOf(id) }, record, nowMs);
  }

  #wait(view: View, { id, host }: Pick<KnownUrl, 'id' | 'host'>, record: UrlRecord, nowMs: number): void {
    record.place = enqueue(view, host, id, rankOf(record), nowMs, this.#rules);
    view.counts.waiting++;
    view.set(key.url(id), record);
  }

  /** Visited, and nothing to do before it is due again. */
  #rest(view: View, at: Pick<KnownUrl, 'id' | 'host'>, record: UrlRecord, nowMs: number): void {
    if (this.#rules.revisitMs === 0) return this.#wait(view, at, record, nowMs);
    record.due = nowMs + this.#untilNext(record);
    view.set(key.due(record.due, at.id), 0);
    view.counts.visited++;
    view.set(key.url(at.id), record);
    this.#alarms.due(record.due);
  }

  #untilNext(record: UrlRecord): number {
    const { revisitMs, retryMs } = this.#rules;
    if (record.visit === undefined || !isFailure(record.visit) || retryMs === 0) {
      delete record.failures;
      return revisitMs;
    }
    record.failures = (record.failures ?? 0) + 1;
    return Math.min(revisitMs, retryMs * 2 ** (record.failures - 1));
  }

  #endLease(view: View, { id, host }: Pick<KnownUrl, 'id' | 'host'>, record: UrlRecord, nowMs: number): void {
    if (record.lease === undefined) return;
    view.delete(key.lease(record.lease.ends, id));
    delete record.lease;
    view.counts.given--;
    countOut(view, host, -1, nowMs, this.#rules);
  }

  #leavePlace(view: View, host: string, record: UrlRecord): void {
    if (record.place === undefined) return;
    takeOut(view, host, record.place);
    delete record.place;
    view.counts.waiting--;
  }

  /** It is no longer visited, or failed. */
  #leave(view: View, id: string, record: UrlRecord): void {
    if (record.due !== undefined) {
      view.delete(key.due(record.due, id));
      view.counts.visited--;
    }
    if (record.failed === true) view.counts.failed--;
    delete record.due;
    delete record.failed;
  }

  #list(view: View, id: string, record: UrlRecord): void {
    record.listed = view.nextSequence();
    view.set(key.listed(record.listed), id);
  }
}

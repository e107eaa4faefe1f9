/**
 * Accepted reports, counted for each worker and UTC day, in the same write as the URL.
 *
 * Source: the wiki page "Heroshi programming interface" (September 2010).
 */
import { key, LAST, nameText } from './keys.ts';
import type { QueueStore, View } from './store.ts';

export interface WorkerCounts {
  reports: number;
  /** of bodies */
  bytes: number;
  /** milliseconds in which it was at work */
  active: number;
  /** distinct hosts; of all time only */
  sites?: number;
  /** its latest request; of all time only */
  seen?: number;
}

const NONE: WorkerCounts = { reports: 0, bytes: 0, active: 0 };

/** `2026-11-26` */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function countKeys(worker: string, host: string, nowMs: number): readonly string[] {
  return [key.total(worker), key.day(dayOf(nowMs), worker), key.site(worker, host)];
}

export function countReport(view: View, worker: string, host: string, bytes: number, nowMs: number): void {
  const [total, day, site] = [key.total(worker), key.day(dayOf(nowMs), worker), key.site(worker, host)];
  const isNew = view.get(site) === undefined;
  if (isNew) view.set(site, 0);
  view.set(key.siteDay(worker, host, dayOf(nowMs)), 0);
  const plus = (counts: WorkerCounts = NONE): WorkerCounts => ({ ...counts, reports: counts.reports + 1, bytes: counts.bytes + bytes });
  view.set(day, plus(view.get<WorkerCounts>(day)));
  const all = plus(view.get<WorkerCounts>(total));
  view.set(total, { ...all, sites: (all.sites ?? 0) + (isNew ? 1 : 0) });
}

/** Of a worker within a range, or of all time. */
export interface Counted extends WorkerCounts {
  readonly sites: number;
}

/** UTC days, both included. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** Entries that are read in one go. */
const AT_ONCE = 1000;

async function* entries<T>(store: QueueStore, first: string, lt: string): AsyncGenerator<readonly [string, T], void> {
  let next: { gte: string } | { gt: string } = { gte: first };
  for (;;) {
    const some: (readonly [name: string, value: T])[] = await store.entriesIn<T>({ ...next, lt, limit: AT_ONCE });
    yield* some;
    const last = some.at(-1);
    if (last === undefined) return;
    next = { gt: last[0] };
  }
}

/** Of all workers that have ever done something, by name. */
export async function totals(store: QueueStore): Promise<Map<string, Counted>> {
  const all = new Map<string, Counted>();
  for await (const [name, counts] of entries<WorkerCounts>(store, 'S/', `S/${LAST}`)) {
    all.set(decodeURIComponent(name.slice(2)), { ...counts, sites: counts.sites ?? 0 });
  }
  return all;
}

/** Of those that did something in the range. Distinct hosts are counted by walking over the days of each: nothing is kept in memory. */
export async function within(store: QueueStore, { from, to }: Days): Promise<Map<string, Counted>> {
  const all = new Map<string, WorkerCounts>();
  for await (const [name, counts] of entries<WorkerCounts>(store, `s/${from}/`, `s/${to}/${LAST}`)) {
    const worker = decodeURIComponent(name.split('/')[2] ?? '');
    const before = all.get(worker) ?? NONE;
    all.set(worker, {
      reports: before.reports + counts.reports,
      bytes: before.bytes + counts.bytes,
      active: before.active + counts.active,
    });
  }
  const counted = new Map<string, Counted>();
  for (const [worker, counts] of all) {
    counted.set(worker, { ...counts, sites: counts.reports === 0 ? 0 : await sitesWithin(store, worker, { from, to }) });
  }
  return counted;
}

async function sitesWithin(store: QueueStore, worker: string, { from, to }: Days): Promise<number> {
  const first = `v/${nameText(worker)}/`;
  let sites = 0;
  let last = '';
  for await (const [name] of entries(store, first, `${first}${LAST}`)) {
    const end = name.lastIndexOf('/');
    const [host, day] = [name.slice(0, end), name.slice(end + 1)];
    if (host === last || day < from || day > to) continue;
    last = host;
    sites++;
  }
  return sites;
}

/** Milliseconds that the manager ran within a range. */
export async function ranWithin(store: QueueStore, { from, to }: Days): Promise<number> {
  let ms = 0;
  for await (const [, ran] of entries<number>(store, `m/${from}`, `m/${to}${LAST}`)) ms += ran;
  return ms;
}

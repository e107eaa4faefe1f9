/**
 * The queues of one host, one for each rank, and the host's own place among those with work.
 *
 * A queue is a range of numbers: what waits is found by its number, and what has gone in between is passed over once. A host whose limit is
 * out stands nowhere until one comes back.
 */
import { hostOfNext, key } from './keys.ts';
import type { HostRecord } from './records.ts';
import type { View } from './store.ts';

export interface Politeness {
  /** URLs of a host that may be out at once, 0: any number */
  readonly maxPerHost: number;
  /** between two hand-outs of a host */
  readonly hostDelayMs: number;
}

/** Needs `H/HOST`. */
export function hostIn(view: View, host: string): HostRecord {
  return view.get<HostRecord>(key.host(host)) ?? { out: 0, queues: {}, last: 0 };
}

/** Put an id at the end of one of its host's queues. */
export function enqueue(view: View, host: string, id: string, rank: number, nowMs: number, rules: Politeness): readonly [number, number] {
  const record = hostIn(view, host);
  const [head, tail] = record.queues[rank] ?? [0, 0];
  view.set(key.waiting(host, rank, tail), id);
  settle(view, host, { ...record, queues: { ...record.queues, [rank]: [head, tail + 1] } }, nowMs, rules);
  return [rank, tail];
}

/** Take one out of the middle. Its queue may be empty then without the host knowing it: whoever comes to hand out will find that. */
export function takeOut(view: View, host: string, [rank, number]: readonly [number, number]): void {
  view.delete(key.waiting(host, rank, number));
}

/** How many of the host's are out has changed. */
export function countOut(view: View, host: string, change: number, nowMs: number, rules: Politeness): void {
  const record = hostIn(view, host);
  settle(view, host, { ...record, out: Math.max(0, record.out + change) }, nowMs, rules);
}

/** The first rank that has anything waiting. */
export function firstRank({ queues }: HostRecord): number | undefined {
  let first: number | undefined;
  for (const [rank, [head, tail]] of Object.entries(queues)) {
    if (head < tail && (first === undefined || Number(rank) < first)) first = Number(rank);
  }
  return first;
}

/** Write a host as it is now, and see to its place among those with work. */
export function settle(view: View, host: string, changed: HostRecord, nowMs: number, rules: Politeness, moved = false): void {
  const before = view.get<HostRecord>(key.host(host));
  const record = { ...changed };
  for (const [rank, [head, tail]] of Object.entries(record.queues)) {
    if (head < tail) continue;
    record.queues = { ...record.queues };
    Reflect.deleteProperty(record.queues, rank);
  }
  const rank = firstRank(record);
  const mayGo = rank !== undefined && (rules.maxPerHost === 0 || record.out < rules.maxPerHost);
  const stands = record.next === undefined ? undefined : Number(record.next.split('/')[1]);
  if (record.next !== undefined && (!mayGo || stands !== rank || moved)) {
    view.delete(record.next);
    count(view, stands, -1);
    delete record.next;
  }
  if (mayGo && record.next === undefined) {
    // One that comes back stands behind those that wait already; and nobody goes before its delay is over.
    record.next = key.next(rank, Math.max(record.last, nowMs - rules.hostDelayMs), view.nextSequence(), host);
    view.set(record.next, 0);
    count(view, rank, 1);
  }
  if (before === undefined) view.counts.hosts++;
  if (record.out === 0 && rank === undefined && nowMs - record.last > rules.hostDelayMs) {
    // Nothing is known of it that anybody has to remember.
    view.delete(key.host(host));
    view.counts.hosts--;
  } else view.set(key.host(host), record);
}

function count(view: View, rank: number | undefined, change: number): void {
  if (rank === undefined) return;
  const { ready } = view.counts;
  const left = (ready[rank] ?? 0) + change;
  if (left > 0) ready[rank] = left;
  else Reflect.deleteProperty(ready, rank);
}

/** Hosts named by keys of those with work. */
export function hostsOf(keys: readonly string[]): string[] {
  return keys.map(hostOfNext);
}

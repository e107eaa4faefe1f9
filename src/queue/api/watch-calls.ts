/**
 * How the queue is, its hosts, single URLs, and reports as they come: what the page for people asks, and who watches. Beyond the protocol.
 */
import { hostOf as hostOfId, knownUrl } from '../urls.ts';
import { EVENT_BOUNDS } from '../events.ts';
import { key, LAST } from '../keys.ts';
import type { Queue } from '../queue.ts';
import { stateOf, type HostRecord, type UrlRecord } from '../records.ts';
import { bad, Refusal } from '../refusal.ts';
import { totals } from '../statistics.ts';
import { isoSeconds } from '../times.ts';
import type { Bodies } from './bodies.ts';
import type { Reply, Routes } from './call.ts';

const MAX_ITEMS = 200;

export function watchCalls({ queue }: { readonly queue: Queue; readonly bodies: Bodies }): Routes {
  return {
    '/overview': { forWorkers: false, methods: { GET: () => overview(queue) } },
    '/hosts': { forWorkers: false, methods: { GET: ({ query }) => hosts(queue, query.get('from') ?? '') } },
    '/events': { forWorkers: false, methods: { GET: ({ headers }) => events(queue, headers) } },
    '/urls': { forWorkers: false, methods: { GET: ({ query }) => urls(queue, query) } },
  };
}

async function overview({ store, activity, access, control, recent, clock }: Queue): Promise<Reply> {
  const { urls, waiting, given, visited, failed, hosts } = store.counts;
  const counted = await totals(store);
  const names = [...new Set([...access.keys.map(({ name }) => name), ...counted.keys()])].sort();
  const workers = names.map((name) => {
    const seen = activity.seen(name);
    const { reports = 0, bytes = 0, sites = 0 } = counted.get(name) ?? {};
    return { name, control: control.of(name).control, 'last-seen': seen === undefined ? null : isoSeconds(seen), reports, bytes, sites };
  });
  return {
    json: {
      uptime: Math.floor((clock() - activity.startedMs) / 1000),
      counts: { urls, waiting, given, visited, failed, hosts },
      control: control.state,
      workers,
      minutes: { added: recent.minutes('added'), given: recent.minutes('given'), reported: recent.minutes('reported') },
      reports: recent.reports.map(({ at, ...report }) => ({ at: isoSeconds(at), ...report })),
    },
  };
}

/** Hosts that have URLs waiting or out, by name. `next` is where the following ones begin. */
async function hosts({ store }: Queue, from: string): Promise<Reply> {
  const entries = await store.entriesIn<HostRecord>({ gte: key.host(from), lt: key.host(LAST), limit: MAX_ITEMS + 1 });
  const list = entries.slice(0, MAX_ITEMS).map(([name, { out, queues, last }]) => ({
    host: name.slice(2),
    waiting: Object.values(queues).reduce((sum, [head, tail]) => sum + tail - head, 0),
    out,
    'last-given': last === 0 ? null : isoSeconds(last),
  }));
  return { json: { hosts: list, next: entries[MAX_ITEMS]?.[0].slice(2) ?? null } };
}

/** @throws Refusal when too many listen */
function events({ events }: Queue, headers: Headers): Reply {
  const stream = events.listen(headers.get('last-event-id'));
  if (stream === undefined) {
    throw new Refusal(503, `at most ${EVENT_BOUNDS.listeners} may listen at once, try again`, { 'Retry-After': '10' });
  }
  return { events: stream };
}

/** One URL by `url`, or those of a `host`, name and port. @throws Refusal */
async function urls({ store, frontier }: Queue, query: URLSearchParams): Promise<Reply> {
  const [url, host, from] = [query.get('url'), query.get('host'), query.get('from')];
  if (url !== null) {
    if (knownUrl(url) === undefined) throw bad('url must be an http or https URL');
    const record = await frontier.look(url);
    if (record === undefined) throw new Refusal(404, 'This URL is not known.');
    return { json: { urls: [shown(record)], next: null } };
  }
  if (host === null || host === '') throw bad('expected ?url=URL or ?host=NAME:PORT');
  const start = from !== null && hostOfId(from) === host ? from : `${host}/`;
  const entries = await store.entriesIn<UrlRecord>({ gte: key.url(start), lt: key.url(`${host}/${LAST}`), limit: MAX_ITEMS + 1 });
  return { json: { urls: entries.slice(0, MAX_ITEMS).map(([, record]) => shown(record)), next: entries[MAX_ITEMS]?.[0].slice(2) ?? null } };
}

function shown(record: UrlRecord): object {
  const { url, priority = 0, parent = null, lease, attempts = 0, due, visit } = record;
  return {
    url,
    state: stateOf(record),
    priority,
    parent,
    attempts,
    worker: lease?.worker ?? null,
    'lease-ends': lease === undefined ? null : isoSeconds(lease.ends),
    due: due === undefined ? null : isoSeconds(due),
    report: visit === undefined ? null : { ...visit, at: isoSeconds(visit.at), received: isoSeconds(visit.received) },
  };
}

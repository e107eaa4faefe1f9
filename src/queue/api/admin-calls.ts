/**
 * What the administrator may call: keys, statistics, holding back, what is out.
 *
 * Source: the wiki page "Heroshi programming interface" (September 2010).
 */
import type { ControlChange, Wish } from '../control.ts';
import type { Queue } from '../queue.ts';
import { bad } from '../refusal.ts';
import { ranWithin, totals, within, type Counted, type Days } from '../statistics.ts';
import { isDay, spacedTime } from '../times.ts';
import { jsonIn, type Bodies } from './bodies.ts';
import type { Reply, Routes } from './call.ts';
import { jsonArray } from './pieces.ts';

export interface AdminCallsParts {
  readonly queue: Queue;
  readonly bodies: Bodies;
}

const MAX_BODY_BYTES = 64 * 1024;
const FIRST_DAY = '0000-01-01';
const LAST_DAY = '9999-12-31';

export function adminCalls({ queue, bodies }: AdminCallsParts): Routes {
  const { access, control, frontier } = queue;
  return {
    '/statistics': { forWorkers: false, methods: { GET: ({ query }) => statistics(queue, query) } },
    '/api-keys': {
      forWorkers: false,
      methods: {
        GET: () => ({ json: access.keys.map(({ name, created }) => keyOf(queue, name, created)) }),
        POST: (call) =>
          bodies.with(call, MAX_BODY_BYTES, async (text) => {
            const isNew = await access.add(text.replace(/\r?\n$/, ''), queue.clock());
            return { status: isNew ? 201 : 200, text: '' };
          }),
      },
    },
    '/api-keys/': { forWorkers: false, methods: { DELETE: ({ rest }) => removeKey(queue, rest) } },
    '/control': {
      forWorkers: false,
      methods: {
        GET: () => ({ json: control.state }),
        PUT: (call) =>
          bodies.with(call, MAX_BODY_BYTES, async (text) => {
            await control.change(changeIn(jsonIn(text)));
            return { json: null };
          }),
      },
    },
    '/active': {
      forWorkers: false,
      methods: {
        GET: () => ({ pieces: () => jsonArray(active(queue)) }),
        DELETE: async ({ query }) => {
          const worker = query.get('worker');
          if (worker === null || worker === '') throw bad('expected ?worker=NAME');
          return { json: { released: await frontier.release(worker) } };
        },
      },
    },
  };
}

function keyOf({ activity }: Queue, name: string, created: number): object {
  const seen = activity.seen(name);
  return { name, created: spacedTime(created), 'last-seen': seen === undefined ? null : spacedTime(seen) };
}

async function removeKey({ access, frontier }: Queue, rest: string): Promise<Reply> {
  let text: string;
  try {
    text = decodeURIComponent(rest);
  } catch {
    throw bad('the key in the path must be percent-encoded, "%" as %25');
  }
  await frontier.release(await access.remove(text));
  return { text: '' };
}

async function* active({ frontier }: Queue): AsyncGenerator<object, void> {
  for await (const { url, lease } of frontier.active()) {
    yield { url, worker: lease.worker, 'given-to-crawling': spacedTime(lease.given), 'lease-ends': spacedTime(lease.ends) };
  }
}

const WISHES: readonly unknown[] = ['resume', 'suspend'] satisfies readonly Wish[];

/** @throws Refusal */
function changeIn(value: unknown): ControlChange {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('the body must be a JSON object');
  const { control, worker, 'recheck-interval': interval } = value as Readonly<Record<string, unknown>>;
  if (control === undefined ? interval === undefined : !WISHES.includes(control)) throw bad('control must be "suspend" or "resume"');
  if (worker !== undefined && (typeof worker !== 'string' || worker === '' || worker.length > 64))
    throw bad('worker must be the name of one');
  if (interval !== undefined && !(typeof interval === 'number' && interval > 0 && interval <= 86_400)) {
    throw bad('recheck-interval must be a number of seconds above 0, at most 86400');
  }
  return {
    ...(control === undefined ? {} : { control: control as Wish }),
    ...(worker === undefined ? {} : { worker }),
    ...(interval === undefined ? {} : { recheckInterval: interval }),
  };
}

/** @throws Refusal. @returns undefined without any */
function daysIn(query: URLSearchParams): Days | undefined {
  const [from, to] = ['date-from', 'date-to'].map((name) => {
    const day = query.get(name);
    if (day !== null && !isDay(day)) throw bad(`${name} must be a day such as 2009-03-29`);
    return day;
  });
  if (from == null && to == null) return undefined;
  if (from != null && to != null && from > to) throw bad('date-from must not be after date-to');
  return { from: from ?? FIRST_DAY, to: to ?? LAST_DAY };
}

async function statistics(queue: Queue, query: URLSearchParams): Promise<Reply> {
  const days = daysIn(query);
  const { access, activity, clock, store } = queue;
  await activity.write();
  const counted = await (days === undefined ? totals(store) : within(store, days));
  const active = [...counted].filter(([, { reports, active }]) => reports > 0 || active > 0).map(([name]) => name);
  const names = new Set([...access.keys.map(({ name }) => name), ...active.filter((name) => name !== access.admin)]);
  if ((counted.get(access.admin)?.reports ?? 0) > 0) names.add(access.admin);
  const sum = (what: (counts: Counted) => number) => [...counted.values()].reduce((total, counts) => total + what(counts), 0);
  const received = Math.floor(sum(({ bytes }) => bytes) / 1024);
  const ran = days === undefined ? clock() - activity.startedMs : await ranWithin(store, days);
  return {
    json: {
      workers: [...names].sort().map((name) => workerOf(access.shown(name), name, counted.get(name))),
      uptime: Math.floor(ran / 1000),
      'crawled-urls': sum(({ reports }) => reports),
      // Misspelt in the protocol.
      'recieved-KB': received,
      'received-KB': received,
    },
  };
}

function workerOf(key: string, name: string, counts: Counted | undefined): object {
  return {
    key,
    name,
    uptime: Math.floor((counts?.active ?? 0) / 1000),
    'crawled-urls': counts?.reports ?? 0,
    'crawled-sites': counts?.sites ?? 0,
  };
}

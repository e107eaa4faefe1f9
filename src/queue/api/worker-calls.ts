/**
 * What workers may call: `/crawl-queue`, `/report`, `/worker`.
 *
 * Source: the wiki page "Heroshi programming interface" (September 2010); field names beside it are those of the manager published after it.
 */
import type { Given } from '../hand-out.ts';
import type { Queue } from '../queue.ts';
import { bad, Refusal } from '../refusal.ts';
import { distinct, readReports, type Report, type ReportedVisit } from '../reports.ts';
import { isoSeconds, spacedTime } from '../times.ts';
import { knownUrl, type KnownUrl } from '../urls.ts';
import { jsonIn, MAX_BODY_BYTES, type Bodies } from './bodies.ts';
import type { Call, Reply, Routes } from './call.ts';

export interface WorkerCallsParts {
  readonly queue: Queue;
  readonly bodies: Bodies;
  readonly maxQueueLimit: number;
  /** what becomes of the pages themselves, before their reports are stored. Resolves with the identifiers of their records */
  readonly keep: (reports: readonly Report[]) => Promise<ReadonlyMap<Report, string>>;
  /** finds links in the page, and drops those that shall not be followed */
  readonly withLinks: (reports: readonly Report[]) => Promise<readonly Report[]>;
}

const MAX_FORM_BYTES = 1024 * 1024;
const MAX_RELEASED = 10_000;

export function workerCalls(parts: WorkerCallsParts): Routes {
  const { queue, bodies } = parts;
  const report = (call: Call) => bodies.with(call, MAX_BODY_BYTES, (text) => takeReports(parts, call, text));
  return {
    '/crawl-queue': {
      forWorkers: true,
      methods: {
        POST: (call) => bodies.with(call, MAX_FORM_BYTES, (text) => handOut(parts, call, text)),
        DELETE: (call) => bodies.with(call, MAX_FORM_BYTES, (text) => giveBack(parts, call, text)),
      },
    },
    '/report': { forWorkers: true, methods: { PUT: report, POST: report } },
    '/worker': { forWorkers: true, methods: { GET: ({ who }) => ({ json: queue.control.of(who.name) }) } },
  };
}

async function handOut({ queue, maxQueueLimit }: WorkerCallsParts, { who, headers }: Call, text: string): Promise<Reply> {
  // Its key may have been removed while the body came.
  if (!queue.access.lets(who)) throw new Refusal(401, 'Key is not authorized.', { 'WWW-Authenticate': 'X-Heroshi-Auth' });
  const limit = limitIn(text, headers.get('content-type') ?? '');
  const held = queue.control.of(who.name);
  if (held.control === 'suspend') return { json: [], headers: { 'Retry-After': String(Math.ceil(held['recheck-interval'])) } };
  const given = await queue.frontier.handOut(who.name, Math.min(limit, maxQueueLimit));
  queue.recent.count('given', given.length);
  return { json: given.map(itemOf) };
}

/** @throws Refusal */
function limitIn(text: string, type: string): number {
  const isJson = /^application\/json\b/i.test(type) || text.trimStart().startsWith('{');
  const limit: unknown = isJson ? (jsonIn(text) as { limit?: unknown } | null)?.limit : new URLSearchParams(text).get('limit');
  const number = typeof limit === 'string' && !isJson && /^\d+$/.test(limit) ? Number(limit) : limit;
  // So many digits are too many for a number, and more than there are URLs.
  const isWhole = Number.isInteger(number) || number === Infinity;
  if (typeof number !== 'number' || !isWhole || number < 1) throw bad('limit must be a positive integer');
  return number;
}

function itemOf({ record: { url, visit }, ms }: Given): object {
  return {
    url,
    'last-visited': visit === undefined ? null : spacedTime(visit.at),
    'given-to-crawling': spacedTime(ms),
    visited: visit === undefined ? null : isoSeconds(visit.at),
    headers: visit?.headers ?? {},
  };
}

/** `DELETE /crawl-queue`: a worker that stops gives back what it has; a list of URLs, or nothing for all. */
async function giveBack({ queue }: WorkerCallsParts, { who }: Call, text: string): Promise<Reply> {
  if (text.trim() === '') return { json: { released: await queue.frontier.release(who.name) } };
  const list = jsonIn(text);
  if (!Array.isArray(list) || list.length > MAX_RELEASED)
    throw bad(`the body must be a JSON array of at most ${MAX_RELEASED} URLs, or empty`);
  const ids = distinct(list.map(knownUrl)).map(({ id }) => id);
  return { json: { released: await queue.frontier.release(who.name, ids) } };
}

async function takeReports({ queue, withLinks, keep }: WorkerCallsParts, { who }: Call, text: string): Promise<Reply> {
  const reports = await withLinks(readReports(jsonIn(text)));
  const records = await keep(reports);
  const { accepted, added, ms } = await queue.frontier.report(who.name, reports);
  queue.recent.count('added', added);
  for (const report of accepted) {
    const { found, visit } = report;
    if (found === undefined || visit === undefined) continue;
    const { status_code, result, length } = visit;
    queue.recent.count('reported', 1);
    queue.recent.report({ at: ms, url: found.url, worker: who.name, status_code, result, length });
    queue.events.publish(eventOf(found, visit, who.name, ms, records.get(report)));
  }
  return { json: null };
}

/** What is told of an accepted report. Times are UTC, durations milliseconds. */
function eventOf({ url }: KnownUrl, visit: ReportedVisit, worker: string, ms: number, record: string | undefined): object {
  const { status_code, result, at = ms, fetch_time, total_time, length, type, digest } = visit;
  const [visited, received] = [isoSeconds(at), isoSeconds(ms)];
  return { url, worker, status_code, result, visited, received, fetch_time, total_time, length, type, digest, record };
}

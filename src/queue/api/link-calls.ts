/**
 * `/temp-new-links`: what the administrator adds, and what waits for its first report.
 *
 * Source: the wiki page "Heroshi programming interface" (September 2010).
 */
import type { AddedCount, Wished } from '../frontier.ts';
import type { Queue } from '../queue.ts';
import { bad } from '../refusal.ts';
import { spacedTime } from '../times.ts';
import { knownUrl, MAX_URL_CHARS } from '../urls.ts';
import { jsonIn, MAX_BODY_BYTES, type Bodies } from './bodies.ts';
import type { Reply, Routes } from './call.ts';
import { jsonArray } from './pieces.ts';

const DEFAULT_LIMIT = 10_000;
const MAX_LIMIT = 1_000_000;
/** Of a list that is stored whole or not at all. */
const MAX_ITEMS = 200_000;
/** Of a stream, in one go. */
const BATCH = 1000;
/** Of a stream, that are told. */
const MAX_REJECTED = 1000;
const SHOWN_CHARS = 200;
const MAX_PRIORITY = 100;
/** With room for its other fields. */
const MAX_LINE_CHARS = MAX_URL_CHARS + 1024;

export function linkCalls({ queue, bodies }: { readonly queue: Queue; readonly bodies: Bodies }): Routes {
  return {
    '/temp-new-links': {
      forWorkers: false,
      methods: {
        GET: ({ query }) => list(queue, query),
        POST: (call) => {
          const type = (call.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
          if (type === 'application/x-ndjson') return addLines(queue, bodies.lines(call, MAX_LINE_CHARS), ofJsonLine);
          if (type === 'text/plain') return addLines(queue, bodies.lines(call, MAX_LINE_CHARS), (line) => ({ text: line.trim() }));
          return bodies.with(call, MAX_BODY_BYTES, (text) => addList(queue, jsonIn(text)));
        },
      },
    },
  };
}

function list({ frontier, store }: Queue, query: URLSearchParams): Reply {
  const limit = Math.min(numberIn(query, 'limit', DEFAULT_LIMIT), MAX_LIMIT);
  const offset = numberIn(query, 'offset', 0);
  // Both tellings of it are of the same moment.
  const snapshot = store.level.snapshot();
  const items = async function* () {
    for await (const some of frontier.listed(offset, limit, snapshot)) {
      for (const { url, lease } of some) yield { url, 'given-to-crawling': lease === undefined ? null : spacedTime(lease.given) };
    }
  };
  return { pieces: () => jsonArray(items()), close: () => snapshot.close() };
}

function numberIn(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^\d+$/.test(text)) throw bad(`${name} must be a whole number, at least 0`);
  return Number(text);
}

/** What one item asks for. */
interface Asked {
  readonly text: string;
  readonly priority?: number;
}

async function addList(queue: Queue, value: unknown): Promise<Reply> {
  if (!Array.isArray(value)) throw bad('the body must be a JSON array of objects with a "url"');
  if (value.length > MAX_ITEMS) {
    throw bad(`at most ${MAX_ITEMS} items in one list, got ${value.length}: send them as application/x-ndjson, which has no limit`);
  }
  const asked = value.map((item: unknown, index) => {
    const read = askedIn(item);
    if (typeof read === 'string') throw bad(`item ${index + 1}: ${read}`);
    return read;
  });
  const { wished, rejected } = sort(asked);
  const count = await add(queue, wished);
  return { json: { ...count, rejected } };
}

async function addLines(queue: Queue, lines: AsyncIterable<string>, read: (line: string) => Asked | undefined): Promise<Reply> {
  const sum = { added: 0, known: 0 };
  const rejected: string[] = [];
  let more = 0;
  const flush = async (batch: readonly Wished[]) => {
    const { added, known } = await add(queue, batch);
    sum.added += added;
    sum.known += known;
  };
  let batch: Wished[] = [];
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const asked = read(line);
    const [wished] = asked === undefined ? [] : sort([asked]).wished;
    if (wished !== undefined) batch.push(wished);
    else if (rejected.length < MAX_REJECTED) rejected.push((asked?.text ?? line).slice(0, SHOWN_CHARS));
    else more++;
    if (batch.length < BATCH) continue;
    await flush(batch);
    batch = [];
  }
  await flush(batch);
  return { json: { ...sum, rejected, ...(more === 0 ? {} : { 'more-rejected': more }) } };
}

async function add({ frontier, recent }: Queue, wished: readonly Wished[]): Promise<AddedCount> {
  const count = await frontier.add(wished, true);
  recent.count('added', count.added);
  return count;
}

function ofJsonLine(line: string): Asked | undefined {
  try {
    const read = askedIn(JSON.parse(line));
    return typeof read === 'string' ? undefined : read;
  } catch {
    return undefined;
  }
}

/** @returns what is wrong with it, as a text */
function askedIn(item: unknown): Asked | string {
  if (typeof item === 'string') return { text: item };
  const { url, priority = 0 } = (item ?? {}) as { readonly url?: unknown; readonly priority?: unknown };
  if (typeof url !== 'string') return 'expected a URL, or an object with a "url" that is a string';
  if (typeof priority !== 'number' || !Number.isInteger(priority) || Math.abs(priority) > MAX_PRIORITY) {
    return `priority must be a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY}`;
  }
  return { text: url, priority };
}

function sort(asked: readonly Asked[]): { readonly wished: readonly Wished[]; readonly rejected: readonly string[] } {
  const wished: Wished[] = [];
  const rejected: string[] = [];
  for (const { text, priority } of asked) {
    const found = knownUrl(text);
    if (found === undefined) rejected.push(text);
    else wished.push(priority === undefined ? found : { ...found, priority });
  }
  return { wished, rejected };
}

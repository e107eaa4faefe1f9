/**
 * `GET /events`: captures as server-sent events, one JSON each, as they leave the chain.
 *
 * ```
 * id: INSTANCE-NUMBER     what `Last-Event-ID` goes on from
 * data: {"id":…}
 *
 * event: left-out         what this client is not told of
 * data: {"captures":7,"why":"slow"}
 * ```
 *
 * A client that reads slowly holds nobody back and nothing is kept for it: once those that it has not had are gone, it is told how many.
 * Source: HTML Standard §9.2 (server-sent events).
 */
import { textResponse, type FetchHandler } from '../pages.ts';
import { filterOf, numberIn, QueryError, type Wanted } from './filter.ts';
import type { CaptureEvent } from './event.ts';
import type { Recent } from './recent.ts';

export interface EventsPage {
  readonly handler: FetchHandler;
  /** how many listen at the moment */
  readonly listening: number;
}

export const MAX_LISTENERS = 256;
/** Something is said at least so often, so that a client that has gone is noticed, and one that is there knows that we are. */
const ALIVE_MS = 15_000;
/** Of one piece, about; a client that has not taken it is given no more. */
const PIECE_CHARS = 64 * 1024;
/** With `most`, so often are those of the time since looked through. */
const SAMPLE_MS = 250;
const RETRY_MS = 2000;
const OWN_NAMES = ['last', 'most', 'last-event-id'];

export function eventsPage(recent: Recent): EventsPage {
  let listening = 0;
  return {
    get listening() {
      return listening;
    },
    handler: (request) => {
      let reader: Reader;
      try {
        reader = readerOf(request, recent);
      } catch (error) {
        if (error instanceof QueryError) return textResponse('text/plain;charset=utf-8', `${error.message}\n`, 400);
        throw error;
      }
      if (listening >= MAX_LISTENERS) {
        const response = textResponse('text/plain;charset=utf-8', `${MAX_LISTENERS} clients listen already, try again later\n`, 503);
        response.headers.set('retry-after', '5');
        return response;
      }
      if (request.method === 'HEAD') return new Response(null, { headers: HEADERS });
      listening++;
      return new Response(
        streamOf(reader, recent, () => listening--),
        { headers: HEADERS },
      );
    },
  };
}

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

interface Reader {
  readonly wanted: Wanted;
  /** so many a second at most */
  readonly most: number | undefined;
  /** number of the next one that is looked at */
  at: number;
  /** what is said before anything else */
  before: string;
}

function readerOf(request: Request, recent: Recent): Reader {
  const query = new URL(request.url).searchParams;
  const wanted = filterOf(query, OWN_NAMES);
  const most = numberIn(query, 'most', 1, 10_000);
  const last = numberIn(query, 'last', 0, recent.maxEvents) ?? 0;
  const before = `retry: ${RETRY_MS}\n\n`;
  const heard = request.headers.get('last-event-id') ?? query.get('last-event-id') ?? '';
  if (heard === '') return { wanted, most, before, at: lastOf(recent, wanted, last) };
  const [, instance, number = ''] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(heard) ?? [];
  if (instance === undefined) throw new QueryError(`Last-Event-ID ${JSON.stringify(heard.slice(0, 100))}: expected one that was told here`);
  // Of another run everything that is here is news.
  return { wanted, most, before, at: instance === recent.instance ? Math.min(Number(number) + 1, recent.next) : 1 };
}

/** Where the last so many of those wanted begin. */
function lastOf(recent: Recent, wanted: Wanted, count: number): number {
  let at = recent.next;
  for (let id = recent.next - 1, left = count; left > 0 && id >= recent.first; id--) {
    const event = recent.peek(id);
    if (event === undefined || !wanted(event)) continue;
    at = id;
    left--;
  }
  return at;
}

function streamOf(reader: Reader, recent: Recent, onEnd: () => void): ReadableStream<Uint8Array> {
  let stop: (() => void) | undefined;
  let ended = false;
  let tookMs = performance.now();
  const end = () => {
    if (!ended) onEnd();
    ended = true;
    stop?.();
  };
  const text = (): string => {
    const { before } = reader;
    reader.before = '';
    const nowMs = performance.now();
    const found = before + (reader.most === undefined ? all(reader, recent) : sample(reader, recent, (nowMs - tookMs) / 1000));
    tookMs = nowMs;
    return found;
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        let said = text();
        while (said === '' && !recent.closed && !ended) {
          const late = await news(recent, (give) => (stop = give));
          said = late ? ':\n\n' : reader.most === undefined ? text() : (await pause(SAMPLE_MS, recent, (give) => (stop = give)), text());
        }
        if (ended) return;
        if (said !== '') return controller.enqueue(Buffer.from(said));
        end();
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

/** @returns true when it is time to say that we are there */
function news(recent: Recent, stoppable: (stop: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (late: boolean) => {
      clearTimeout(timer);
      giveUp();
      resolve(late);
    };
    const timer = setTimeout(() => done(true), ALIVE_MS).unref();
    const giveUp = recent.onNews(() => done(false));
    stoppable(() => done(true));
  });
}

/** Some time, or less at the end. */
function pause(ms: number, recent: Recent, stoppable: (stop: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      giveUp();
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    const giveUp = recent.onEnd(done);
    stoppable(done);
  });
}

/** What has come and gone unheard. */
function gone(reader: Reader, recent: Recent): string {
  const captures = recent.first - reader.at;
  if (captures <= 0) return '';
  reader.at = recent.first;
  return leftOut(captures, 'slow');
}

function all(reader: Reader, recent: Recent): string {
  let text = gone(reader, recent);
  let unheard = 0;
  for (; reader.at < recent.next && text.length < PIECE_CHARS; reader.at++) {
    const event = recent.peek(reader.at);
    if (event === undefined) unheard++;
    else if (reader.wanted(event)) text += told(event, recent);
  }
  return unheard === 0 ? text : text + leftOut(unheard, 'slow');
}

/** The latest of those that have come, so many as the time allows. */
function sample(reader: Reader, recent: Recent, seconds: number): string {
  let text = gone(reader, recent);
  const room = Math.max(1, Math.round((reader.most ?? 1) * Math.min(seconds, 1)));
  const found: CaptureEvent[] = [];
  let captures = 0;
  for (let id = recent.next - 1; id >= reader.at; id--) {
    const event = recent.peek(id);
    if (event === undefined || !reader.wanted(event)) continue;
    if (found.length < room) found.push(event);
    else captures++;
  }
  reader.at = recent.next;
  if (captures > 0) text += leftOut(captures, 'sampled');
  for (const event of found.reverse()) text += told(event, recent);
  return text;
}

function told(event: CaptureEvent, recent: Recent): string {
  return `id: ${recent.instance}-${event.id}\ndata: ${recent.textOf(event)}\n\n`;
}

function leftOut(captures: number, why: 'slow' | 'sampled'): string {
  return `event: left-out\ndata: ${JSON.stringify({ captures, why })}\n\n`;
}

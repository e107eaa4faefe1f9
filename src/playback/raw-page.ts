/**
 * `/replay/raw/20260102030405id_/URL`: of a URL the capture nearest to that time, for a script that shows it by its own means.
 *
 * Not for looking at: nothing of what was archived runs as a page of ours. What a script could not see of an answer is told in fields, as
 * wabac.js reads them: `X-Redirect-Status`, `X-Orig-Location`.
 */
import { fieldOf, Fields } from '../http/fields.ts';
import type { Field } from '../http/fields.ts';
import { momentIn } from '../store/moments.ts';
import { textResponse, type FetchHandler } from '../web/pages.ts';
import type { Playback, PlaybackAnswer } from './answer.ts';

/** The path, as pywb has it. */
export const RAW = '/replay/raw/';
const PATH = /^(\d{4,14})?(?:[a-z]{2}_)?\/(https?:\/\/.*)$/s;
/** What a page may be told; the others are of the connection, or would do something to the pages of ours. */
const KEPT =
  /^(?:accept-ranges|age|content-(?:encoding|language|location|range|type)|date|etag|last-modified|memento-datetime|server|x-.*)$/;
const OURS = { 'cache-control': 'no-store', 'content-security-policy': "sandbox; default-src 'none'", 'x-content-type-options': 'nosniff' };

export function rawPage(playback: Playback): FetchHandler {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const [, stamp, url] = PATH.exec((pathname + search).slice(RAW.length)) ?? [];
    // A browser says what it wants: a script's fetch is for nothing that it would show by itself.
    const isForScript = (request.headers.get('sec-fetch-dest') ?? 'empty') === 'empty';
    const chosen = stamp === undefined ? undefined : momentIn(stamp);
    if (url === undefined || !isForScript || (stamp !== undefined && chosen === undefined)) return gone('no such page');
    const range = request.headers.get('range');
    const fields = new Fields(range === null ? [] : [fieldOf('Range', range)]);
    const { method } = request;
    const found = await playback({ method, url, minor: 1, fields, key: method, chosen });
    return found === undefined ? gone('not in the archive') : answerOf(found);
  };
}

function gone(why: string): Response {
  return textResponse('text/plain;charset=utf-8', `${why}\n`, 404);
}

async function answerOf(found: PlaybackAnswer): Promise<Response> {
  const { status, fields } = found.head;
  const location = fields.get('location');
  const isRedirect = status >= 300 && status < 400 && location !== undefined;
  const isPlain = status >= 200 && status <= 599 && !isRedirect;
  const told: Field[] = isPlain ? [] : [fieldOf('X-Redirect-Status', String(status))];
  if (isRedirect) told.push(fieldOf('X-Orig-Location', location));
  const kept = [...fields.list.filter(({ key }) => KEPT.test(key)), ...told].map(({ name, value }): [string, string] => [name, value]);
  const headers = new Headers(kept);
  for (const [name, value] of Object.entries(OURS)) headers.set(name, value);
  const shown = isPlain ? status : 200;
  if (found.framing.kind !== 'none' && ![204, 205, 304].includes(shown)) return new Response(bodyOf(found), { status: shown, headers });
  await found.release();
  return new Response(null, { status: shown, headers });
}

/** Without its transfer-coding. */
function bodyOf(found: PlaybackAnswer): ReadableStream<Uint8Array> {
  const pieces = found.body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
            const { payload } = next.value;
            for (const slice of payload) if (slice.length > 0) controller.enqueue(new Uint8Array(slice));
            if (payload.some((slice) => slice.length > 0)) return;
          }
        } catch (error) {
          await found.release();
          throw error;
        }
        await found.release();
        controller.close();
      },
      cancel: () => found.release(),
    },
    { highWaterMark: 0 },
  );
}

/**
 * `/replay/open/20260102030405/URL`: from now on this browser sees the archive as it was at that time, and this URL first;
 * `/replay/open/newest/URL` takes it back.
 *
 * Leads into the archive only who comes through the playback proxy; others get to the page about that capture.
 */
import { momentIn, viewerOf, type Moments } from '../store/moments.ts';
import { isThrough } from './start.ts';
import { textResponse, type FetchHandler } from './pages.ts';

export const OPEN = '/replay/open/';
const PATH = /^(newest|\d{4,14})\/(https?:\/\/.*)?$/s;

/** @param isPlayback of the page: whether it is asked for by way of the playback proxy */
export function openPage(moments: Moments, isPlayback: boolean): FetchHandler {
  return async (request, from) => {
    const { pathname, search } = new URL(request.url);
    const [, when = '', url] = PATH.exec((pathname + search).slice(OPEN.length)) ?? [];
    const at = momentIn(when);
    if (when !== 'newest' && at === undefined) return textResponse('text/plain', 'no such page\n', 404);
    const leads = isPlayback && isThrough(request);
    if (leads) await moments.choose(viewerOf(from, request.headers.get('user-agent')), at);
    if (url === undefined) return to('/replay/');
    if (leads) return to(url);
    return to(at === undefined ? `/replay/?url=${encodeURIComponent(url)}` : `/replay/${when}/${url}`);
  };
}

/** Asked for again each time. */
function to(location: string): Response {
  return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } });
}

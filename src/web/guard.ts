/**
 * In front of pages that show what is archived: where everybody on the network could look, they are off; and no page of somebody else may ask
 * for them, though it could not read the answer.
 *
 * Source: Fetch Metadata Request Headers §2.3 (Sec-Fetch-Site).
 */
import { textResponse, type FetchHandler } from './pages.ts';

/** @param closed why they are off; undefined where they are on */
export function guarded(handler: FetchHandler, closed: () => string | undefined): FetchHandler {
  return (request, from) => {
    const why = closed();
    if (why !== undefined) return textResponse('text/plain;charset=utf-8', `${why}\n`, 403);
    const site = request.headers.get('sec-fetch-site') ?? 'none';
    // A link of somebody else may lead here.
    const isVisit = request.headers.get('sec-fetch-mode') === 'navigate' && request.headers.get('sec-fetch-dest') === 'document';
    if (site === 'same-origin' || site === 'none' || isVisit) return handler(request, from);
    return textResponse('text/plain;charset=utf-8', 'this is not for pages of other sites\n', 403);
  };
}

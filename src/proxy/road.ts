/**
 * The road of a request to the proxy, behind log-in and CONNECT: one of our own pages, or what the router finds, through the passage.
 *
 *   own page? ──► page     from a page of others? ──► 403     route ──► passage (gate, admission, exchange)
 */
import type { Handler } from '../http/sides.ts';
import type { Passage } from './passage.ts';
import { plainAnswer } from '../http/answer.ts';
import { route } from './router.ts';
import type { Steering } from './steering.ts';
import { pagesFirst, type Pages } from '../web/pages.ts';

const NO_WEBSOCKETS = plainAnswer(403, 'request rejected by warcprox: WebSockets are refused (--websocket of the proxy says so)');

export interface RoadServices {
  readonly passage: Passage;
  readonly pages: Pages;
  readonly steering: Pick<Steering, 'refuse' | 'heeded'>;
  /** add Via to requests, too */
  readonly via: boolean;
  /** what becomes of who asks for a WebSocket */
  readonly webSockets?: 'archive' | 'refuse';
}

export function createRoad({ passage, pages, steering, via, webSockets }: RoadServices): Handler {
  return pagesFirst(pages, (request, client) => {
    const refusal = steering.refuse(request.head);
    if (refusal !== undefined) return client.answer(refusal, true);
    const wanted = route(steering.heeded(request), via);
    if (webSockets === 'refuse' && wanted.kind === 'fetch' && wanted.outgoing.webSocket === true) return client.answer(NO_WEBSOCKETS, true);
    passage(wanted, client);
  });
}

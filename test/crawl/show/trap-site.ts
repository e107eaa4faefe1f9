/** A site with traps among its pages: what real sites have without end, too large, too slow, broken, or only for those with a cookie. */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const HTML = { 'Content-Type': 'text/html' };
const PIECE = Buffer.alloc(64 * 1024, 'x');

/** Links of each page, and which traps it leads to. */
const CHILDREN = 8;
const TRAPS = ['/calendar/2026/1', '/session', '/loop/1', '/slow', '/endless', '/huge', '/broken', '/picture', '/liar', '/wall', '/deep/'];

export interface TrapSite {
  readonly answer: RequestListener;
  /** how often each page of the site proper was asked for */
  readonly asked: Map<string, number>;
}

/** @param pages of the site proper: `/p/0` leads to all of them */
export function trapSite(pages: number): TrapSite {
  const asked = new Map<string, number>();
  let sessions = 0;

  const page = (n: number) => {
    const children = Array.from({ length: CHILDREN }, (_, index) => n * CHILDREN + index + 1).filter((child) => child < pages);
    const links = [...children.map((child) => `/p/${child}`), `/p/${(n * 7919) % pages}`, `/p/${n}#self`, `/p/0?SID=${++sessions}`];
    return [...links, ...(n < 3 * TRAPS.length ? [TRAPS[n % TRAPS.length] ?? ''] : [])].map((link) => `<a href="${link}">x</a>`).join('\n');
  };

  const traps: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse, rest: string) => unknown>> = {
    // Each month leads to the next and the one before, for ever.
    calendar: (_request, response, rest) => {
      const [year = 0, month = 0] = rest.split('/').map(Number);
      const at = year * 12 + month - 1;
      const link = (months: number) => `<a href="/calendar/${Math.floor(months / 12)}/${(months % 12) + 1}">m</a>`;
      response.writeHead(200, HTML).end(link(at + 1) + link(at - 1));
    },
    session: (_request, response) => response.writeHead(200, HTML).end(`<a href="/session?SID=${++sessions}">again</a>`),
    loop: (_request, response, rest) => response.writeHead(302, { Location: `/loop/${(Number(rest) % 3) + 1}` }).end(),
    slow: (_request, response) => trickle(response),
    endless: (_request, response) => pour(response, Infinity),
    huge: (_request, response) => pour(response, 1200),
    broken: (_request, response) =>
      response
        .writeHead(200, HTML)
        .end(`<a href=/p/1><<a <a href='http://[' x><table><a href="/p/2\0"><!-- <a href="/no"> <script>"<a href='/no'>"`),
    picture: (_request, response) => response.writeHead(200, { 'Content-Type': 'image/png' }).end(PIECE),
    // It says that it is a page.
    liar: (_request, response) =>
      response.writeHead(200, HTML).end(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7) % 256))),
    // Without its cookie it sends everybody in a circle.
    wall: (request, response) =>
      request.headers.cookie?.includes('wall=passed') === true
        ? response.writeHead(200, HTML).end('<a href="/p/3">in</a>')
        : response.writeHead(302, { Location: '/wall', 'Set-Cookie': 'wall=passed; Path=/' }).end(),
    // A relative link below itself, for ever.
    deep: (_request, response) => response.writeHead(200, HTML).end('<a href="deep/">deeper</a>'),
  };

  const answer: RequestListener = (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const [, first = '', rest = ''] = /^\/([a-z]+)(?:\/(.*))?$/.exec(path) ?? [];
    if (first !== 'p') {
      const trap = Object.hasOwn(traps, first) ? traps[first] : undefined;
      if (trap === undefined) response.writeHead(404, HTML).end('none');
      else trap(request, response, rest);
      return;
    }
    asked.set(path, (asked.get(path) ?? 0) + 1);
    const n = Number(rest);
    response.writeHead(n < pages ? 200 : 404, HTML).end(n < pages ? page(n) : 'none');
  };
  return { answer, asked };
}

async function trickle(response: ServerResponse): Promise<void> {
  response.writeHead(200, HTML);
  while (!response.destroyed) {
    response.write('<p>');
    await wait(100);
  }
}

async function pour(response: ServerResponse, pieces: number): Promise<void> {
  response.writeHead(200, HTML).on('error', () => undefined);
  const stop = new AbortController();
  response.once('close', () => stop.abort());
  for (let sent = 0; sent < pieces && !response.destroyed; sent++)
    if (!response.write(PIECE)) await once(response, 'drain', { signal: stop.signal }).catch(() => undefined);
  response.end();
}

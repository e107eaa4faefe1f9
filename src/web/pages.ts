/**
 * Own pages as standard fetch handlers (Request → Response), served on the proxy's own port.
 *
 * A page is a path and a handler; whatever makes Responses will do as one, a router of many pages as well.
 * Source: Fetch Standard (Request, Response).
 */
import { STATUS_CODES } from 'node:http';
import { chunkOf, LAST_CHUNK } from '../http1/chunked.ts';
import { plainAnswer } from '../http/answer.ts';
import { FetchError } from '../http/fetch-error.ts';
import { fieldOf, Fields } from '../http/fields.ts';
import type { Framing, RequestHead } from '../http/message.ts';
import { AS_IT_IS, type ClientRequest, type ClientSide, type Handler } from '../http/sides.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import { PageBody } from './page-body.ts';
import { askedThrough, withOneName } from './through.ts';

/** @param from address of the client, if that is known */
export type FetchHandler = (request: Request, from?: string) => Response | Promise<Response>;

export interface Pages {
  /** @param target as it came, beginning with a slash */
  has(method: string, target: string): boolean;
  /** a person asks our own name for a page that is not there: no program that takes us for something else */
  isLost(head: RequestHead): boolean;
  /** asked for directly, by an address or a name of this machine */
  readonly handler: Handler;
  /** asked for through the proxy, as `askedThrough` has it */
  readonly through: Handler;
}

/** Methods with which a Request has no body. */
const BODILESS = new Set(['GET', 'HEAD']);

export interface PagesOptions {
  /** by path, or by the beginning of paths with `*` at its end, of which the longest counts; GET of a page answers HEAD, too */
  readonly routes: Readonly<Record<string, FetchHandler>>;
  /** paths that are answered by each of our names, and not only by the one that the others lead to */
  readonly ofEachName?: readonly string[];
  /** what a browser is shown where there is no page; without it that is one line, as for programs */
  readonly missing?: FetchHandler;
  /** whether a Host is one of ours: pages are answered by no other */
  readonly isOwnHost: (host: string | undefined) => boolean;
  readonly log: Log;
}

export function createPages({ routes, ofEachName = [], missing, isOwnHost, log }: PagesOptions): Pages {
  const of = routesOf(routes);
  const serve: Handler = (request, client) => {
    const { method, target } = request.head;
    const page = of(target) ?? (isRead(method) && isForEyes(request.head) ? missing : undefined);
    if (page === undefined) client.answer(plainAnswer(404, 'no such page'));
    else if (isRead(method)) serveFetch(page, request, client, log);
    else client.answer({ ...plainAnswer(405, `pages are not for ${method}`), fields: [['Allow', 'GET, HEAD']] });
  };
  return {
    has: (method, target) => isRead(method) && of(target) !== undefined,
    isLost: (head) => missing !== undefined && isRead(head.method) && isForEyes(head) && isOwnHost(head.fields.get('host')),
    handler: (request, client) => {
      const host = request.head.fields.get('host');
      if (isOwnHost(host)) return serve(request, client);
      const line = `this page is not asked for by the host ${JSON.stringify(host)}; use an IP address, or --page-host`;
      client.answer(plainAnswer(421, line), true);
    },
    through: withOneName(serve, ofEachName),
  };
}

/** Own pages, asked for directly or through the proxy, and for all other requests what stands behind them. */
export function pagesFirst(pages: Pages, otherwise: Handler): Handler {
  return (request, client) => {
    const { method, target } = request.head;
    if (request.tunnel === undefined && target.startsWith('/') && (pages.has(method, target) || pages.isLost(request.head)))
      return pages.handler(request, client);
    const own = askedThrough(request);
    if (own !== undefined) return pages.through(own, client);
    otherwise(request, client);
  };
}

/** Browsers name HTML when they go somewhere, and hardly anything else does. */
const isForEyes = ({ fields }: RequestHead): boolean => fields.get('accept')?.includes('text/html') === true;

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

function routesOf(routes: Readonly<Record<string, FetchHandler>>): (target: string) => FetchHandler | undefined {
  const exact = new Map(Object.entries(routes));
  const begins = [...exact.keys()].filter((path) => path.endsWith('*')).map((path) => path.slice(0, -1));
  begins.sort((one, other) => other.length - one.length);
  return (target) => {
    const [path = ''] = target.split('?', 1);
    const found = exact.get(path);
    if (found !== undefined || begins.length === 0) return found;
    const begin = begins.find((each) => path.startsWith(each));
    return begin === undefined ? undefined : exact.get(`${begin}*`);
  };
}

/** Serve one request by a fetch handler; bodies of both pass as streams, with back-pressure. */
export function serveFetch(handler: FetchHandler, request: ClientRequest, client: ClientSide, log: Log): void {
  // The body of a GET means nothing (RFC 9110 §9.3.1), and a Request cannot have it: it is read past.
  const body = new PageBody(request.hasBody && !BODILESS.has(request.head.method), client);
  client.serve(body);
  answer(handler, request, client, body).catch((error: unknown) => {
    // Whatever it waited for was given up for that reason.
    if (body.isLeft()) return log.debug({ err: error, page: request.head.target }, `a page ended without its client: ${reasonOf(error)}`);
    log.error({ err: error, page: request.head.target }, `a page failed: ${reasonOf(error)}`);
    if (!body.answerBegun) client.answer(plainAnswer(500, 'this page failed, see the log of the proxy'), true);
    else client.fail(new FetchError('invalid-response', reasonOf(error)), undefined);
  });
}

async function answer(handler: FetchHandler, request: ClientRequest, client: ClientSide, body: PageBody): Promise<void> {
  const { head } = request;
  const asked = new Request(urlOf(request), {
    method: head.method,
    headers: head.fields.list.map(({ name, value }): [string, string] => [name, value]),
    signal: client.untilGone(),
    ...(body.stream === undefined ? {} : { body: body.stream, duplex: 'half' }),
  });
  const response = await handler(asked, client.address);
  if (body.isLeft()) return await response.body?.cancel();
  // What frames the body stands last, as in our other answers.
  const headers = [...response.headers].sort(([a], [b]) => Number(a === 'content-length') - Number(b === 'content-length'));
  const fields = headers.map(([name, value]) => fieldOf(inTitleCase(name), value));
  const framing = framingOf(response, head.method);
  // A body of unknown length is sent in chunks, which HTTP/1.0 clients get without.
  if (framing.kind === 'chunked') fields.push(fieldOf('Transfer-Encoding', 'chunked'));
  else if (framing.kind === 'length' && !response.headers.has('content-length')) fields.push(fieldOf('Content-Length', '0'));
  const { status } = response;
  body.answerBegun = true;
  client.head({ status, reason: STATUS_CODES[status] ?? '', minor: 1, fields: new Fields(fields) }, framing, AS_IT_IS);
  if (framing.kind === 'none' || response.body === null) {
    await response.body?.cancel();
  } else {
    // Nobody knows when the first piece of a stream will come.
    if (framing.kind === 'chunked') client.flush();
    await send(response.body, framing.kind === 'chunked', client, body);
    if (body.isLeft()) return;
    if (framing.kind === 'chunked') client.body(LAST_CHUNK, []);
  }
  client.end(undefined, true);
}

/** Pass on what a page says, until its end or for as long as its client is there. */
async function send(pieces: ReadableStream<Uint8Array>, chunked: boolean, client: ClientSide, body: PageBody): Promise<void> {
  const reader = pieces.getReader();
  // It may be long until the page says something more, or never.
  body.onLeft = () => void reader.cancel().catch(() => undefined);
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined || body.isLeft()) return;
    if (value.length === 0) continue;
    const payload = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const taken = client.body(chunked ? chunkOf(payload) : payload, [payload]);
    client.flush();
    if (!taken) await body.drained();
  }
}

function framingOf({ status, body, headers }: Response, method: string): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return { kind: 'none' };
  const length = headers.get('content-length');
  if (length !== null) return { kind: 'length', length: Number(length) };
  return body === null ? { kind: 'length', length: 0 } : { kind: 'chunked' };
}

function urlOf({ head, tunnel }: ClientRequest): string {
  const host = head.fields.get('host') ?? tunnel?.host ?? 'localhost';
  // A Request's URL must not have credentials.
  const understood = !host.includes('@') && URL.canParse(`http://${host}/`);
  return new URL(head.target, `${tunnel?.scheme ?? 'http'}://${understood ? host : 'localhost'}/`).href;
}

/** As fields of HTTP/1 are usually written: fetch has them in lower case. */
function inTitleCase(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** A page that is text, with its length. */
export function textResponse(contentType: string, text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'content-type': contentType, 'content-length': String(Buffer.byteLength(text)) } });
}

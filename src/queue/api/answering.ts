/**
 * From a request to the call that it is: path, key, role, method, in this order. Whatever goes wrong becomes an answer here.
 *
 * Source: the wiki page "Heroshi programming interface" (September 2010); for the order and the texts the manager published after it.
 */
import { LRUCache } from 'lru-cache';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../../util/log.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import type { Access, Identity } from '../access.ts';
import { Refusal } from '../refusal.ts';
import { QueueStoreError } from '../store.ts';
import type { Reply, Route, Routes } from './call.ts';
import { responseOf } from './replies.ts';

/** One request, besides what a Request can say. */
export interface About {
  readonly method: string;
  /** as it came */
  readonly target: string;
  readonly address: string | undefined;
  /** of the field `X-Heroshi-Auth`: a Headers joins several into one, which could be a key */
  readonly keyFields: number;
}

export interface AnsweringParts {
  readonly routes: Routes;
  /** pages that need no key, by path */
  readonly pages: ReadonlyMap<string, () => Response>;
  readonly access: Access;
  readonly seen: (worker: string) => void;
  readonly log: Log;
}

/** Wrong keys of one address within a minute that are answered at once, and how long the others wait. */
const FREE_FAILURES = 10;
const FAILURES_MS = 60_000;
const DELAY_MS = 200;
const MAX_ADDRESSES = 10_000;

export type AnswerRequest = (request: Request, about: About) => Promise<Response>;

export function answering({ routes, pages, access, seen, log }: AnsweringParts): AnswerRequest {
  const failures = new LRUCache<string, { count: number }>({ max: MAX_ADDRESSES, ttl: FAILURES_MS });

  const identify = async (headers: Headers, { address = '', keyFields }: About): Promise<Identity> => {
    const key = headers.get('x-heroshi-auth');
    const who = key === null || keyFields > 1 ? undefined : access.identify(key);
    if (who !== undefined) return who;
    const failed = failures.get(address) ?? { count: 0 };
    if (failed.count === 0) failures.set(address, failed);
    if (++failed.count > FREE_FAILURES) await wait(DELAY_MS);
    throw new Refusal(401, key === null ? 'Authentication header X-Heroshi-Auth not found.' : 'Key is not authorized.', {
      'WWW-Authenticate': 'X-Heroshi-Auth',
    });
  };

  const call = async (request: Request, about: About, path: string, query: string): Promise<Reply> => {
    const { route, rest } = find(routes, path);
    const who = await identify(request.headers, about);
    if (!route.forWorkers && !who.admin) throw new Refusal(403, 'Not allowed.');
    const method = about.method === 'HEAD' ? 'GET' : about.method;
    const answer = Object.hasOwn(route.methods, method) ? route.methods[method] : undefined;
    if (answer === undefined) throw new Refusal(405, 'Method not allowed.', { Allow: allowed(route) });
    seen(who.name);
    return answer({ method, rest, query: new URLSearchParams(query), headers: request.headers, body: request.body, who });
  };

  return async (request, about) => {
    const { path, query } = partsOf(about.target);
    const safe = about.method === 'GET' || about.method === 'HEAD';
    const asked = { path, safe, headers: request.headers };
    const page = safe ? pages.get(path) : undefined;
    const response =
      page?.() ??
      (await call(request, about, path, query)
        .then((reply) => responseOf(reply, asked))
        .catch((error: unknown) => responseOf(refused(error, log, request.signal), asked)));
    log.debug({ method: about.method, path: masked(path), status: response.status }, 'answered');
    return response;
  };
}

/** @throws Refusal */
function find(routes: Routes, path: string): { readonly route: Route; readonly rest: string } {
  const end = path.indexOf('/', 1);
  const [name, rest] = end === -1 ? [path, ''] : [path.slice(0, end + 1), path.slice(end + 1)];
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (route === undefined) throw new Refusal(404, 'There is no such path.');
  return { route, rest };
}

function allowed({ methods }: Route): string {
  return Object.keys(methods)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ');
}

/** The target may have the form of a whole URL (RFC 9112 §3.2.2). */
function partsOf(target: string): { readonly path: string; readonly query: string } {
  const local = target.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = local.indexOf('?');
  return mark === -1 ? { path: local, query: '' } : { path: local.slice(0, mark), query: local.slice(mark + 1) };
}

/** A key in a path is a secret: the name that it begins with may be told, and one without is told as nothing. */
function masked(path: string): string {
  return path.replace(
    /^(\/api-keys\/)(?:([^:%]*)[:%].*|.*)$/s,
    (_, start: string, name?: string) => `${start}${name === undefined ? '' : `${name}:`}***`,
  );
}

function refused(error: unknown, log: Log, { aborted }: AbortSignal): Reply {
  if (error instanceof Refusal) return { status: error.status, text: `${error.message}\n`, headers: error.headers };
  // It may have closed its own side alone, and still hear why.
  if (aborted || codeOf(error) === 'CLIENT_LEFT') return { status: 400, text: 'the body did not come\n' };
  log.error({ err: error }, `a call of the queue failed: ${reasonOf(error)}`);
  if (error instanceof QueueStoreError) {
    return { status: 503, text: 'the database cannot be written, nothing was stored\n', headers: { 'Retry-After': '10' } };
  }
  return { status: 500, text: 'really bad server error\n' };
}

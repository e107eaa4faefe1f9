/**
 * What is common to all paths of the service: Hono finds the route, and what is thrown becomes an answer here and nowhere else.
 */
import { Hono } from 'hono';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import { Refusal } from './errors.ts';
import { fullDisk } from './intake.ts';
import { errorReply } from './replies.ts';

export type Route = (request: Request, parameter: (name: string) => string) => Response | Promise<Response>;

/** By `METHOD /path`; a parameter of a path begins with a colon. HEAD is answered as GET. */
export type Routes = Readonly<Record<string, Route>>;

export function createRouter(routes: Routes, log: Log): (request: Request) => Promise<Response> {
  const app = new Hono();
  const methods = new Map<string, string[]>();
  for (const [key, route] of Object.entries(routes)) {
    const [method = '', path = ''] = key.split(' ');
    methods.set(path, [...(methods.get(path) ?? []), ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
    app.on(method, path, (context) => route(context.req.raw, (name) => context.req.param(name) ?? ''));
  }
  for (const [path, allowed] of methods) {
    app.all(path, ({ req }) => errorReply(req.raw, 405, 'Method Not Allowed', { allow: allowed.join(', ') }));
  }
  app.notFound(({ req }) => errorReply(req.raw, 404, 'Not Found'));
  app.onError((error, { req }) => {
    const refusal = error instanceof Refusal ? error : fullDisk(error);
    if (refusal !== undefined) {
      log.info({ status: refusal.status, path: req.path }, `refused: ${refusal.message}`);
      return errorReply(req.raw, refusal.status, refusal.message);
    }
    if (!req.raw.signal.aborted) log.error({ err: error, path: req.path }, `a request failed: ${reasonOf(error)}`);
    return errorReply(req.raw, 500, 'Internal Server Error');
  });
  return async (request) => app.fetch(request);
}

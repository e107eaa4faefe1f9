/**
 * What the port of the crawl server answers: files of the page for everybody, the API and what else there is of jobs behind log-in.
 */
import type { Authenticator } from '../auth/authenticator.ts';
import { withLogin } from '../auth/login.ts';
import { withBrowserLogIn } from '../crawl/api/browser-log-in.ts';
import { jobPage } from '../crawl/api/job-pages.ts';
import type { CrawlServer } from '../crawl/api/server.ts';
import { readCrawlPages } from '../crawl/page.ts';
import type { Jobs } from '../crawl/jobs/types.ts';
import { plainAnswer } from '../http/answer.ts';
import type { ClientRequest, Handler } from '../http/sides.ts';
import type { Log } from '../util/log.ts';
import { isOwnOrigin, ownHosts } from '../web/own-hosts.ts';
import { createPages, serveFetch } from '../web/pages.ts';

export interface CrawlHandlerParts {
  readonly server: CrawlServer;
  readonly jobs: Jobs;
  readonly authenticator: Authenticator;
  /** by which the page may be asked for, beside addresses and localhost */
  readonly hostNames: readonly string[];
  /** with `{URL}` and perhaps `{TIMESTAMP}`, for the page */
  readonly replayUrl: string | undefined;
  readonly log: Log;
}

/** Where the page asks whether credentials are good, and what it has to know. */
const LOG_IN = '/log-in';

export function crawlHandler({ server, jobs, authenticator, hostNames, replayUrl, log }: CrawlHandlerParts): Handler {
  const isOwnHost = ownHosts(hostNames);
  const pages = createPages({ routes: Object.fromEntries(readCrawlPages()), isOwnHost, log });
  /** Browsers tell where a page came from that opens a WebSocket, and other clients do not. */
  const isForeign = ({ head: { fields } }: ClientRequest) => {
    const [origin, host] = [fields.get('origin'), fields.get('host')];
    return origin !== undefined && !(isOwnHost(host) && isOwnOrigin(origin, host, hostNames));
  };

  const api: Handler = (request, client) => {
    const { method, target, fields } = request.head;
    if (server.takes(request)) {
      if (!isForeign(request)) return server.serve(request, client);
      const origin = JSON.stringify(fields.get('origin'));
      return client.answer(plainAnswer(403, `a page of ${origin} may not open a WebSocket here; see --page-host`), request.hasBody);
    }
    if (method !== 'GET') return client.answer(plainAnswer(404, 'the API is a WebSocket at /ws/'), request.hasBody);
    const page = target === LOG_IN ? () => Response.json({ replayUrl }) : jobPage(jobs, target, log);
    if (page === undefined) client.answer(plainAnswer(404, 'the API is a WebSocket at /ws/'), request.hasBody);
    else serveFetch(page, request, client, log);
  };

  const loggedIn = withBrowserLogIn(withLogin(authenticator, api, log));
  return (request, client) => {
    const { method, target } = request.head;
    (pages.has(method, target) ? pages.handler : loggedIn)(request, client);
  };
}

/**
 * Browsers behind the core: for each page a proxy on loopback that answers for the page itself and fetches the rest, for the job.
 *
 *   browser ─► listener ─ CONNECT ─► passage: gate ─ exchange ─► archive
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { PageToRender } from '../crawl/jobs/render.ts';
import { Renderer } from '../crawl/render/renderer.ts';
import { fieldOf, Fields } from '../http/fields.ts';
import type { ClientRequest, Handler } from '../http/sides.ts';
import { writtenUrl } from '../http/target.ts';
import type { CrawlSlice } from '../options/rows/crawl.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { route } from '../proxy/router.ts';
import { createSteering } from '../proxy/steering.ts';
import { utf8Bytes } from '../url/percent.ts';
import type { Log } from '../util/log.ts';
import { allInOrder } from '../util/thrown.ts';
import { serveFetch } from '../web/pages.ts';
import { BrowserWays } from './browser-ways.ts';
import type { Core } from './core.ts';

export interface CrawlRendererParts {
  readonly core: Core;
  readonly options: Pick<CrawlSlice, 'db' | 'browser' | 'maxRendered' | 'renderTimeout'> & ResolvedCoreOptions;
  readonly log: Log;
}

export class CrawlRenderer {
  readonly #renderer: Renderer;
  readonly #ways: BrowserWays;

  constructor({ core, options, log }: CrawlRendererParts) {
    const { browser: executable, maxRendered: maxPages, renderTimeout, db } = options;
    this.#ways = new BrowserWays({ core, options, dir: db, http2Streams: 0, log });
    const openWay = (page: PageToRender) => this.#ways.open(handlerOf(page, core, log));
    this.#renderer = new Renderer({ executable, maxPages, timeoutMs: renderTimeout * 1000, openWay });
  }

  get render() {
    return this.#renderer.render;
  }

  /** Never connected to. */
  get listening(): AddressInfo[] {
    return this.#ways.listening;
  }

  close(): Promise<void> {
    return allInOrder([() => this.#renderer.close(), () => this.#ways.close()]);
  }
}

function handlerOf(page: PageToRender, core: Core, log: Log): Handler {
  // A page may send any field. Nobody is told the secret beside which this one would count.
  const steering = createSteering(randomBytes(16).toString('hex'));
  const meta = fieldOf('Warcprox-Meta', utf8Bytes(JSON.stringify(page.meta)));
  let given = false;
  return (request, client) => {
    const refusal = steering.refuse(request.head);
    if (refusal !== undefined) return client.answer(refusal, true);
    if (!given && isPage(request, page.url)) {
      given = true;
      return serveFetch(() => answerOf(page), request, client, log);
    }
    const heeded = steering.heeded(request);
    const fields = new Fields([...heeded.head.fields.list, meta]);
    const wanted = route({ ...heeded, head: { ...heeded.head, fields } }, false);
    if (wanted.kind !== 'fetch') return client.refuse(new Error('a record is not for pages'));
    page.proxyFor(wanted.outgoing.target.url).then(
      (upstream) => client.gone || core.passage({ ...wanted, outgoing: { ...wanted.outgoing, upstream } }, client),
      (error: unknown) => client.refuse(error),
    );
  };
}

function isPage({ head, tunnel }: ClientRequest, url: string): boolean {
  return head.method === 'GET' && hrefOf(writtenUrl(head.target, tunnel)) === hrefOf(url);
}

function hrefOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.hash = '';
  return parsed.href;
}

/** Of the connection, or said anew. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'trailer',
  'upgrade',
  'content-length',
]);

function answerOf({ status, headers, body }: PageToRender): Response {
  const fields = new Headers();
  for (const [name, value] of headers) if (!OF_CONNECTION.has(name.toLowerCase())) fields.append(name, value);
  fields.set('content-length', String(body.length));
  return new Response(new Uint8Array(body), { status, headers: fields });
}

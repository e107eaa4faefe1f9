/**
 * `/`: what this is, whether the browser that looks comes through it and trusts it, the authority's certificate, and steps for its system.
 *
 * `/about.json` has what the page tells, `/via.json` is what it asks for by our own names, through the proxy if there is one in between.
 */
import { TRUST_NAME, OWN_NAME } from './through.ts';
import { readPageFiles } from './page-files.ts';
import type { FetchHandler } from './pages.ts';

/** What a visitor is told of the proxy. */
export interface About {
  readonly version: string;
  /** name of the machine */
  readonly host: string;
  /** `host:port` of the proxy, as the visitor can reach it */
  readonly proxy: string;
  /** of the proxy with which one looks at what was archived, if there is one */
  readonly playback: string | undefined;
  /** ReplayWeb.page is there: captures can be shown within a page */
  readonly inPage: boolean;
  /** the proxy asks for a password */
  readonly login: boolean;
  /** of the authority's certificate */
  readonly ca: { readonly name: string; readonly sha256: string; readonly validTo: string };
  /** password of its PKCS#12 */
  readonly password: string;
  /** paths of the pages for people */
  readonly pages: readonly string[];
}

export interface StartOptions {
  readonly about: (request: Request) => About;
  /** differs from that of every other proxy, and of this one before it was started anew */
  readonly instance: string;
  readonly isOwnHost: (host: string | undefined) => boolean;
}

/** The path that each of our names answers. */
export const VIA = '/via.json';

/** By path. */
export function startPages({ about, instance, isOwnHost }: StartOptions): Readonly<Record<string, FetchHandler>> {
  const files = readPageFiles(new URL('./start/', import.meta.url), {
    index: '/',
    files: '/web/start/',
    // What is asked for by other names says whether the proxy is in between.
    connect: [`http://${OWN_NAME}`, `https://${TRUST_NAME}`],
  });
  return {
    ...Object.fromEntries(files),
    '/about.json': (request) =>
      json({ ...about(request), instance, through: isThrough(request) }, { 'cross-origin-resource-policy': 'same-origin' }),
    [VIA]: (request) => {
      const origin = request.headers.get('origin');
      const mine = origin !== null && URL.canParse(origin) && isOurs(new URL(origin).host, isOwnHost);
      return json(
        { instance, through: isThrough(request) },
        { vary: 'Origin', ...(mine ? { 'access-control-allow-origin': origin } : {}) },
      );
    },
  };
}

/** Whether it came through the proxy: nothing else has a Host of ours. */
export function isThrough(request: Request): boolean {
  const { hostname } = new URL(request.url);
  return hostname === OWN_NAME || hostname === TRUST_NAME;
}

function isOurs(host: string, isOwnHost: StartOptions['isOwnHost']): boolean {
  return host === OWN_NAME || host === TRUST_NAME || isOwnHost(host);
}

function json(value: object, headers: Readonly<Record<string, string>>): Response {
  const text = `${JSON.stringify(value)}\n`;
  const all = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
    ...headers,
  };
  return new Response(text, { headers: all });
}

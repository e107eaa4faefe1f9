/**
 * What jobs ask of whoever renders pages, and get of it.
 */
import type { Upstream } from '../../fetch/upstream.ts';

/** A page that was fetched, and is now to be loaded in a browser. */
export interface PageToRender {
  /** where redirects have ended */
  readonly url: string;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** as it came, content codings included: the browser is given this and does not ask for the page again */
  readonly body: Buffer;
  readonly userAgent: string;
  /** value of a Cookie field */
  readonly cookie: string | undefined;
  /** of what the page loads, as of the page itself */
  readonly meta: object;
  readonly proxyFor: (url: string) => Promise<Upstream | undefined>;
  readonly signal: AbortSignal;
}

export interface Rendered {
  /** of the document as it was in the end */
  readonly url: string;
  /** serialized; undefined when the page did not come to rest enough to be looked at */
  readonly html: string | undefined;
  /** where its scripts wanted to go */
  readonly left: readonly string[];
  /** for the page's site, as values of Set-Cookie fields */
  readonly cookies: readonly string[];
  /** false: the time was over before all was loaded */
  readonly complete: boolean;
}

/** The browser, or the page in it, has crashed. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}

/** @throws NoBrowserError where there is no browser (pages stay as they came), RenderError; the reason of the page's signal */
export type Render = (page: PageToRender) => Promise<Rendered>;

/**
 * An answer, as who looks at pages needs it.
 *
 * Source: RFC 9110 §15.4 (redirects), §8.4 (content codings).
 */
import { PassThrough, type Duplex } from 'node:stream';
import * as zlib from 'node:zlib';

/** What is needed of an answer; that of a core's `fetch` fits. */
export interface FetchedPage {
  readonly url: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: AsyncIterable<Buffer>;
  header(name: string): string | undefined;
  cancel(): void;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Where it leads, if it does. */
export function redirectOf(page: Pick<FetchedPage, 'url' | 'status' | 'header'>): string | undefined {
  const location = page.header('location');
  if (!REDIRECTS.has(page.status) || location === undefined) return undefined;
  const next = URL.canParse(location, page.url) ? new URL(location, page.url) : undefined;
  return next?.protocol === 'http:' || next?.protocol === 'https:' ? next.href : undefined;
}

/** What is asked for, so that all of it can be unpacked. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

const CODINGS: Readonly<Record<string, () => Duplex>> = {
  identity: () => new PassThrough(),
  gzip: zlib.createGunzip,
  'x-gzip': zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
  // From Node 22.15 on.
  ...('createZstdDecompress' in zlib ? { zstd: zlib.createZstdDecompress as () => Duplex } : {}),
};

/** Streams that undo the codings of a Content-Encoding field, one after the other; undefined when one of them is not known. */
export function unpackers(coding = ''): Duplex[] | undefined {
  const names = coding
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const streams = names.reverse().map((name) => (Object.hasOwn(CODINGS, name) ? CODINGS[name]?.() : undefined));
  return streams.every((stream) => stream !== undefined) ? streams : undefined;
}

/** For a body that says `deflate` and is raw, as some servers send it. */
export const rawDeflate: () => Duplex = zlib.createInflateRaw;

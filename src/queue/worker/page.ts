/**
 * One page on its way: what is asked for, what comes, and the links in it.
 *
 * Source: RFC 9110 §15.4 (redirects), §8.4 (content codings).
 */
import { createHash } from 'node:crypto';
import { PassThrough, Readable, type Duplex } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { decoderOf, isHtml, linkReader } from '../links.ts';
import type { KnownUrl } from '../urls.ts';

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

export type FetchPage = (
  url: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<FetchedPage>;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Where it leads, if it does. */
export function redirectOf(page: FetchedPage): string | undefined {
  const location = page.header('location');
  if (!REDIRECTS.has(page.status) || location === undefined) return undefined;
  const next = URL.canParse(location, page.url) ? new URL(location, page.url) : undefined;
  return next?.protocol === 'http:' || next?.protocol === 'https:' ? next.href : undefined;
}

export interface Body {
  /** as it came, in bytes */
  readonly length: number;
  readonly digest: string;
  readonly links: readonly KnownUrl[];
}

/** Of a body, packed or not. What comes after it is archived and not looked at. */
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_LINK_CHARS = 1024 * 1024;

/** Read a body to its end, or as far as it is looked at. @throws what its stream throws */
export async function readBody(page: FetchedPage, wantsLinks: boolean): Promise<Body> {
  const hash = createHash('sha1');
  let length = 0;
  const type = page.header('content-type');
  const looks = wantsLinks && isHtml(type) && page.status >= 200 && page.status <= 299;
  const parsing = looks ? new PassThrough() : undefined;
  const links = parsing === undefined ? Promise.resolve([]) : linksIn(parsing, page.header('content-encoding'), type, page.url);
  for await (const piece of page.body) {
    hash.update(piece);
    length += piece.length;
    if (parsing !== undefined && !parsing.destroyed && !parsing.write(piece)) await settled(parsing);
    if (length >= MAX_BYTES) break;
  }
  parsing?.end();
  return { length, digest: `sha1:${hash.digest('hex')}`, links: bounded(await links) };
}

function settled(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}

const CODINGS: Readonly<Record<string, () => Duplex>> = {
  identity: () => new PassThrough(),
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** None where the page cannot be unpacked. */
async function linksIn(packed: Readable, coding = 'identity', type: string | undefined, url: string): Promise<readonly KnownUrl[]> {
  const unpack = CODINGS[coding.trim().toLowerCase()];
  const reader = await linkReader(url);
  try {
    if (unpack === undefined) return [];
    const unpacked = packed.pipe(unpack());
    let decoder: InstanceType<typeof TextDecoder> | undefined;
    let size = 0;
    for await (const piece of unpacked as AsyncIterable<Buffer>) {
      decoder ??= decoderOf(type, piece);
      reader.write(decoder.decode(piece, { stream: true }));
      size += piece.length;
      if (size >= MAX_BYTES) break;
    }
  } catch {
    // What came before it broke counts.
  } finally {
    packed.destroy();
  }
  return reader.end();
}

function bounded(links: readonly KnownUrl[]): readonly KnownUrl[] {
  let left = MAX_LINK_CHARS;
  return links.filter(({ url }) => (left -= url.length) > 0);
}

/**
 * One page on its way: what is asked for, what comes, and the links in it.
 */
import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { decoderOf } from '../../page/charset.ts';
import { unpackers, type FetchedPage } from '../../page/fetched.ts';
import { isHtml } from '../../page/html.ts';
import { codeOf } from '../../util/thrown.ts';
import { linkReader } from '../links.ts';
import type { KnownUrl } from '../urls.ts';

export type FetchPage = (
  url: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<FetchedPage>;

/** By rules of the core, limits of the client or the address of the origin: nothing of it has reached an origin. */
export function isRefused(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'REFUSED' || code === 'forbidden-address';
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

/** None where the page cannot be unpacked. */
async function linksIn(packed: Readable, coding: string | undefined, type: string | undefined, url: string): Promise<readonly KnownUrl[]> {
  const unpack = unpackers(coding);
  const reader = await linkReader(url);
  try {
    if (unpack === undefined) return [];
    let unpacked = packed;
    for (const stream of unpack) unpacked = unpacked.on('error', (error) => stream.destroy(error)).pipe(stream);
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

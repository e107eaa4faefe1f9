/**
 * The body of an answer on its way: its links are found as it comes, and what is small is kept.
 */
import { PassThrough } from 'node:stream';
import { decoderOf } from '../../page/charset.ts';
import { unpackers } from '../../page/fetched.ts';
import { linksOf, type LinkSource } from '../../page/links.ts';
import type { SitePage } from './requests.ts';

export interface ReadBody {
  /** bytes as they came */
  readonly length: number;
  /** as it came; undefined for one that is larger than is kept */
  readonly kept: Buffer | undefined;
}

/** What comes after it is archived and not looked at, packed or not. */
export const MAX_PARSED_BYTES = 10 * 1024 * 1024;
export const MAX_KEPT_BYTES = 1024 * 1024;

/** More than can be handed to anybody. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** Read a body to its end. @throws TooLargeError; what the body throws */
export async function readBody(
  page: SitePage,
  source: LinkSource | undefined,
  links: { add(url: string): void; relieve(): Promise<void> },
  maxBytes: number,
  maxKeptBytes = MAX_KEPT_BYTES,
): Promise<ReadBody> {
  const kept: Buffer[] = [];
  let length = 0;
  const parsing = source === undefined ? undefined : await textOf(page, source, (link) => links.add(link));
  try {
    for await (const piece of page.body) {
      length += piece.length;
      if (length > maxBytes) throw new TooLargeError(`more than ${maxBytes} bytes`);
      if (length <= maxKeptBytes) kept.push(piece);
      else kept.length = 0;
      if (length <= MAX_PARSED_BYTES) await parsing?.write(piece);
      await links.relieve();
    }
  } finally {
    await parsing?.end();
  }
  return { length, kept: length <= maxKeptBytes ? Buffer.concat(kept) : undefined };
}

interface Parsing {
  write(piece: Buffer): Promise<void>;
  end(): Promise<void>;
}

/** What cannot be unpacked has no links. */
async function textOf(page: SitePage, source: LinkSource, onLink: (url: string) => void): Promise<Parsing | undefined> {
  const type = page.header('content-type');
  const reader = await linksOf(source, page.url, onLink);
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let size = 0;
  const read = (piece: Buffer) => {
    decoder ??= decoderOf(type, piece);
    size += piece.length;
    if (size <= MAX_PARSED_BYTES) reader.write(decoder.decode(piece, { stream: true }));
  };
  const packed = source === 'sitemap' && new URL(page.url).pathname.endsWith('.gz') && !page.header('content-encoding');
  const streams = unpackers(packed ? 'gzip' : page.header('content-encoding'));
  if (streams === undefined) return undefined;
  if (streams.length === 0) {
    return {
      write: (piece) => Promise.resolve(read(piece)),
      end: () => Promise.resolve(reader.end()),
    };
  }
  const into = new PassThrough();
  let out: PassThrough | (typeof streams)[number] = into;
  for (const stream of streams) out = out.on('error', (error) => stream.destroy(error)).pipe(stream);
  const done = (async () => {
    try {
      for await (const piece of out as AsyncIterable<Buffer>) {
        read(piece);
        if (size > MAX_PARSED_BYTES) break;
      }
    } catch {
      // What came before it broke counts.
    } finally {
      into.destroy();
    }
  })();
  return {
    async write(piece) {
      if (into.destroyed || into.write(piece)) return;
      await new Promise<void>((resolve) => {
        const go = () => {
          into.off('drain', go).off('close', go);
          resolve();
        };
        into.on('drain', go).on('close', go);
      });
    },
    async end() {
      into.end();
      await done;
      reader.end();
    },
  };
}

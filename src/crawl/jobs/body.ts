/**
 * The body of an answer on its way: its links are found as it comes, and what is small is kept.
 */
import { PassThrough } from 'node:stream';
import { unpackers } from '../../page/fetched.ts';
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

/** Whoever finds links in a body, without its content coding. */
export interface Parsed {
  write(piece: Buffer): void;
  /** There is more than this, which it does not get. */
  cut?(maxBytes: number): void;
  /** @throws the reason of a signal */
  end(): Promise<void> | void;
}

export interface Found {
  readonly parsed: Parsed;
  /** it is a file that was packed before it was served */
  readonly packed: boolean;
}

/**
 * Read a body to its end.
 *
 * @param found what its links are found by
 * @throws TooLargeError; what the body or the end of `found` throws
 */
export async function readBody(
  page: SitePage,
  found: Found | undefined,
  relieve: () => Promise<void>,
  maxBytes: number,
  maxKeptBytes = MAX_KEPT_BYTES,
): Promise<ReadBody> {
  const kept: Buffer[] = [];
  let length = 0;
  const parsing = found && unpacked(found.packed ? 'gzip' : page.header('content-encoding'), bounded(found.parsed));
  try {
    for await (const piece of page.body) {
      length += piece.length;
      if (length > maxBytes) throw new TooLargeError(`more than ${maxBytes} bytes`);
      if (length <= maxKeptBytes) kept.push(piece);
      else kept.length = 0;
      if (length <= MAX_PARSED_BYTES) await parsing?.write(piece);
      else found?.parsed.cut?.(MAX_PARSED_BYTES);
      await relieve();
    }
  } finally {
    await parsing?.end();
  }
  return { length, kept: length <= maxKeptBytes ? Buffer.concat(kept) : undefined };
}

function bounded(parsed: Parsed): Parsed & { readonly full: boolean } {
  let size = 0;
  return {
    get full() {
      return size > MAX_PARSED_BYTES;
    },
    write: (piece) => {
      size += piece.length;
      if (size <= MAX_PARSED_BYTES) parsed.write(piece);
      else parsed.cut?.(MAX_PARSED_BYTES);
    },
    end: () => parsed.end(),
  };
}

interface Unpacked {
  write(piece: Buffer): Promise<void>;
  end(): Promise<void>;
}

/** What cannot be unpacked has no links. */
function unpacked(coding: string | undefined, parsed: ReturnType<typeof bounded>): Unpacked | undefined {
  const streams = unpackers(coding);
  if (streams === undefined) return undefined;
  if (streams.length === 0) {
    return {
      write: (piece) => Promise.resolve(parsed.write(piece)),
      end: async () => parsed.end(),
    };
  }
  const into = new PassThrough();
  let out: PassThrough | (typeof streams)[number] = into;
  for (const stream of streams) out = out.on('error', (error) => stream.destroy(error)).pipe(stream);
  const done = (async () => {
    try {
      for await (const piece of out as AsyncIterable<Buffer>) {
        parsed.write(piece);
        if (parsed.full) break;
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
      await parsed.end();
    },
  };
}

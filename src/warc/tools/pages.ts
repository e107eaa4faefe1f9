/**
 * Pages among the records of WARC files: HTML that was answered with 200, with its title and, if wanted, its text.
 *
 * Holds the beginning of one page at a time.
 * Source: WACZ 1.1.1 §5.3 (pages.jsonl).
 */
import { createHash } from 'node:crypto';
import { decoderOf } from '../../page/charset.ts';
import { isHtml } from '../../page/html.ts';
import { pageText } from '../../page/text.ts';
import { isReadFault, withoutContentCoding } from './body.ts';
import type { IndexEntry, PayloadWatch } from './cdx.ts';
import type { Glance } from './glance.ts';

export interface Page {
  readonly id: string;
  readonly url: string;
  /** RFC 3339 */
  readonly ts: string;
  readonly title?: string;
  readonly text?: string;
  /** where it is known how it was visited: of the answer */
  readonly status?: number;
  readonly mime?: string;
  /** links away from the URLs that were named, which are seeds */
  readonly depth?: number;
  readonly seed?: true;
}

/** Of a page as it came, packed or not; and of its text. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
const MAX_HELD_FOR_TITLE_BYTES = 256 * 1024;
const MAX_TEXT_CHARS = 1024 * 1024;

/** @returns undefined for what is no page */
export function pageWatch(glance: Glance, withText: boolean, onPage: (page: Page) => Promise<void> | undefined): PayloadWatch | undefined {
  const { record, block, url, status } = glance;
  const type = block.kind === 'bytes' ? record.header('Content-Type') : block.head.fields.get('content-type');
  const isAnswered = status === 200 || (record.type === 'resource' && block.kind === 'bytes');
  if (!isAnswered || !isHtml(type) || !/^https?:/i.test(url)) return undefined;
  const maxBytes = withText ? MAX_HELD_BYTES : MAX_HELD_FOR_TITLE_BYTES;
  const held: Buffer[] = [];
  let size = 0;
  return {
    update(piece) {
      if (size < maxBytes) held.push(Buffer.from(piece.subarray(0, maxBytes - size)));
      size += piece.length;
    },
    async end({ timestamp }: IndexEntry) {
      const codings = block.kind === 'bytes' ? [] : block.head.fields.members('content-encoding');
      const { title, text } = await read(held, codings, type, withText);
      const ts = timestamp.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z');
      await onPage({ id: pageId(url, ts), url, ts, ...(title === '' ? {} : { title }), ...(text === '' ? {} : { text }) });
    },
  };
}

/** As far as it can be unpacked. */
async function read(
  held: readonly Buffer[],
  codings: readonly string[],
  type: string | undefined,
  withText: boolean,
): Promise<{ title: string; text: string }> {
  const page = await pageText(withText ? MAX_TEXT_CHARS : 0);
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let size = 0;
  try {
    for await (const piece of withoutContentCoding(codings, pieces(held))) {
      decoder ??= decoderOf(type, piece);
      size += piece.length;
      if (!page.write(decoder.decode(piece, { stream: true })) || size > MAX_HELD_BYTES) break;
    }
  } catch (error) {
    if (!isReadFault(error)) throw error;
  }
  page.end();
  return { title: page.title, text: page.text };
}

// eslint-disable-next-line @typescript-eslint/require-await -- as what is read from a file
async function* pieces(held: readonly Buffer[]): AsyncGenerator<Buffer, void> {
  yield* held;
}

/** @param ts RFC 3339 */
export function pageId(url: string, ts: string): string {
  return createHash('sha256').update(`${ts} ${url}`).digest('hex').slice(0, 32);
}

/** A line of pages.jsonl, without what some take for the end of one. */
export function pageLine(page: Page): string {
  return `${JSON.stringify(page).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`;
}

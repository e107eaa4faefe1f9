/**
 * What the links of an answer are found by, as its type says: a reader of text, or that of PDF files.
 */
import { decoderOf } from '../../page/charset.ts';
import { linksOf, linkSourceOf, type LinkSource } from '../../page/links.ts';
import type { PdfReader } from '../../page/pdf/reader.ts';
import type { Found, Parsed } from './body.ts';
import type { Entry } from './host-queue.ts';
import type { JobLog } from './job-log.ts';
import { isPdf, pdfLinks } from './pdf-links.ts';
import type { SitePage } from './requests.ts';

export type Source = LinkSource | 'pdf';

/** @param type value of a Content-Type field @returns undefined: what has no links, or none that count */
export function sourceOf({ status }: SitePage, kind: Entry['kind'], type: string): Source | undefined {
  if (status < 200 || status > 299) return undefined;
  if (kind === 'sitemap') return 'sitemap';
  return isPdf(type) ? 'pdf' : linkSourceOf(type);
}

export interface PageLinksParts {
  readonly pdfs: PdfReader;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly onLink: (url: string) => void;
}

export async function linksIn(page: SitePage, source: Source, parts: PageLinksParts): Promise<Found> {
  if (source === 'pdf') return { parsed: pdfLinks({ ...parts, url: page.url }), packed: false };
  const packed = source === 'sitemap' && new URL(page.url).pathname.endsWith('.gz') && !page.header('content-encoding');
  return { parsed: await textLinks(page, source, parts.onLink), packed };
}

async function textLinks(page: SitePage, source: LinkSource, onLink: (url: string) => void): Promise<Parsed> {
  const type = page.header('content-type');
  const reader = await linksOf(source, page.url, onLink);
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  return {
    write: (piece) => {
      decoder ??= decoderOf(type, piece);
      reader.write(decoder.decode(piece, { stream: true }));
    },
    end: () => reader.end(),
  };
}

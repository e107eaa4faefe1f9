/**
 * The links of a PDF that is on its way: kept until it is there, then read.
 */
import type { PdfReader } from '../../page/pdf/reader.ts';
import type { Parsed } from './body.ts';
import type { JobLog } from './job-log.ts';

const PDF = /^\s*application\/(?:x-)?pdf\b/i;

/** @param type value of a Content-Type field */
export function isPdf(type: string): boolean {
  return PDF.test(type);
}

export interface PdfLinksParts {
  readonly pdfs: PdfReader;
  /** where redirects have ended: links may be relative to it */
  readonly url: string;
  readonly onLink: (url: string) => void;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

export function pdfLinks({ pdfs, url, onLink, log, signal }: PdfLinksParts): Parsed {
  const pieces: Buffer[] = [];
  let isCut = false;
  return {
    write: (piece) => {
      if (!isCut) pieces.push(piece);
    },
    cut: (maxBytes) => {
      if (!isCut) log.add('links', url, `a PDF of more than ${maxBytes} bytes is not looked into`);
      isCut = true;
      pieces.length = 0;
    },
    end: async () => {
      if (pieces.length === 0) return;
      const found = (link: string) => {
        if (URL.canParse(link, url)) onLink(new URL(link, url).href);
      };
      const why = await pdfs.read(Buffer.concat(pieces.splice(0)), found, signal);
      if (why !== '') log.add('links', url, `the PDF was not read to its end: ${why}`);
    },
  };
}

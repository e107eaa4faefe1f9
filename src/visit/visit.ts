/**
 * What an archive of pages asks of whoever visits one, in a browser or without, and gets of it.
 */

export interface PageToVisit {
  readonly url: string;
  /** links away from the URLs that were named */
  readonly depth: number;
  /** where it was found; undefined for those that were named */
  readonly foundOn: string | undefined;
}

export interface VisitedPage {
  /** where redirects have ended */
  readonly url: string;
  /** of the answer, behind redirects; undefined where it is not known */
  readonly status: number | undefined;
  /** Content-Type without parameters, in lower case; undefined without one */
  readonly mime: string | undefined;
  /** empty without one */
  readonly title: string;
  /** as people read it; empty unless it was asked for */
  readonly text: string;
  /** absolute URLs of whatever scheme, in the order of the page */
  readonly links: readonly string[];
  /** why it is not whole, such as a time-out; undefined when it is */
  readonly cut: string | undefined;
  readonly pictures: readonly Picture[];
}

/** How a page looked. */
export interface Picture {
  /** `view`: what is seen at first; `fullPage`: down to its end */
  readonly kind: 'view' | 'fullPage';
  readonly png: Buffer;
}

/** What is wanted of each page, and how long it may take. */
export interface VisitWishes {
  readonly text: boolean;
  readonly screenshot: boolean;
  /** for a page and all that it loads */
  readonly timeoutMs: number;
}

/** A page that could not be had at all. The message is one line. */
export class VisitError extends Error {
  override readonly name = 'VisitError';
}

/**
 * @param signal when it is aborted what has come of the page counts
 * @throws VisitError; NoBrowserError when no page can be visited
 */
export type Visit = (page: PageToVisit, signal: AbortSignal) => Promise<VisitedPage>;

export const MAX_TEXT_CHARS = 1024 * 1024;
export const MAX_LINKS = 50_000;

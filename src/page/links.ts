/**
 * Links in an answer, by what it is: HTML, a feed, a sitemap, a style sheet; and those of its Link fields.
 *
 * What is no absolute URL, and cannot be made one, is passed over.
 */
import { htmlLinks, isHtml, type LinkReader } from './html.ts';

export type LinkSource = 'html' | 'feed' | 'sitemap' | 'css';

const FEED = /^\s*application\/(?:atom|rss)\+xml\b/i;
const CSS = /^\s*text\/css\b/i;

/** @param type value of a Content-Type field */
export function linkSourceOf(type: string | undefined): LinkSource | undefined {
  if (isHtml(type)) return 'html';
  if (FEED.test(type ?? '')) return 'feed';
  return CSS.test(type ?? '') ? 'css' : undefined;
}

/** @param onLink given each absolute URL, of whatever scheme, in the order of the page */
export function linksOf(source: LinkSource, page: string, onLink: (url: string) => void): Promise<LinkReader> {
  if (source === 'html') return htmlLinks(page, onLink);
  const found = (link: string) => {
    if (link !== '' && URL.canParse(link, page)) onLink(new URL(link, page).href);
  };
  return source === 'css' ? Promise.resolve(cssLinks(found)) : xmlLinks(source, found);
}

/** Longer than any link. */
const MAX_LINK_CHARS = 65_536;

/**
 * The link of each entry, or the locations of a sitemap.
 *
 * Source: RFC 4287 §4.2.7, RSS 2.0 (link of an item), RSS 1.0 §5.5, sitemaps.org (loc).
 */
async function xmlLinks(source: 'feed' | 'sitemap', found: (link: string) => void): Promise<LinkReader> {
  const { Parser } = await import('htmlparser2');
  let text: string | undefined;
  let entry = 0;
  const local = (name: string) => name.slice(name.indexOf(':') + 1);
  const holder = source === 'sitemap' ? 'loc' : 'link';
  const parser = new Parser(
    {
      onopentag(name, { href, rel }) {
        const tag = local(name);
        if (tag === 'entry' || tag === 'item') entry++;
        if (tag !== holder || (source === 'feed' && entry === 0)) return;
        if (href === undefined) text = '';
        else if (rel === undefined || rel === 'alternate') found(href.trim());
      },
      ontext(piece) {
        if (text !== undefined && text.length < MAX_LINK_CHARS) text += piece;
      },
      onclosetag(name) {
        const tag = local(name);
        if (tag === 'entry' || tag === 'item') entry--;
        if (tag !== holder || text === undefined) return;
        found(text.trim());
        text = undefined;
      },
    },
    { xmlMode: true },
  );
  return { write: (piece) => parser.write(piece), end: () => parser.end() };
}

const MAX_CSS_CHARS = 2 * 1024 * 1024;
const IN_CSS = /url\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^)"'\s]*))\s*\)|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')/gi;

/** Source: CSS Values and Units Level 4 §4.5, CSS Cascading Level 4 §2. */
function cssLinks(found: (link: string) => void): LinkReader {
  let text = '';
  return {
    write: (piece) => {
      if (text.length < MAX_CSS_CHARS) text += piece;
    },
    end: () => {
      for (const url of cssUrls(text)) found(url);
    },
  };
}

/** What a style sheet, or a `style` attribute, loads: as it is written there. */
export function cssUrls(text: string): readonly string[] {
  return [...text.matchAll(IN_CSS)].map((match) => (match.slice(1) as (string | undefined)[]).find((each) => each !== undefined) ?? '');
}

const LINK_VALUE = /<([^>]*)>((?:[^,"]|"[^"]*")*)/g;
/** They fetch what belongs to the page, or only warm up for it. */
const NO_PAGES = /\brel\s*=\s*"?[^";]*\b(?:preload|modulepreload|prefetch|preconnect|dns-prefetch|stylesheet|icon)\b/i;

/** Targets of the Link fields that lead to pages. Source: RFC 8288 §3. */
export function linkFields(page: string, headers: readonly (readonly [name: string, value: string])[]): string[] {
  return headers
    .filter(([name]) => name.toLowerCase() === 'link')
    .flatMap(([, value]) => [...value.slice(0, MAX_LINK_CHARS).matchAll(LINK_VALUE)])
    .flatMap(([, link = '', parameters = '']) =>
      NO_PAGES.test(parameters) || !URL.canParse(link, page) ? [] : [new URL(link, page).href],
    );
}

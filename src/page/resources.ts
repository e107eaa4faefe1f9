/**
 * What an HTML page loads with it: pictures, scripts, styles, fonts, media, frames; resolved against the page or its `base`.
 *
 * A parser of tags without a tree, so what scripts would load is not known; of what is there to be loaded later by a script (`data-src`)
 * the usual names are.
 * Source: HTML Standard §4.2.4 (link), §4.8 (embedded content), §4.8.4.2.1 (srcset), §2.4.3 (base URL).
 */
import { cssUrls } from './links.ts';
import type { LinkReader } from './html.ts';

/** Of a link, what a browser loads for the page. */
const LOADED_RELS = /(?:^|\s)(?:stylesheet|icon|apple-touch-icon(?:-precomposed)?|mask-icon|manifest|preload|modulepreload)(?:\s|$)/i;
/** Attributes that hold a URL, by element. */
const URLS: Readonly<Record<string, readonly string[]>> = {
  img: ['src', 'data-src', 'data-lazy-src', 'data-original'],
  source: ['src', 'data-src'],
  video: ['src', 'poster', 'data-src'],
  audio: ['src'],
  track: ['src'],
  script: ['src'],
  iframe: ['src', 'data-src'],
  frame: ['src'],
  embed: ['src'],
  object: ['data'],
  input: ['src'],
  body: ['background'],
  table: ['background'],
  td: ['background'],
  image: ['href', 'xlink:href'],
  use: ['href', 'xlink:href'],
};
const SRCSETS: readonly string[] = ['srcset', 'data-srcset', 'data-lazy-srcset', 'imagesrcset'];
const FRAMES = new Set(['iframe', 'frame']);
const MAX_STYLE_CHARS = 2 * 1024 * 1024;

/** @param onResource given each absolute URL of http or https, in the order of the page, and whether it is a page in the page */
export async function htmlResources(page: string, onResource: (url: string, isFrame: boolean) => void): Promise<LinkReader> {
  const { Parser } = await import('htmlparser2');
  let base = page;
  let hasBase = false;
  let style: string | undefined;
  const found = (link: string | undefined, isFrame = false) => {
    const url = link === undefined || link.trim() === '' ? undefined : absolute(link.trim(), base);
    if (url !== undefined) onResource(url, isFrame);
  };
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'base' && !hasBase && attributes.href !== undefined) {
        const url = absolute(attributes.href, page);
        hasBase = url !== undefined;
        base = url ?? base;
      }
      for (const attribute of URLS[name] ?? []) found(attributes[attribute], FRAMES.has(name));
      if (name === 'link' && LOADED_RELS.test(attributes.rel ?? '')) found(attributes.href);
      for (const attribute of SRCSETS) for (const url of srcsetUrls(attributes[attribute] ?? '')) found(url);
      for (const url of cssUrls(attributes.style ?? '')) found(url);
      if (name === 'style') style = '';
    },
    ontext(piece) {
      if (style !== undefined && style.length < MAX_STYLE_CHARS) style += piece;
    },
    onclosetag(name) {
      if (name !== 'style') return;
      for (const url of cssUrls(style ?? '')) found(url);
      style = undefined;
    },
  });
  return { write: (text) => parser.write(text), end: () => parser.end() };
}

/** A URL up to the next space, and behind a comma the next. */
function srcsetUrls(srcset: string): readonly string[] {
  return [...srcset.matchAll(/[\s,]*(\S*[^\s,])(?:\s+[^,]*)?(?:,|$)/g)]
    .map(([, url = '']) => url)
    .filter((url) => !url.startsWith('data:'));
}

function absolute(link: string, base: string): string | undefined {
  const url = URL.canParse(link, base) ? new URL(link, base) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  url.hash = '';
  return url.href;
}

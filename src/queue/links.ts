/**
 * Links of a page, as it comes: the `href` of `a` and `area`, resolved against the page or its `base`.
 *
 * A parser of tags without a tree. Source: HTML Standard §2.4.3 (base URL), §4.6 (links).
 */
import type { KnownUrl } from './urls.ts';
import { knownUrl } from './urls.ts';

export type FollowLinks = 'off' | 'same-site' | 'all';

/** Of one page. */
const MAX_LINKS = 10_000;

export interface LinkReader {
  write(text: string): void;
  /** each once, in their order */
  end(): readonly KnownUrl[];
}

export async function linkReader(page: string): Promise<LinkReader> {
  const { Parser } = await import('htmlparser2');
  const links = new Map<string, KnownUrl>();
  let base = page;
  let hasBase = false;
  const parser = new Parser({
    onopentag(name, { href }) {
      if (href === undefined) return;
      if (name === 'base' && !hasBase && URL.canParse(href, page)) {
        base = new URL(href, page).href;
        hasBase = true;
      } else if ((name === 'a' || name === 'area') && links.size < MAX_LINKS && URL.canParse(href, base)) {
        const found = knownUrl(new URL(href, base).href);
        if (found !== undefined) links.set(found.id, found);
      }
    },
  });
  return {
    write: (text) => parser.write(text),
    end() {
      parser.end();
      return [...links.values()];
    },
  };
}

/** Which of these links a page's may be followed. */
export async function followed(links: readonly KnownUrl[], page: string, follow: FollowLinks): Promise<readonly KnownUrl[]> {
  if (follow === 'off') return [];
  if (follow === 'all') return links;
  const site = await siteOf();
  const own = site(page);
  return links.filter(({ url }) => site(url) === own);
}

/** The registrable domain of a URL, or its host where there is none (an address, `localhost`). */
async function siteOf(): Promise<(url: string) => string> {
  const { getDomain } = await import('tldts');
  return (url) => getDomain(url, { allowPrivateDomains: true }) ?? new URL(url).hostname;
}

const HTML = /^\s*(?:text\/html|application\/xhtml\+xml)\b/i;

export function isHtml(type: string | undefined): boolean {
  return HTML.test(type ?? '');
}

/** What a page says of its charset, or UTF-8. Source: HTML Standard §13.2.3.2, without its guesses. */
export function decoderOf(type: string | undefined, beginning: Uint8Array): InstanceType<typeof TextDecoder> {
  const [, ofField] = /charset\s*=\s*"?([\w-]+)/i.exec(type ?? '') ?? [];
  const [, ofPage] = /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(Buffer.from(beginning.subarray(0, 1024)).toString('latin1')) ?? [];
  try {
    return new TextDecoder(ofField ?? ofPage ?? 'utf-8');
  } catch {
    return new TextDecoder('utf-8');
  }
}

/**
 * Links of a page that may become URLs of the queue, and which of them are followed.
 */
import { htmlLinks } from '../page/html.ts';
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
  const links = new Map<string, KnownUrl>();
  const reader = await htmlLinks(page, (url) => {
    const found = links.size < MAX_LINKS ? knownUrl(url) : undefined;
    if (found !== undefined) links.set(found.id, found);
  });
  return {
    write: (text) => reader.write(text),
    end() {
      reader.end();
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

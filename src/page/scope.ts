/**
 * Which links of a page are followed: those that lead to where the URLs that were named are.
 *
 * Pure. Source: the words are those of Browsertrix's `--scopeType`, as people know them.
 */

export const SCOPES = ['page', 'prefix', 'host', 'domain', 'any'] as const;
export type Scope = (typeof SCOPES)[number];

/** Whether a URL that is in `pageUrl`'s form is to be followed. */
export type InScope = (url: string) => boolean;

/**
 * - `page`: none
 * - `prefix`: below the folder of one of them, which is all up to the last slash of its path
 * - `host`: on the same host and port
 * - `domain`: on the same registrable domain, as `example.co.uk`
 * - `any`
 *
 * Whether it is http or https makes no difference.
 *
 * @param seeds in `pageUrl`'s form
 */
export async function inScope(scope: Scope, seeds: readonly string[]): Promise<InScope> {
  if (scope === 'page') return () => false;
  if (scope === 'any') return () => true;
  const keyOf = scope === 'domain' ? await domainKeys() : scope === 'host' ? hostOf : undefined;
  if (keyOf !== undefined) {
    const known = new Set(seeds.map(keyOf));
    return (url) => known.has(keyOf(url));
  }
  const prefixes = seeds.map((seed) => folderOf(seed));
  return (url) => {
    const asked = withoutScheme(url);
    return prefixes.some((prefix) => asked.startsWith(prefix));
  };
}

/** As pages are told apart: without fragment and user info; undefined for what is no page of the web. */
export function pageUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return undefined;
  parsed.hash = '';
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

async function domainKeys(): Promise<(url: string) => string> {
  const { getDomain } = await import('tldts');
  // An address or a name without a domain is only itself.
  return (url) => getDomain(url) ?? hostOf(url);
}

function withoutScheme(url: string): string {
  const { host, pathname, search } = new URL(url);
  return `${host}${pathname}${search}`;
}

function folderOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname.slice(0, pathname.lastIndexOf('/') + 1)}`;
}

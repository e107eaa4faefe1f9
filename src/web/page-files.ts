/**
 * The files of a page for people, read once: those of its own folder, and the shared ones of the folder `page` here.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html;charset=utf-8',
  '.css': 'text/css;charset=utf-8',
  '.js': 'text/javascript;charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PageFilesOptions {
  /** beside those of the files */
  readonly headers?: Readonly<Record<string, string>>;
  /** path of the page itself, `/` without it */
  readonly index?: string;
  /** path of the folder of the files, `/page/` without it */
  readonly files?: string;
  /** origins beside its own that the page may ask */
  readonly connect?: readonly string[];
}

/** Nothing from elsewhere, nothing within another page; pictures also from what the page itself has in memory. Source: CSP Level 3. */
function security(connect: readonly string[]): Readonly<Record<string, string>> {
  return {
    'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src ${["'self'", ...connect].join(' ')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

const SHARED = new URL('./page/', import.meta.url);

/**
 * By path: the page and its files, shared ones as `/web/page/FILE`. In `/page/` a file leads to those by `../../web/page/FILE`, in
 * `/web/NAME/` by `../page/FILE`: here as in a browser.
 *
 * @param folder of the page, a URL with a slash at its end
 * @throws the system's error when files are missing
 */
export function readPageFiles(
  folder: URL,
  { headers = {}, index = '/', files = '/page/', connect = [] }: PageFilesOptions = {},
): ReadonlyMap<string, () => Response> {
  const pages = new Map<string, () => Response>();
  const secured = security(connect);
  for (const [from, path] of [
    [SHARED, '/web/page/'],
    [folder, files],
  ] as const) {
    for (const name of readdirSync(from)) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const content = readFileSync(new URL(name, from));
      const all = {
        ...headers,
        'content-type': type,
        'content-length': String(content.length),
        'cache-control': 'no-cache',
        etag: `"${createHash('sha256').update(content).digest('base64')}"`,
        ...secured,
      };
      pages.set(name === 'index.html' ? index : path + name, () => new Response(new Uint8Array(content), { headers: all }));
    }
  }
  return pages;
}

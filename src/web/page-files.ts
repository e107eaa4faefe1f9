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

/** Nothing from elsewhere, nothing within another page; pictures also from what the page itself has in memory. Source: CSP Level 3. */
const SECURITY = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const SHARED = new URL('./page/', import.meta.url);

/**
 * By path: `/` and `/page/FILE`, shared ones `/web/page/FILE`: so `../../web/page/FILE` leads there from a file of a page, here as in a browser.
 *
 * @param folder of the page, a URL with a slash at its end
 * @param headers beside those of the files
 * @throws the system's error when files are missing
 */
export function readPageFiles(folder: URL, headers: Readonly<Record<string, string>> = {}): ReadonlyMap<string, () => Response> {
  const pages = new Map<string, () => Response>();
  for (const [from, path] of [
    [SHARED, '/web/page/'],
    [folder, '/page/'],
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
        ...SECURITY,
      };
      pages.set(name === 'index.html' ? '/' : path + name, () => new Response(new Uint8Array(content), { headers: all }));
    }
  }
  return pages;
}

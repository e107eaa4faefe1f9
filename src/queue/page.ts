/**
 * The page for people: files of the folder `page`, read once. What they show is asked for with the administrator's key by the page itself.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { SERVER } from './api/replies.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html;charset=utf-8',
  '.css': 'text/css;charset=utf-8',
  '.js': 'text/javascript;charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing within another page. Source: Content Security Policy Level 3. */
const SECURITY = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** By path: `/` and `/page/FILE`. */
export function readPages(): ReadonlyMap<string, () => Response> {
  const folder = new URL('./page/', import.meta.url);
  const pages = new Map<string, () => Response>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const content = readFileSync(new URL(name, folder));
    const headers = {
      server: SERVER,
      'content-type': type,
      'content-length': String(content.length),
      'cache-control': 'no-cache',
      etag: `"${createHash('sha256').update(content).digest('base64')}"`,
      ...SECURITY,
    };
    pages.set(name === 'index.html' ? '/' : `/page/${name}`, () => new Response(new Uint8Array(content), { headers }));
  }
  return pages;
}

/**
 * HTML to PDF, by Chromium without a window. CHROMIUM names the program where it is called something else.
 *
 * The files come from strangers. So they are not opened as files, from where a page could show others of this machine: a small server hands out
 * the folder, tells the browser to load nothing from elsewhere, and all other hosts are unknown to it.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { eachFile } from './each-file.js';

const run = promisify(execFile);
const TYPES = {
  '.html': 'text/html',
  '.htm': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};
const POLICY = "default-src 'self' 'unsafe-inline' data:; frame-src 'none'; form-action 'none'";
const PATIENCE_MS = 60_000;

export async function html2pdf(dir, logger, { format = 'A4' }) {
  const server = createServer((request, response) => void serve(dir, request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const profile = await mkdtemp(join(tmpdir(), 'html2pdf-'));
  try {
    await eachFile(dir, logger, {
      label: 'HTML to PDF',
      endings: ['.html', '.htm'],
      target: '.pdf',
      convert: (source, target) =>
        print(`http://127.0.0.1:${server.address().port}/${encodeURIComponent(basename(source))}`, target, profile, format),
    });
  } finally {
    server.close();
    server.closeAllConnections();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

html2pdf.description = {
  label: 'HTML to PDF',
  help: 'Prints every HTML file, with the styles and images that are sent along.',
  options: [{ id: 'format', label: 'Paper', values: { A4: 'A4', letter: 'US Letter' }, default: 'A4' }],
};

async function print(url, target, profile, format) {
  const program = process.env.CHROMIUM ?? (await chromium());
  const size = format === 'letter' ? '8.5in 11in' : 'A4';
  const args = [
    '--headless',
    '--disable-gpu',
    '--no-pdf-header-footer',
    '--disable-background-networking',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    `--user-data-dir=${profile}`,
    `--print-to-pdf=${target}`,
    // Chromium's sandbox needs a user other than root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    `${url}?size=${encodeURIComponent(size)}`,
  ];
  await run(program, args, { timeout: PATIENCE_MS });
  await stat(target);
}

async function chromium() {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const names = await readdir(folder).catch(() => []);
    const name = ['chromium', 'chromium-browser', 'google-chrome'].find((each) => names.includes(each));
    if (name !== undefined) return join(folder, name);
  }
  throw new Error('there is no Chromium on PATH: install it, or name it by CHROMIUM');
}

/** Files of the folder, and nothing that a link of it leads to outside. */
async function serve(dir, request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  try {
    const path = await realpath(join(dir, decodeURIComponent(pathname)));
    if (!path.startsWith((await realpath(dir)) + sep) || !(await stat(path)).isFile()) throw new Error('outside');
    const size = searchParams.get('size');
    response.writeHead(200, {
      'Content-Type': TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
      'Content-Security-Policy': POLICY,
    });
    if (size !== null) response.write(`<style>@page { size: ${size === 'A4' ? 'A4' : '8.5in 11in'} }</style>`);
    createReadStream(path).pipe(response);
  } catch {
    response.writeHead(404).end();
  }
}

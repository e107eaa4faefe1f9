/**
 * Chromium through the program, trusting our authority: everything that a page loaded is in the archive, as the page got it.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { chromium, type BrowserContext, type Page, type Request } from 'playwright-core';
import { testCertificate } from '../support/certificate.ts';
import type { TestRecord } from '../support/proxy.ts';
import { findTool, tool } from '../support/tools.ts';
import { assertSame } from './support/archived.ts';
import { Workplace, type Program } from './support/program.ts';
import { testReaders } from './support/readers.ts';
import { run } from './support/run.ts';

const browser = findTool({
  commands: process.env.WARCTAP_CHROMIUM === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [process.env.WARCTAP_CHROMIUM],
  ask: ['--version'],
  says: /^(Chromium|Google Chrome) \d/m,
  needs: 'chromium on PATH (or WARCTAP_CHROMIUM)',
});
const certutil = tool('certutil');
const skip = browser.skip || certutil.skip;

/** Answered on every host name that ends in `.localhost`. */
const SITE: Readonly<Record<string, { type: string; body: Buffer | string; status?: number; location?: string }>> = {
  '/': {
    type: 'text/html; charset=utf-8',
    body: `<!doctype html><title>loading</title>
<link rel="stylesheet" href="/style.css"><link rel="icon" href="/icon.svg">
<h1>caf\u00e9</h1><img src="/moved.svg"><img src="//static.site.localhost:PORT/other-host.svg">
<script src="/app.js"></script><script type="module" src="/module.js"></script>`,
  },
  '/style.css': { type: 'text/css', body: 'h1 { background: url(/background.svg) }\n'.repeat(200) },
  '/app.js': {
    type: 'text/javascript',
    body: `window.answers = Promise.all([
  fetch('/data.json?q=1').then((answer) => answer.json()),
  fetch('/echo', { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'posted by the page' }).then((answer) => answer.text()),
  fetch('/nothing-here').then((answer) => answer.status),
]);`,
  },
  '/module.js': {
    type: 'text/javascript',
    body: `import { ready } from './imported.js'; window.answers.then((answers) => { window.result = [...answers, ready]; document.title = 'ready'; });`,
  },
  '/imported.js': { type: 'text/javascript', body: `export const ready = 'imported';` },
  '/data.json?q=1': { type: 'application/json', body: '{"a":[1,2,3]}' },
  '/echo': { type: 'text/plain', body: 'echoed' },
  '/moved.svg': { type: 'text/plain', body: 'moved', status: 302, location: '/here.svg' },
  '/here.svg': { type: 'image/svg+xml', body: svg('green') },
  '/background.svg': { type: 'image/svg+xml', body: svg('blue') },
  '/other-host.svg': { type: 'image/svg+xml', body: svg('red') },
  '/icon.svg': { type: 'image/svg+xml', body: svg('black') },
  '/second.html': { type: 'text/html', body: '<!doctype html><title>ready</title><link rel="stylesheet" href="/style.css"><p>second page' },
};

/** What a page got, and what it may do without: the browser decides when it fetches the icon. */
const LOADED = Object.keys(SITE).filter((path) => path !== '/icon.svg' && path !== '/second.html');

interface Answered {
  readonly method: string;
  readonly url: string;
  readonly status: number;
}

const place = new Workplace();

for (const scheme of ['https', 'http'] as const) {
  test(`everything that a page loads over ${scheme} is in the archive`, { skip, timeout: 60_000 }, async () => {
    await using site = await startSite(scheme);
    await using program = await place.start();
    await using chrome = await startChromium(program);
    const page = await chrome.context.newPage();
    const seen = watch(page);

    await visit(page, `${site.url}/`);
    const loaded = await seen();
    assert.deepEqual(await page.evaluate('window.result'), [{ a: [1, 2, 3] }, 'echoed', 404, 'imported']);
    assert.equal(await page.evaluate('Array.from(document.images).every((image) => image.naturalWidth === 16)'), true);
    await visit(page, `${site.url}/second.html`);
    await visit(page, `${site.url}/`);
    await chrome.context.close();

    const records = await program.records();
    // All that the origin has answered, and nothing else that it could have been asked.
    assert.deepEqual(ofSite(records).sort(), site.answered.map(({ method, url, status }) => `${method} ${url} ${status}`).sort());
    for (const path of [...LOADED, '/nothing-here', '/second.html']) {
      assert.ok(
        site.answered.some(({ url }) => new URL(url).pathname + new URL(url).search === path),
        `${path} was not loaded`,
      );
    }
    // All that the page has got, as it got it.
    assert.ok(loaded.length >= LOADED.length);
    for (const { url, status, body } of loaded) {
      const found = records.filter((record) => record.type === 'response' && record.url === url && statusOf(record) === status);
      assert.ok(found.length > 0, `${status} ${url} is not in the archive`);
      if (body !== undefined) for (const record of found) assertSame(decodedBody(record), body);
    }
  });
}

testReaders(place);

/** Go to a page and wait until its script says that it is done. */
async function visit(page: Page, url: string): Promise<void> {
  const failed: string[] = [];
  const note = (request: Request) => void failed.push(`${request.url()} ${request.failure()?.errorText}`);
  page.on('requestfailed', note);
  try {
    await page.goto(url, { waitUntil: 'load' });
    await page.waitForFunction('document.title === "ready"');
  } catch (error) {
    const state = await page.evaluate('`${document.readyState}, ${document.title}`').catch(() => 'gone');
    throw new Error(`${url} is not ready (${String(state)}); failed: ${failed.join(', ')}`, { cause: error });
  } finally {
    page.off('requestfailed', note);
  }
}

interface Loaded {
  readonly url: string;
  readonly status: number;
  readonly body: Buffer | undefined;
}

/** @returns a function that gives what the page has got since; to be called once, before the page is left */
function watch(page: Page): () => Promise<Loaded[]> {
  const finished: Request[] = [];
  const collect = (request: Request) => void finished.push(request);
  const load = async (request: Request): Promise<Loaded[]> => {
    const response = await request.response();
    if (response === null) return [];
    const status = response.status();
    return [{ url: response.url(), status, body: status === 302 ? undefined : await response.body() }];
  };
  page.on('requestfinished', collect);
  return async () => {
    page.off('requestfinished', collect);
    return (await Promise.all(finished.map(load))).flat();
  };
}

/** Method, URL and status of all exchanges with the site: browsers also ask elsewhere, of their own accord. */
function ofSite(records: readonly TestRecord[]): string[] {
  return records.flatMap((record, index) => {
    if (record.type !== 'response' || !new URL(record.url).hostname.endsWith('site.localhost')) return [];
    const request = records[index + 1]!;
    return [`${request.block.toString('latin1').split(' ')[0]} ${record.url} ${statusOf(record)}`];
  });
}

function statusOf({ block }: TestRecord): number {
  return Number(block.toString('latin1', 9, 12));
}

/** The site's answers have a length, and may be compressed. */
function decodedBody({ block }: TestRecord): Buffer {
  const bodyStart = block.indexOf('\r\n\r\n') + 4;
  const body = block.subarray(bodyStart);
  return /^content-encoding: gzip/im.test(block.toString('latin1', 0, bodyStart)) ? gunzipSync(body) : body;
}

function svg(colour: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="16" height="16" fill="${colour}"/></svg>`;
}

interface Site extends AsyncDisposable {
  /** `https://www.site.localhost:PORT` */
  readonly url: string;
  readonly answered: readonly Answered[];
}

async function startSite(scheme: 'http' | 'https'): Promise<Site> {
  const answered: Answered[] = [];
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request;
    const page = SITE[url] ?? { type: 'text/plain', body: 'not found', status: 404 };
    const { status = 200, location } = page;
    const plain = Buffer.from(typeof page.body === 'string' ? page.body.replace('PORT', String(port)) : page.body);
    const coded = plain.length > 1000;
    const body = coded ? gzipSync(plain) : plain;
    const fresh = headers['if-none-match'] === '"1"';
    request.resume().on('end', () => {
      answered.push({ method, url: `${scheme}://${headers.host}${url}`, status: fresh ? 304 : status });
      response.writeHead(fresh ? 304 : status, {
        'Content-Type': page.type,
        ...(fresh ? {} : { 'Content-Length': body.length }),
        ...(coded ? { 'Content-Encoding': 'gzip' } : {}),
        ...(location === undefined ? {} : { Location: location }),
        // To be asked for at each visit, with what came at the one before.
        ...(status === 200 ? { ETag: '"1"', 'Cache-Control': 'no-cache' } : { 'Cache-Control': 'no-store' }),
      });
      response.end(fresh ? undefined : body);
    });
  };
  const server: Server = scheme === 'https' ? createHttpsServer(await testCertificate(), serve) : createHttpServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://www.site.localhost:${port}`,
    answered,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** With a home of its own, in which our certificate is an authority for web sites and nothing else is known. */
async function startChromium({ url, caFile }: Program): Promise<AsyncDisposable & { readonly context: BrowserContext }> {
  const home = join(place.dir, `home-${Date.now()}`);
  const database = join(home, '.pki/nssdb');
  mkdirSync(database, { recursive: true });
  for (const args of [
    ['-N', '--empty-password'],
    ['-A', '-n', 'warctap', '-t', 'C,,', '-i', caFile],
  ]) {
    const { code, stderr } = await run(certutil.command, ['-d', `sql:${database}`, ...args]);
    assert.equal(code, 0, stderr);
  }
  const context = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath: browser.command,
    env: { PATH: process.env.PATH ?? '', HOME: home },
    args: [
      `--proxy-server=${url}`,
      // Loopback is not asked through a proxy otherwise.
      '--proxy-bypass-list=<-loopback>',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return { context, [Symbol.asyncDispose]: () => context.close() };
}

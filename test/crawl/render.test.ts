/** Pages in a real browser, through the core: what they load is in the WARC files, and their links are those that scripts have made. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Capture } from '../../src/capture/capture.ts';
import { JobRunState } from '../../src/crawl/proto/starbelly_pb.ts';
import { testCertificate } from '../support/certificate.ts';
import { browserTool, tool } from '../support/tools.ts';
import { allItems, pages, policy, startSite } from './jobs/support.ts';
import { crawlServer, newFolder } from './support/server.ts';

const { command: browser, skip } = browserTool();
const GIVEN = { allowLocalhost: true, minFreeSpace: 0 };
const RENDERS = policy({ render: true, userAgents: [{ name: 'renderer/1' }], limits: { maxCost: 10, maxItems: 50 } });
const textOf = (chunk: unknown) => String(chunk);

async function rendered(t: TestContext, seed: string, given: object = {}) {
  const { program } = await crawlServer(t, 'real', { given: { ...GIVEN, ...given } });
  const captures: Capture[] = [];
  program.on('capture', (capture) => void captures.push(capture));
  await program.settings.rateLimits.set('', 0);
  const id = await program.jobs.create({ seeds: [seed], policy: RENDERS });
  const items = await allItems({ jobs: program.jobs } as never, id);
  const job = await program.jobs.get(id);
  const log = program.jobs.log(id).map(({ reason, detail }) => `${reason}: ${detail}`);
  return { program, job, items, log, captures, paths: items.map(({ url }) => new URL(url).pathname).sort() };
}

test('what a page loads is archived for its job, and links that scripts make are followed', { skip }, async (t) => {
  const script = `fetch('/data', { method: 'POST', body: 'x', headers: { 'Warcprox-Meta': '{"warc-prefix":"stolen"}' } })
    .then((answer) => answer.text()).then((path) => {
      document.querySelector = document.querySelectorAll = () => { throw new Error('not yours'); };
      document.cookie = 'wall=passed';
      document.body.innerHTML += '<a href="' + path + '">made</a><img src="/picture.png">';
      location.href = '/left';
    });`;
  const html = (body: string) => ({ 'Content-Type': 'text/html', body });
  const texts: Record<string, { 'Content-Type': string; body: string }> = {
    '/': html(`<body><a href="/static">s</a><script src="/script.js"></script></body>`),
    '/script.js': { 'Content-Type': 'text/javascript', body: script },
    '/data': { 'Content-Type': 'text/plain', body: '/made' },
    '/picture.png': { 'Content-Type': 'image/png', body: 'no picture' },
    ...Object.fromEntries(['/static', '/made', '/left'].map((path) => [path, html('the end')])),
  };
  const site = await startSite(t, (request, response) => {
    const text = texts[request.url ?? ''];
    const headers = { 'Content-Type': text?.['Content-Type'] ?? 'text/plain', 'Content-Security-Policy': "default-src 'self'" };
    response.writeHead(text === undefined ? 404 : 200, headers).end(text?.body ?? 'none');
  });
  const { paths, captures, job } = await rendered(t, `${site.url}/`, { browser });
  assert.deepEqual(paths, ['/', '/left', '/made', '/static']);
  assert.equal(job.runState, JobRunState.COMPLETED);
  for (const path of ['/', '/script.js', '/data', '/picture.png', '/made', '/left'])
    assert.equal(site.asked.filter((asked) => asked === path).length, 1, path);
  const archived = captures.map((capture) => new URL('url' in capture ? capture.url : '').pathname);
  for (const path of ['/script.js', '/data', '/picture.png', '/made']) assert.ok(archived.includes(path), path);
  for (const capture of captures) assert.notEqual(capture.warcPrefix, 'stolen');
  assert.deepEqual([...new Set(site.requests.map(({ headers }) => headers['user-agent']))], ['renderer/1']);
  const made = site.requests.find(({ url }) => url === '/made');
  assert.equal(made?.headers.cookie, 'wall=passed');
  assert.equal(site.requests.find(({ url }) => url === '/data')?.headers['warcprox-meta'], undefined);
});

test('pages over TLS, packed and redirected to, are given to the browser as they came', { skip }, async (t) => {
  const { gzipSync } = await import('node:zlib');
  const asked: string[] = [];
  const page = gzipSync(`<script>document.write('<a href="/made?é">')</script>`);
  const site = createServer(await testCertificate(), (request, response) => {
    asked.push(textOf(request.url));
    if (request.url === '/') response.writeHead(302, { Location: '/page' }).end();
    else if (request.url === '/page')
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Encoding': 'gzip' }).end(page);
    else response.writeHead(200, { 'Content-Type': 'text/html' }).end('end');
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close().closeAllConnections());
  const { items } = await rendered(t, `https://127.0.0.1:${(site.address() as AddressInfo).port}/`, { browser });
  assert.deepEqual(
    items.map(({ url }) => new URL(url).pathname),
    ['/', '/made'],
  );
  assert.deepEqual(
    asked.filter((path) => path !== '/favicon.ico'),
    ['/', '/page', '/made?%C3%A9'],
  );
});

test('a page without end costs its time, and what it has by then counts', { skip }, async (t) => {
  const waiting = '<a href="/static">s</a><script>document.write(\'<a href="/made">\')</script><img src="/never">';
  const site = await startSite(t, (request, response) => {
    if (request.url === '/never') return;
    pages({ '/': waiting, '/made': '<a href="/after">a</a><script>for (;;);</script>', '/static': '-', '/after': '-' })(request, response);
  });
  const { paths, log } = await rendered(t, `${site.url}/`, { browser, renderTimeout: 1 });
  assert.deepEqual(paths, ['/', '/after', '/made', '/static']);
  assert.ok(log.includes('render: not all was loaded in time'), log.join('\n'));
  assert.ok(log.includes('render: it did not come to rest: its scripts run without end'), log.join('\n'));
});

test('a browser that crashes costs its page, not the server', { skip: skip || tool('sh').skip }, async (t) => {
  const folder = newFolder(t);
  const pidFile = join(folder, 'pid');
  const program = join(folder, 'browser');
  writeFileSync(program, `#!/bin/sh\necho $$ > '${pidFile}'\nexec '${browser}' "$@"\n`);
  chmodSync(program, 0o755);
  const texts = pages({
    '/': '<a href="/good">g</a><script src="/kill"></script>',
    '/good': '<script>document.write("<a href=/made>")</script>',
  });
  const site = await startSite(t, (request, response) => {
    if (request.url === '/kill') process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
    else texts(request, response);
  });
  const { items, job } = await rendered(t, `${site.url}/`, { browser: program });
  assert.equal(job.runState, JobRunState.COMPLETED);
  assert.deepEqual(
    items.map(({ url, exception, answer }) => [new URL(url).pathname, exception?.split(':')[0] ?? answer?.status]),
    [
      ['/', 'RenderError'],
      ['/good', 200],
      ['/made', 404],
    ],
  );
  assert.equal(site.asked.filter((path) => path === '/kill').length, 2);
});

test('without a browser a job goes on with pages as they come, and says so', async (t) => {
  const site = await startSite(t, pages({ '/': '<a href="/static">s</a>', '/static': '-' }));
  const { paths, log } = await rendered(t, `${site.url}/`, { browser: '/nowhere/browser' });
  assert.deepEqual(paths, ['/', '/static']);
  assert.equal(log.length, 1);
  assert.match(log[0]!, /^render: the browser \/nowhere\/browser does not start: /);
});

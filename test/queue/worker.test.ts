/** The worker: pages through the core into WARC files, robots.txt, links, reports; a manager that is away; signals. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { resolve } from '../../src/options/resolve.ts';
import type { Options } from '../../src/options/row.ts';
import { QUEUE_WORKER_ROWS } from '../../src/options/rows/queue.ts';
import { CORE_OPTIONS } from '../../src/options/table.ts';
import { startQueueWorker, type QueueWorker } from '../../src/programs/queue-worker.ts';
import { silentLog } from '../../src/util/log.ts';
import { atExit } from '../support/at-exit.ts';
import { add, BORIS, look, report, startQueue, statistics, take, temporaryFolder, type TestQueue } from './support.ts';

const SETTINGS = { ...QUEUE_WORKER_ROWS, ...CORE_OPTIONS };

interface Site {
  readonly url: string;
  /** paths, in the order in which they were asked for */
  readonly asked: readonly string[];
}

async function site(t: TestContext, answer: RequestListener): Promise<Site> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function startWorker(manager: string, folder: string, options: Options<typeof SETTINGS> = {}): Promise<QueueWorker> {
  const files = {
    dir: join(folder, 'warcs'),
    outbox: join(folder, 'outbox.jsonl'),
    dedupDbFile: join(folder, 'db'),
    statsDbFile: join(folder, 'db'),
  };
  const given = { manager, key: BORIS, prefix: 'heroshi', allowLocalhost: true, minFreeSpace: 0, untilEmpty: true, ...files, ...options };
  return startQueueWorker({ options: resolve(SETTINGS, given), key: BORIS, log: silentLog });
}

const warcsIn = (folder: string) =>
  readdirSync(join(folder, 'warcs'))
    .map((name) => readFileSync(join(folder, 'warcs', name), 'latin1'))
    .join('');

test('pages of a site come into WARC files, what robots.txt forbids is never asked for, and all is reported', async (t) => {
  const page = '<a href="/gzip">1</a><a href="/private/x">2</a><a href="http://elsewhere.example/">3</a><a href="/old">4</a>';
  const origin = await site(t, (request, response) => {
    if (request.url === '/robots.txt')
      response.end('User-agent: other\nDisallow: /\n\nUser-agent: heroshi-worker\nDisallow: /private\nAllow: /private/yes$\n');
    else if (request.url === '/') response.setHeader('Content-Type', 'text/html').setHeader('ETag', '"1"').end(page);
    else if (request.url === '/gzip')
      response
        .setHeader('Content-Type', 'text/html')
        .setHeader('Content-Encoding', 'gzip')
        .end(gzipSync('<a href=/private/yes>in a packed page</a>'));
    else if (request.url === '/old') response.writeHead(301, { Location: '/new' }).end();
    else response.writeHead(404).end(`none: ${request.url}`);
  });
  await using queue = await startQueue();
  await add(queue, `${origin.url}/`);
  const folder = temporaryFolder();
  await using worker = await startWorker(queue.url, folder);
  await worker.ended;
  await worker.close();
  assert.deepEqual([...origin.asked].sort(), ['/', '/gzip', '/new', '/old', '/private/yes', '/robots.txt']);
  const [home, denied, moved] = await Promise.all(['/', '/private/x', '/old'].map((path) => look(queue, `${origin.url}${path}`)));
  assert.deepEqual([home!.report.status_code, home!.report.result, home!.report.length], [200, 'OK', page.length]);
  assert.deepEqual([denied!.report.status_code, denied!.report.result], [null, 'Deny by robots.txt']);
  assert.deepEqual([moved!.report.status_code, moved!.report.redirects], [404, [{ url: `${origin.url}/old`, status_code: 301 }]]);
  assert.equal((await statistics(queue))['crawled-urls'], 5);
  const warcs = warcsIn(folder);
  for (const path of ['/', '/gzip', '/new', '/old', '/private/yes', '/robots.txt'])
    assert.ok(warcs.includes(`WARC-Target-URI: ${origin.url}${path}\r\n`), path);
  assert.ok(!warcs.includes(`WARC-Target-URI: ${origin.url}/private/x`));
  assert.match(readdirSync(join(folder, 'warcs')).join(), /^heroshi-/);
});

test('what the core does not let through is reported in its words, and not laid to robots.txt', async (t) => {
  const origin = await site(t, (_, response) => response.end());
  await using queue = await startQueue();
  await add(queue, `${origin.url}/`);
  await using worker = await startWorker(queue.url, temporaryFolder(), { allowLocalhost: false });
  await worker.ended;
  const { status_code, result } = (await look(queue, `${origin.url}/`)).report;
  assert.equal(status_code, null);
  assert.match(String(result), /^Proxy: .*localhost access is not permitted/);
  assert.deepEqual(origin.asked, []);
});

test('a page that has not changed is asked for by its tag', async (t) => {
  const seen: (string | undefined)[] = [];
  const origin = await site(t, (request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end();
    else {
      seen.push(request.headers['if-none-match']);
      response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 200, { ETag: '"1"' }).end();
    }
  });
  await using queue = await startQueue();
  for (let run = 0; run < 2; run++) {
    await add(queue, `${origin.url}/`);
    await using worker = await startWorker(queue.url, temporaryFolder());
    await worker.ended;
  }
  assert.deepEqual(seen, [undefined, '"1"']);
  assert.equal((await look(queue, `${origin.url}/`)).report.status_code, 304);
});

test('a robots.txt that cannot be had forbids, one that is not there allows, and one that is closed forbids', async (t) => {
  for (const [status, result] of [
    [503, '/robots.txt fetch problem: status 503'],
    [404, 'OK'],
    [403, 'Deny by robots.txt'],
  ] as const) {
    const origin = await site(t, (request, response) => response.writeHead(request.url === '/robots.txt' ? status : 200).end());
    await using queue = await startQueue();
    await add(queue, `${origin.url}/x`);
    await using worker = await startWorker(queue.url, temporaryFolder());
    await worker.ended;
    assert.equal((await look(queue, `${origin.url}/x`)).report.result, result);
  }
});

test('what a killed worker, or one whose manager was away, has left is delivered by the next', async () => {
  await using queue = await startQueue();
  const folder = temporaryFolder();
  const left = { url: 'http://a.test/', status_code: 200, result: 'OK', visited: '2026-01-05T10:00:00' };
  writeFileSync(
    join(folder, 'outbox.jsonl'),
    `${JSON.stringify(left)}\n{"url":"http://refused.test/","status_code":"x"}\n{"url":"http://cut.`,
  );
  await using worker = await startWorker(queue.url, folder);
  await worker.ended;
  assert.equal((await look(queue, 'http://a.test/')).report.status_code, 200);
  assert.equal((await statistics(queue))['crawled-urls'], 1);
  assert.equal(existsSync(join(folder, 'outbox.jsonl')), false);
});

test('a manager that is away at the start and in between is waited for', async (t) => {
  const origin = await site(t, (_, response) => response.writeHead(404).end());
  const first = await startQueue();
  const port = Number(new URL(first.url).port);
  await add(first, `${origin.url}/1`);
  await first.close();
  const folder = temporaryFolder();
  await using worker = await startWorker(first.url, folder, { untilEmpty: false });
  await using again = await startQueue({ port }, first.folder);
  while ((await statistics(again))['crawled-urls'] === 0) await new Promise((done) => setTimeout(done, 20));
  assert.equal(worker.state.visited, 1);
});

test('a key that the manager does not know ends it', async () => {
  await using queue = await startQueue();
  await queue.admin('/api-keys/boris', { method: 'DELETE' });
  await assert.rejects(startWorker(queue.url, temporaryFolder()), {
    name: 'ManagerRefusalError',
    message: 'the manager answers 401: Key is not authorized.',
  });
});

test('SIGTERM: what runs is finished, the rest is given back, exit code 0', async (t) => {
  let release = (): void => undefined;
  const origin = await site(t, (request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end();
    else release = () => response.end('done');
  });
  await using queue = await startQueue();
  await add(queue, ...[1, 2, 3, 4].map((page) => `${origin.url}/${page}`));
  const program = spawnWorker(queue, temporaryFolder());
  await program.line('works for');
  while (!origin.asked.includes('/1')) await new Promise((done) => setTimeout(done, 20));
  program.child.kill('SIGTERM');
  await program.line('stopping');
  release();
  assert.deepEqual(await program.ended, [0, null]);
  assert.equal((await queue.admin('/active')).text, '[]');
  assert.equal((await statistics(queue))['crawled-urls'], 1);
  assert.equal((await take(queue.inga, 10)).length, 3);
  await report(queue.inga, { url: null, links: [] });
});

function spawnWorker({ url }: TestQueue, folder: string) {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const args = ['queue', 'worker', '--manager', url, '--allow-localhost', '--min-free-space', '0'];
  const env = { PATH: process.env.PATH, HEROSHI_API_KEY: BORIS };
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  child.once(
    'exit',
    atExit(() => child.kill('SIGKILL')),
  );
  const said: string[] = [];
  let wake = (): void => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (text) => {
      said.push(text);
      wake();
    });
  }
  const line = async (part: string) => {
    while (!said.some((text) => text.includes(part))) {
      await Promise.race([new Promise<void>((done) => (wake = done)), ended.then(() => Promise.reject(new Error(said.join('\n'))))]);
    }
  };
  return { child, ended, line };
}

/** The programs and the file of the published queue, by their names: what is appended is got, crawled and reported. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atExit } from '../support/at-exit.ts';
import { ADMIN, BORIS, INGA, look, startQueue, statistics, temporaryFolder, type TestQueue } from './support.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts')];

let queue: TestQueue;
before(async () => {
  queue = await startQueue({ recheckInterval: 1 });
});
after(async () => {
  await queue[Symbol.asyncDispose]();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function begin(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const variables = { HEROSHI_MANAGER_URL: queue.url, HEROSHI_API_KEY: BORIS, ...env };
  const child = spawn(process.execPath, [...PROGRAM, 'queue', ...args], {
    cwd: temporaryFolder(),
    env: { ...process.env, ...variables },
  });
  const forget = atExit(() => child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const ended = once(child, 'close').then(([code]): Ended => {
    forget();
    return { code: code as number | null, ...said };
  });
  return { child, said, ended };
}

async function run(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { child, ended } = begin(args, env);
  child.stdin.end(input);
  return ended;
}

test('what heroshi-append adds heroshi-get-jobs prints, as URLs or as lines of JSON', async () => {
  assert.deepEqual(await run(['append', 'http://c.test/']), { code: 0, stdout: '', stderr: '' });
  assert.equal((await run(['get-jobs', '-p'])).stdout, 'http://c.test/\n');
  await run(['append', 'http://c.test/', 'http://d.test/']);
  const { stdout } = await run(['get-jobs']);
  const items = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    items.map(({ url }) => url),
    ['http://d.test/'],
  );
  assert.deepEqual(Object.keys(items[0] ?? {}).sort(), ['given-to-crawling', 'headers', 'last-visited', 'url', 'visited']);
});

test('with -f it asks again, until a signal', async () => {
  const { child, said, ended } = begin(['get-jobs', '-f', '-p']);
  await run(['append', 'http://late.test/']);
  while (!said.stdout.includes('http://late.test/\n')) await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await ended;
});

test('heroshi-report takes lines of the published fetcher, and passes over what is none', async () => {
  const before = await statistics(queue);
  const lines = [
    JSON.stringify({
      key: 'http://r.test/',
      url: 'http://r.test/',
      success: true,
      status: 'OK',
      status_code: 200,
      headers: { 'content-type': 'text/html' },
      content: Buffer.from('<p>x').toString('base64'),
      cached: false,
      visited: '2026-01-05T10:00:00',
      fetch_time: 5,
      total_time: 7,
    }),
    'no JSON',
    '[]',
    JSON.stringify({ key: 'http://r.test/2', status: 'Fetch timeout', status_code: null, headers: {}, content: '***' }),
    JSON.stringify({ key: 'http://r.test/3', status: 'Fetch timeout', status_code: null, headers: {} }),
  ];
  const { code, stderr } = await run(['report'], `${lines.join('\n')}\n`);
  assert.equal(code, 1);
  assert.deepEqual(stderr.trimEnd().split('\n'), [
    'warctap: line 2 was not reported: it is no JSON',
    'warctap: line 3 was not reported: it is no object',
    'warctap: line 4 was not reported: the manager answers 400: content is not base64',
  ]);
  assert.equal((await statistics(queue))['crawled-urls'] - before['crawled-urls'], 2);
  const page = (await look(queue, 'http://r.test/')).report;
  assert.deepEqual([page.status_code, page.result], [200, 'OK']);
  assert.equal((await look(queue, 'http://r.test/3')).report.result, 'Fetch timeout');
});

test('heroshi-crawl fetches what is given into WARC files and reports it, from arguments and from standard input', async () => {
  const asked: string[] = [];
  const site = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(`page ${request.url}`);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const dir = temporaryFolder();
  const options = ['--allow-localhost', '--min-free-space', '0', '--dir', dir, '--dedup-db-file', 'off', '--stats-db-file', 'off'];
  try {
    const given = await run(['crawl', ...options, `${url}/a`, `${url}/b`]);
    assert.equal(given.code, 0, given.stderr);
    const read = await run(['crawl', '-c', '5', ...options], `{"url": "${url}/c"}\n${url}/d\n\nnothing\n`);
    assert.equal(read.code, 0, read.stderr);
    assert.match(read.stderr, /expected an http or https URL, got nothing/);
    for (const path of ['a', 'b', 'c', 'd']) assert.equal((await look(queue, `${url}/${path}`)).report.status_code, 200, path);
    const warcs = readdirSync(dir)
      .map((name) => readFileSync(join(dir, name), 'latin1'))
      .join('');
    for (const path of ['a', 'b', 'c', 'd']) assert.ok(warcs.includes(`page /${path}`), path);

    const open = begin(['crawl', ...options]);
    open.child.stdin.write(`${url}/e\n`);
    while (!asked.includes('/e')) await once(site, 'request');
    open.child.kill('SIGINT');
    assert.equal((await open.ended).code, 0, 'it waits for more, and ends with a signal');
  } finally {
    site.closeAllConnections();
    site.close();
  }
});

test('what is missing or wrong is one line', async () => {
  assert.match((await run(['append'])).stderr, /^warctap: queue append: expected URLs, see queue append --help\n$/);
  assert.match((await run(['append', 'c.test'])).stderr, /^warctap: queue append: expected http or https URLs, got c\.test\n$/);
  const unknown = await run(['get-jobs'], '', { HEROSHI_API_KEY: 'nobody:knows-this-key' });
  assert.deepEqual([unknown.code, /^warctap: the manager answers 401: [^\n]+\n$/.test(unknown.stderr)], [1, true], unknown.stderr);
});

test('the keys of HEROSHI_CONFIG_PATH are let in; a file that is none is told without its content', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'config.yaml');
  const serve = (path: string) =>
    begin(['serve', '--port', '0', '--db', join(folder, 'db')], { HEROSHI_ADMIN_KEY: ADMIN, HEROSHI_CONFIG_PATH: path });
  writeFileSync(file, `api:\n  max_queue_limit: 1000\nauthorized_keys:\n  - ${INGA}\n  - boris:8-characters-0\n`);
  for (const path of [file, 'stub']) {
    const { child, said, ended } = serve(path);
    while (!said.stdout.includes('listens on')) await once(child.stdout, 'data');
    const url = /listens on (\S+)/.exec(said.stdout)?.[1] ?? '';
    assert.equal((await fetch(`${url}/worker`, { headers: { 'X-Heroshi-Auth': INGA } })).status, 200, path);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  }
  for (const [content, why] of [
    ['a: [', /it is no YAML/],
    ['authorized_keys: secret', /authorized_keys is no list/],
    ['authorized_keys: [short]', /key 1 of authorized_keys: /],
  ] as const) {
    writeFileSync(file, content);
    const { code, stderr } = await serve(file).ended;
    assert.equal(code, 2);
    assert.match(stderr, why);
    assert.doesNotMatch(stderr, /secret|short/);
  }
});

/**
 * The crawl log: one line of 13 fields for everything that a client asked for.
 *
 * Source: spec/warcprox.md §6.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startApi, WAYS, type Api, type ApiOptions, type Ask, type Way } from '../support/api.ts';
import { RawClient } from '../support/client.ts';
import { ok } from '../support/messages.ts';

const shortHost = hostname().split('.')[0] ?? '';

interface LoggingApi extends AsyncDisposable {
  readonly api: Api;
  readonly logDir: string;
  /** Close the proxy and read the log of a prefix: the 13 fields of each line, those to the right padded. */
  lines(prefix?: string): Promise<string[][]>;
}

async function startLogging(way: Way, options: ApiOptions = {}): Promise<LoggingApi> {
  const logDir = await mkdtemp(join(tmpdir(), 'warctap-test-log-'));
  const api = await startApi(way, { crawlLogDir: logDir, ...options });
  return {
    api,
    logDir,
    async lines(prefix = 'crawl') {
      await api.proxy.proxy.close();
      const text = await readFile(join(logDir, `${prefix}-${shortHost}-${api.proxy.port}.log`), 'utf8');
      assert.ok(text.endsWith('\n'));
      return text.slice(0, -1).split('\n').map(fieldsOf);
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await rm(logDir, { recursive: true, force: true });
    },
  };
}

function fieldsOf(line: string): string[] {
  // Status and size are padded on the left, everything else is separated by one space.
  const match = /^(\S+) ( *-?\d+) ( *\d+) (.*)$/.exec(line);
  assert.ok(match, line);
  const [, time = '', status = '', size = '', rest = ''] = match;
  assert.equal(status.length, 5, line);
  assert.equal(size.length, 10, line);
  const fields = [time, status.trim(), size.trim(), ...rest.split(' ')];
  assert.equal(fields.length, 13, line);
  assert.match(line, /^[ -~]+$/);
  return fields;
}

const sha1 = (body: string) => `sha1:${createHash('sha1').update(body).digest('hex')}`;
const digits = (date: string | undefined) => (date ?? '').replace(/\D/g, '');

for (const way of WAYS) {
  test(`all 13 fields of a response, its revisit, an upload and a record, ${way}`, async () => {
    await using logging = await startLogging(way, {
      answer: ({ socket }) => socket.write(ok('body', 'Content-Type: text/html; charset=utf-8\r\n')),
    });
    const { api } = logging;
    const before = new Date().toISOString();
    const meta = { metadata: { seed: 'http://seed.example/é x' } };
    const asks: (readonly [string, Ask])[] = [
      ['/first', { meta, more: 'Referer: http://via.example/\r\n' }],
      ['/again', {}],
      ['/post?a=%20b', { method: 'POST', body: 'x' }],
    ];
    for (const [nth, [path, ask]] of asks.entries()) {
      await api.ask(path, ask);
      await api.proxy.captured(nth + 1);
    }
    await api.write('screenshot:http://x/', 'bytes', { meta });
    const lines = await logging.lines();
    const after = new Date().toISOString();
    const records = await api.proxy.records();
    const [original, , revisit] = records;
    const size = ok('body', 'Content-Type: text/html; charset=utf-8\r\n').length;
    const info = (at: number, more: object = {}) => {
      const [record] = api.proxy.captures[at]?.outcome.records ?? [];
      return JSON.stringify({ contentSize: at === 3 ? 5 : size, warcFilename: record?.filename, warcFileOffset: record?.offset, ...more });
    };
    const duration = (at: number) => String(Math.round(api.proxy.captures[at]?.durationMs ?? -1)).padStart(3, '0');
    const seed = 'http://seed.example/%C3%A9%20x';
    const expected = [
      ['200', '4', api.url('/first'), '-', 'http://via.example/', 'text/html', '-', sha1('body'), seed, '-', info(0)],
      ['200', '4', api.url('/again'), '-', '-', 'text/html', '-', sha1('body'), '-', 'duplicate:digest', info(1)],
      ['200', '4', api.url('/post?a=%20b'), '-', '-', 'text/html', '-', sha1('body'), '-', 'duplicate:digest', info(2, { method: 'POST' })],
      [
        '204',
        '5',
        'screenshot:http://x/',
        '-',
        '-',
        'image/png',
        '-',
        sha1('bytes'),
        seed,
        '-',
        info(3, { method: 'WARCPROX_WRITE_RECORD' }),
      ],
    ];
    for (const [nth, [time = '', ...fields]] of lines.entries()) {
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(time >= before && time <= after);
      const [start] = fields.splice(7, 1);
      assert.equal(start, `${digits(api.proxy.captures[nth]?.startedAt.toISOString())}+${duration(nth)}`);
      assert.deepEqual(fields, expected[nth]);
    }
    assert.equal(lines.length, 4);
    assert.equal(digits(original?.fields.get('warc-date')), lines[0]?.[8]?.split('+')[0]);
    assert.equal(revisit?.type, 'revisit');
  });

  test(`what is not archived is logged without a file, failures with their exception, ${way}`, async () => {
    await using logging = await startLogging(way, {
      answer: ({ path, socket }) => (path === '/empty' ? socket.end() : socket.write(ok('b'))),
    });
    const { api } = logging;
    await api.ask('/dropped', { meta: { 'mime-type-filters': [{ type: 'LIMIT', regex: 'x' }] } });
    await api.ask('/empty');
    const [dropped, empty] = await logging.lines();
    assert.deepEqual(dropped?.slice(1, 8), ['200', '1', api.url('/dropped'), '-', '-', 'unknown', '-']);
    assert.deepEqual(dropped.slice(9), [sha1('b'), '-', '-', `{"contentSize":${ok('b').length}}`]);
    assert.deepEqual(empty?.slice(1, 12), ['-404', '0', api.url('/empty'), '-', '-', 'unknown', '-', '-', '-', '-', '-']);
    const info = JSON.parse(empty[12] ?? '') as Record<string, string>;
    assert.deepEqual(Object.keys(info), ['exception', 'exceptionMessage']);
    assert.equal(info.exception, 'empty-response');
    assert.match(info.exceptionMessage ?? '', /^[^ ]+$/);
  });

  test(`a file for each prefix, "crawl" without one, refused requests in none, ${way}`, async () => {
    await using logging = await startLogging(way, { prefix: 'OWN' });
    const { api } = logging;
    await api.ask('/a');
    await api.ask('/b', { meta: { 'warc-prefix': 'JOB' } });
    await api.ask('/c', { meta: { 'warc-prefix': '-' } });
    await api.ask('/d', { meta: { 'warc-prefix': 'NO', blocks: [{ substring: '/' }] } });
    await api.ask('/e', { meta: '{' });
    assert.deepEqual(await pathsIn(logging, 'crawl'), ['/a']);
    assert.deepEqual(await pathsIn(logging, 'JOB'), ['/b']);
    assert.deepEqual(await pathsIn(logging, '-'), ['/c']);
    const suffix = `-${shortHost}-${api.proxy.port}.log`;
    assert.deepEqual((await readdir(logging.logDir)).sort(), [`-${suffix}`, `JOB${suffix}`, `crawl${suffix}`].sort());
  });

  test(`hop path and via, ${way}`, async () => {
    await using logging = await startLogging(way);
    const { api } = logging;
    const referer = 'http://referer.example/';
    const page = api.url('/page');
    const other = 'http://bücher.example/é?q=ü b';
    const otherAscii = 'http://xn--bcher-kva.example/%C3%A9?q=%C3%BC%20b';
    const cases: readonly (readonly [metadata: object | undefined, referer: string, hopPath: string, via: string])[] = [
      [undefined, '', '-', '-'],
      [undefined, referer, '-', referer],
      [{ seed: 'x' }, referer, '-', referer],
      [{ hop_path: 'LL' }, '', 'LL', '-'],
      [{ hop_path: 'LL' }, referer, 'LL', referer],
      [{ hop_path: 'LL', hop_via_url: other }, '', 'LL', otherAscii],
      [{ hop_path: 'LL', hop_via_url: other }, referer, 'LL', referer],
      [{ hop_via_url: other }, '', '-', '-'],
      [{ hop_via_url: other }, referer, '-', '-'],
      [{ hop_path: '-', hop_via_url: other }, referer, '-', '-'],
      [{ brozzled_url: page }, '', '-', '-'],
      [{ brozzled_url: page, hop_path: 'L' }, referer, 'L', referer],
      [{ brozzled_url: page, hop_path: 'L', hop_via_url: other }, '', 'L', otherAscii],
      [{ brozzled_url: other }, referer, 'B', otherAscii],
      [{ brozzled_url: other, hop_path: '-' }, '', 'B', otherAscii],
      [{ brozzled_url: other, hop_path: 'LR', hop_via_url: page }, referer, 'LRB', otherAscii],
    ];
    for (const [metadata, from] of cases) {
      const more = from === '' ? '' : `Referer: ${from}\r\n`;
      await api.ask('/page', { ...(metadata && { meta: { metadata } }), more });
    }
    await api.proxy.captured(cases.length);
    const lines = await logging.lines();
    for (const [nth, [metadata, from, hopPath, via]] of cases.entries()) {
      assert.deepEqual(lines[nth]?.slice(4, 6), [hopPath, via], JSON.stringify([metadata, from]));
    }
  });

  test(`no seed, referer or type makes two lines or two fields of one, ${way}`, async () => {
    await using logging = await startLogging(way, {
      answer: ({ socket }) => socket.write(ok('x', 'Content-Type: a\tb c\xe9;x\r\n')),
    });
    const { api } = logging;
    const metadata = { seed: 'a b\nc\r\n\td\0\u2028', hop_path: 'L L', hop_via_url: 'x\ny z', brozzled_url: 'q\r\nr' };
    await api.ask('/{"a":1}', { meta: { metadata }, more: 'Referer: a b\tc\xe9\r\n' });
    await api.ask('/x', { more: 'Referer: a b\tc\xe9\r\n' });
    const lines = await logging.lines();
    assert.equal(lines.length, 2);
    assert.equal(lines[0]?.[10], 'a%20b%0Ac%0D%0A%09d%00%E2%80%A8');
    assert.equal(lines[1]?.[5], 'a%20b%09c%E9');
  });
}

test('artificial statuses of failures', async () => {
  await using logging = await startLogging('over HTTP', { socketTimeout: 1, answer: () => undefined });
  const { api } = logging;
  const closed = await closedPort();
  await using garbage = await startApi('over HTTP', { answer: ({ socket }) => socket.end('nonsense\r\n\r\n') });
  const urls = {
    'http://does-not-exist.invalid/': '-6',
    [`http://127.0.0.1:${closed}/`]: '-2',
    [`http://127.0.0.1:${closed}/again`]: '-404',
    'http://169.254.1.1/': '-404',
    [garbage.url('/')]: '-404',
    [api.url('/hangs')]: '-2',
  };
  for (const url of Object.keys(urls)) {
    using client = await RawClient.connect(api.proxy.port);
    client.send(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.ok((await client.response()).status >= 400, url);
  }
  await api.proxy.captured(Object.keys(urls).length);
  const lines = await logging.lines();
  assert.deepEqual(Object.fromEntries(lines.map((fields) => [fields[3], fields[1]])), urls);
  const exceptions = lines.map((fields) => (JSON.parse(fields[12] ?? '') as { exception: string }).exception);
  assert.deepEqual(exceptions, [
    'not-resolved',
    'not-connected',
    'Cached_Failed_Connection',
    'forbidden-address',
    'invalid-response',
    'response-timeout',
  ]);
});

async function pathsIn(logging: LoggingApi, prefix: string): Promise<string[]> {
  return (await logging.lines(prefix)).map((fields) => new URL(fields[3] ?? '').pathname);
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

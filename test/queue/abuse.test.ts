/** Bodies that are too long, too slow, packed too well, or make no sense: one line for whoever sent them, and everybody else goes on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Log } from '../../src/util/log.ts';
import { silentLog } from '../../src/util/log.ts';
import { RawClient } from '../support/client.ts';
import { add, ADMIN, ask, BORIS, done, json, startQueue, take, temporaryFolder, type TestQueue } from './support.ts';

const MIB = 1024 * 1024;
const portOf = ({ url }: TestQueue) => Number(new URL(url).port);
const head = (path: string, ...fields: readonly string[]) =>
  [`PUT ${path} HTTP/1.1`, 'Host: q', `X-Heroshi-Auth: ${BORIS}`, ...fields, '', ''].join('\r\n');

describe('a body of 70 MB', () => {
  test('is refused by its length, before any of it is read', async () => {
    await using queue = await startQueue();
    for (const expect of [[], ['Expect: 100-continue']]) {
      using client = await RawClient.connect(portOf(queue));
      client.send(head('/report', `Content-Length: ${70 * MIB}`, ...expect));
      assert.match(await client.head(), /^HTTP\/1\.1 413 /);
    }
  });

  test('of a length that nobody says is refused as it comes', async () => {
    await using queue = await startQueue();
    using client = await RawClient.connect(portOf(queue));
    client.send(head('/report', 'Transfer-Encoding: chunked'));
    const piece = Buffer.alloc(MIB, 0x20);
    const chunk = Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
    for (let sent = 0; sent < 70; sent++) client.send(chunk);
    assert.match(await client.head(), /^HTTP\/1\.1 413 [^]*\r\nServer: heroshi-manager\r\n/);
    assert.equal((await queue.boris('/worker')).status, 200);
  });

  test('when it is unpacked is refused as it is unpacked', async () => {
    await using queue = await startQueue();
    const body = gzipSync(Buffer.alloc(70 * MIB, 0x20));
    const said = await queue.boris('/report', { method: 'PUT', body, headers: { 'Content-Encoding': 'gzip' } });
    assert.deepEqual([said.status, said.text], [413, `the body must not be longer than ${64 * MIB} bytes, after decompression\n`]);
  });

  test('is asked for where the client waits to be asked, if it is short enough', async () => {
    await using queue = await startQueue();
    using client = await RawClient.connect(portOf(queue));
    const body = JSON.stringify(done('http://a.test/'));
    client.send(head('/report', `Content-Length: ${body.length}`, 'Expect: 100-continue'));
    assert.match(await client.head(), /^HTTP\/1\.1 100 /);
    client.send(body);
    assert.match(await client.head(), /^HTTP\/1\.1 200 /);
  });
});

describe('other bodies', () => {
  test('that come too slowly are ended, and others go on', async () => {
    await using queue = await startQueue({ socketTimeout: 0.4, minRate: 100_000 });
    using slow = await RawClient.connect(portOf(queue));
    slow.send(head('/report', 'Content-Length: 1000000'));
    const timer = setInterval(() => slow.send('x'), 20);
    assert.equal((await queue.boris('/worker')).status, 200);
    assert.match(await slow.head(), /^HTTP\/1\.1 408 /);
    clearInterval(timer);
  });

  test('whose clients leave in the middle are no fault that is logged', async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, warn: (_, line) => lines.push(line), error: (_, line) => lines.push(line) };
    await using queue = await startQueue({}, temporaryFolder(), log);
    for (const fields of [[], ['Content-Encoding: gzip']]) {
      using client = await RawClient.connect(portOf(queue));
      client.send(head('/report', 'Content-Length: 100', ...fields));
      client.send('x');
      client.socket.end();
      assert.match(await client.head(), /^HTTP\/1\.1 400 /);
    }
    await queue.close();
    assert.deepEqual(lines, []);
  });

  test('that do not come are ended, too', async () => {
    await using queue = await startQueue({ socketTimeout: 0.3 });
    using silent = await RawClient.connect(portOf(queue));
    silent.send(head('/report', 'Content-Length: 10'));
    assert.equal((await silent.rest()).length, 0);
  });

  test('that are packed in a way that is not known, or are not what they say, are refused', async () => {
    await using queue = await startQueue();
    const put = (body: string, coding: string) => queue.boris('/report', { method: 'PUT', body, headers: { 'Content-Encoding': coding } });
    const cut = gzipSync(JSON.stringify(done('http://a.test/'))).subarray(0, -9);
    for (const type of ['application/json', 'text/plain']) {
      const said = await queue.admin('/temp-new-links', { body: cut, headers: { 'Content-Encoding': 'gzip', 'Content-Type': type } });
      assert.equal(said.status, 400, said.text);
    }
    assert.equal((await put('x', 'br')).status, 415);
    assert.deepEqual(
      [(await put('no gzip', 'gzip')).status, (await put('no gzip', 'gzip')).text],
      [400, 'the body is not gzip, as its Content-Encoding says\n'],
    );
  });

  test('that are nested without end, or lists of too much, are refused in one line', async () => {
    await using queue = await startQueue();
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const bodies: [path: string, body: string][] = [
      ['/report', `{"url":"http://a.test/","status":"200","deep":${deep}}`],
      ['/report', `{"url":"http://a.test/","status":"200","headers":{"a":${deep}}}`],
      ['/report', deep],
      ['/report', JSON.stringify(Array.from({ length: 10_001 }, () => 1))],
      ['/report', JSON.stringify({ url: null, links: Array.from({ length: 100_001 }, () => '') })],
    ];
    for (const [path, body] of bodies) {
      const said = await queue.boris(path, { method: 'PUT', body });
      assert.equal(said.status, 400, body.slice(0, 80));
      assert.match(said.text, /^[^\n]{1,300}\n$/);
    }
    const many = await queue.admin('/temp-new-links', { body: JSON.stringify(Array.from({ length: 200_001 }, () => '')) });
    assert.match(many.text, /^at most 200000 items in one list, got 200001: send them as application\/x-ndjson/);
    const line = await queue.admin('/temp-new-links', { body: 'x'.repeat(MIB), headers: { 'Content-Type': 'text/plain' } });
    assert.equal(line.status, 400);
  });
});

test('after ten wrong keys within a minute those of an address wait, and right ones do not', async () => {
  await using queue = await startQueue();
  const wrong = async () => {
    const begun = performance.now();
    assert.equal((await ask(queue.url, '/worker', { key: 'boris:guessing-keys' })).status, 401);
    return performance.now() - begun;
  };
  for (let count = 0; count < 10; count++) await wrong();
  assert.ok((await wrong()) >= 195);
  assert.equal((await queue.boris('/worker')).status, 200);
});

describe('whatever comes', () => {
  const PATHS = [
    '/crawl-queue',
    '/report',
    '/worker',
    '/statistics',
    '/temp-new-links',
    '/api-keys',
    '/api-keys/x',
    '/control',
    '/active',
    '/overview',
    '/hosts',
    '/urls',
    '/',
    '/page/',
    '//',
    '*',
    'x:1',
    'http://q/report',
  ];
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'http://a.test/',
      'http://[::1]:8/',
      'http://a.test:99999/',
      'https://ключ/',
      '\ud800',
      `http://${'a'.repeat(300)}.test/`,
    ),
  );
  const value = fc.oneof(text, fc.double(), fc.constantFrom(null, true, {}, []), fc.integer());
  const report = fc.dictionary(
    fc.oneof(
      fc.constantFrom(
        'url',
        'key',
        'status',
        'status_code',
        'result',
        'headers',
        'total_time',
        'fetch_time',
        'content-body',
        'content',
        'content_length',
        'visited',
        'links',
        'redirects',
        'parent',
        'priority',
        'control',
        'worker',
        'recheck-interval',
        'limit',
        '__proto__',
      ),
      fc.string(),
    ),
    fc.oneof(value, fc.array(value), fc.dictionary(fc.string(), value)),
  );
  const body = fc.oneof(
    report.map((each) => JSON.stringify(each)),
    fc.array(fc.oneof(report, value)).map((each) => JSON.stringify(each)),
    fc.json(),
    fc.string(),
    fc.constantFrom('limit=1', 'limit=1&limit=x', 'limit=%zz', '\0'),
  );
  const query = fc.oneof(
    fc.constant(''),
    fc.webQueryParameters().map((each) => `?${each}`),
    fc.constantFrom(
      '?date-from=0000-00-00',
      '?offset=999999999999999',
      '?limit=0',
      '?url=http://a.test/',
      '?host=a.test:80',
      '?from=%00',
      '?worker=x',
    ),
  );
  const call = fc.record({
    path: fc.constantFrom(...PATHS),
    query,
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT', 'PROPFIND'),
    key: fc.constantFrom(ADMIN, BORIS),
    type: fc.constantFrom('', 'application/json', 'application/x-ndjson', 'text/plain', 'application/x-www-form-urlencoded', '\xff', 'x'),
    coding: fc.constantFrom('', '', '', 'gzip', 'x'),
    body,
  });

  test('is answered with a status that tells what was wrong, never with a fault, and the queue stays sound', async () => {
    const faults: string[] = [];
    const log: Log = { ...silentLog, error: (_, message) => faults.push(message) };
    await using queue = await startQueue({ minRevisitMinutes: 0 }, undefined, log);
    await fc.assert(
      fc.asyncProperty(call, async ({ path, query, method, key, type, coding, body }) => {
        using client = await RawClient.connect(portOf(queue));
        const bytes = Buffer.from(body);
        const fields = [
          `X-Heroshi-Auth: ${key}`,
          `Content-Length: ${bytes.length}`,
          ...(type === '' ? [] : [`Content-Type: ${type}`]),
          ...(coding === '' ? [] : [`Content-Encoding: ${coding}`]),
        ];
        const target = /^[\x21-\x7e\x80-\xff]*$/.test(query) ? `${path}${query}` : path;
        client.send([`${method} ${target} HTTP/1.1`, 'Host: q', 'Connection: close', ...fields, '', ''].join('\r\n'));
        client.send(bytes);
        const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(await client.head()) ?? [];
        assert.ok(['200', '201', '400', '401', '403', '404', '405', '409', '413', '415'].includes(status ?? ''), status);
      }),
      { seed: 15, numRuns: 600, endOnFailure: true },
    );
    assert.deepEqual(faults, []);
    await queue.admin('/control', { ...json({ control: 'resume' }), method: 'PUT' });
    await queue.admin('/control', { ...json({ control: 'resume', worker: 'boris' }), method: 'PUT' });
    await add(queue, { url: 'http://at-the-end.test/', priority: 100 });
    assert.deepEqual(await take(queue.boris, 1), ['http://at-the-end.test/']);
  });
});

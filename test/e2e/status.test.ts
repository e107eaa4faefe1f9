/**
 * `GET /status`, as warcprox's clients read it.
 *
 * Source: spec/warcprox.md §7.
 */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

const PAGE = 'GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n';

test('GET /status has all fields of warcprox, as indented JSON', async () => {
  await using proxy = await startProxy({ maxThreads: 7, queueSize: 9 });
  using client = await RawClient.connect(proxy.port);
  client.send(PAGE);
  const { head, body } = await client.response();
  assert.equal(head, `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
  const text = body.toString();
  const status = JSON.parse(text) as Record<string, unknown>;
  assert.equal(text, `${JSON.stringify(status, null, 2)}\n`);
  const { version, start_time, postfetch_chain, rates_1min, rates_5min, rates_15min, ...rest } = status;
  for (const rate of [rates_1min, rates_5min, rates_15min]) {
    assert.deepEqual(Object.keys(rate as object), ['actual_elapsed', 'urls_per_sec', 'warc_bytes_per_sec']);
  }
  assert.match(String(version), /^\d+\.\d+\.\d+$/);
  assert.ok(typeof start_time === 'number' && Math.abs(start_time - Date.now() / 1000) < 60);
  assert.ok(Array.isArray(postfetch_chain));
  const names = postfetch_chain.map((entry: { processor: string }) => entry.processor);
  assert.ok(names.includes('WarcWriterProcessor') && names.at(-1) === 'RunningStats', names.join());
  for (const entry of postfetch_chain as { queued_urls: number }[]) assert.equal(entry.queued_urls, 0);
  const expected = {
    role: 'warcprox',
    host: hostname(),
    address: '127.0.0.1',
    port: proxy.port,
    pid: process.pid,
    threads: 7,
    active_requests: 0,
    unaccepted_requests: 0,
    load: 0,
    queued_urls: 0,
    queue_max_size: 9,
    urls_processed: 0,
    warc_bytes_written: 0,
    earliest_still_active_fetch_start: null,
    earliest_still_active_socket: { socket: null, name: null, peername: null, future_status: null, exception: null },
    earliest_still_active_postfetch: { url: null, postfetch_plugin: null },
    seconds_behind: 0,
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, rest[name]])), expected);
});

test('it counts what was processed and written, failures not', async () => {
  await using origin = await startOrigin(({ path, socket }) => (path === '/bad' ? socket.end() : socket.write(ok())));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  for (const path of ['/good', '/bad', '/good']) {
    client.send(get(origin.url + path));
    await client.response();
  }
  await proxy.captured(3);
  client.send(PAGE);
  const status = JSON.parse((await client.response()).body.toString()) as { urls_processed: number; warc_bytes_written: number };
  assert.equal(status.urls_processed, 2);
  assert.ok(status.warc_bytes_written > 1000);
});

test('it tells since when the oldest fetch has been running', async () => {
  await using origin = await startOrigin(() => undefined);
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  using other = await RawClient.connect(proxy.port);
  const before = new Date();
  other.send(get(`${origin.url}/`));
  await origin.requested(1);
  client.send(PAGE);
  const status = JSON.parse((await client.response()).body.toString()) as Record<string, string | number>;
  assert.equal(status.active_requests, 1);
  const start = new Date(status.earliest_still_active_fetch_start ?? '');
  assert.ok(start >= before && start <= new Date());
});

test('HEAD /status has the head alone', async () => {
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`HEAD /status HTTP/1.1\r\nHost: localhost\r\n\r\n${PAGE}`);
  assert.match(await client.head(), /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/json\r\nContent-Length: \d+\r\n\r\n$/);
  assert.equal((await client.response()).status, 200);
});

test('other methods are refused, and own pages are not archived', async () => {
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`${PAGE}POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
  assert.equal((await client.response()).status, 200);
  assert.equal((await client.response()).status, 400);
  assert.deepEqual(await proxy.records(), []);
  assert.equal(proxy.captures.length, 0);
});

test('figures() counts new payloads, duplicates, what was not to be written and what failed apart', async () => {
  await using origin = await startOrigin(({ path, socket }) => (path === '/drop' ? socket.destroy() : socket.write(ok(path.slice(0, 2)))));
  await using proxy = await startProxy();
  const none = { captures: 0, new: 0, duplicates: 0, errors: 0, warcBytes: 0, warcFiles: 0, active: 0, waiting: 0, queued: 0 };
  assert.deepEqual(proxy.proxy.figures(), none);
  using client = await RawClient.connect(proxy.port);
  for (const [path, meta] of [
    ['/a', '{}'],
    ['/b', '{}'],
    ['/a1', '{"warc-prefix":"other"}'],
    ['/c', '{"warc-prefix":"-"}'],
    ['/drop', '{}'],
  ] as const) {
    client.send(`GET ${origin.url}${path} HTTP/1.1\r\nHost: x\r\nWarcprox-Meta: ${meta}\r\n\r\n`);
    await client.response();
  }
  await proxy.captured(5);
  const { warcBytes, ...figures } = proxy.proxy.figures();
  assert.ok(warcBytes > 1000, String(warcBytes));
  assert.deepEqual({ ...figures, warcBytes: 0 }, { ...none, captures: 4, new: 2, duplicates: 1, errors: 1, warcFiles: 2 });
});

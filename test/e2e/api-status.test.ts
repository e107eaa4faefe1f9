/**
 * `/status` while things happen: what counts, what waits, and which processors stand in the chain. Its plain fields stand in `status`.
 *
 * Source: spec/warcprox.md §4 (order and names), §7.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answered, startApi, WAYS, type Api } from '../support/api.ts';
import { ok } from '../support/messages.ts';

const dir = mkdtempSync(join(tmpdir(), 'warctap-test-status-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));

interface Rate {
  readonly actual_elapsed: number;
  readonly urls_per_sec: number;
  readonly warc_bytes_per_sec: number;
}

async function chainOf(api: Api): Promise<string[]> {
  const { postfetch_chain } = await api.status();
  return (postfetch_chain as { processor: string }[]).map(({ processor }) => processor);
}

/** Holds the chain until it is let go. */
function holdingPlugin(): { file: string; called: Promise<void>; go: () => void } {
  const file = join(dir, 'hold.mjs');
  const name = '__warctapTestHold';
  writeFileSync(file, `export default () => ({ name: 'Hold', position: 'early', process: () => globalThis.${name}() });\n`);
  let go = () => {};
  let tell = () => {};
  const called = new Promise<void>((resolve) => (tell = resolve));
  const held = new Promise<void>((resolve) => (go = resolve));
  Object.assign(globalThis, { [name]: () => (tell(), held) });
  return { file, called, go };
}

for (const way of WAYS) {
  test(`exchanges and records count, archived or not; failures and refusals do not, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ path, socket }) => (path === '/bad' ? socket.end() : socket.write(ok(path))) });
    await api.ask('/a');
    await api.ask('/bad');
    await api.ask('/dropped', { meta: { 'warc-prefix': '-' } });
    await api.ask('/blocked', { meta: { blocks: [{ substring: '/' }] } });
    await api.ask('/malformed', { meta: '[' });
    await api.write('x:y', 'z');
    await api.proxy.captured(4);
    const status = await api.status();
    assert.equal(status.urls_processed, 3);
    const rate = status.rates_1min as Rate;
    assert.ok(rate.actual_elapsed > 0);
    assert.ok(Math.abs(rate.urls_per_sec * rate.actual_elapsed - 3) < 0.001);
    assert.deepEqual(Object.keys(rate), ['actual_elapsed', 'urls_per_sec', 'warc_bytes_per_sec']);
    const written = status.warc_bytes_written as number;
    assert.ok(Math.abs(rate.warc_bytes_per_sec * rate.actual_elapsed - written) < 1);
    await api.proxy.proxy.close();
    const [file = ''] = await readdir(join(api.proxy.dir, 'warcs'));
    assert.equal(written, (await stat(join(api.proxy.dir, 'warcs', file))).size);
  });

  test(`/status in a tunnel is the origin's page, not ours, ${way}`, async () => {
    await using api = await startApi(way);
    assert.equal((await api.ask('/status')).body, '/status');
    assert.equal(api.origin.requests[0]?.path, '/status');
  });

  test(`it shows what is in flight and what waits for the chain, ${way}`, async () => {
    const hold = holdingPlugin();
    await using api = await startApi(way, {
      plugin: [hold.file],
      queueSize: 4,
      maxThreads: 3,
      answer: ({ path, socket }) => path !== '/silent' && socket.write(ok(path)),
    });
    await api.ask('/held');
    await hold.called;
    const before = new Date();
    using silent = await api.connect();
    silent.send(api.request('/silent'));
    await api.origin.requested(2);
    for (const path of ['/1', '/2']) await api.ask(path);
    const status = await api.status();
    assert.equal(status.active_requests, 1);
    assert.equal(status.unaccepted_requests, 0);
    assert.equal(status.threads, 3);
    assert.equal(status.queue_max_size, 4);
    assert.equal(status.queued_urls, 2);
    assert.equal(status.load, 0.5);
    assert.equal(status.urls_processed, 0);
    assert.ok((status.seconds_behind as number) > 0);
    const start = new Date(status.earliest_still_active_fetch_start as string);
    assert.ok(start >= before && start <= new Date());
    const { socket, ...rest } = status.earliest_still_active_socket as Record<string, unknown>;
    const peername = rest.peername as [string, number];
    assert.deepEqual(rest, { name: null, peername: ['127.0.0.1', peername[1]], future_status: 'running', exception: null });
    assert.equal(socket, peername.join(':'));
    if (way === 'over HTTP') assert.equal(peername[1], silent.socket.localPort);
    assert.deepEqual(status.earliest_still_active_postfetch, { url: api.url('/held'), postfetch_plugin: 'Hold' });
    assert.deepEqual((status.postfetch_chain as unknown[])[0], { processor: 'Hold', queued_urls: 3, errors: 0 });
    hold.go();
    await api.proxy.captured(3);
    const after = await api.status();
    assert.equal(after.queued_urls, 0);
    assert.equal(after.load, 0);
    assert.equal(after.seconds_behind, 0);
    assert.deepEqual(after.earliest_still_active_postfetch, { url: null, postfetch_plugin: null });
    assert.equal(after.urls_processed, 3);
  });

  test(`a full queue holds clients back, and loses nothing, ${way}`, async () => {
    const hold = holdingPlugin();
    await using api = await startApi(way, { plugin: [hold.file], queueSize: 2 });
    const clients = await Promise.all(Array.from({ length: 10 }, () => api.connect()));
    for (const [nth, client] of clients.entries()) {
      client.send(Buffer.concat([api.request(`/${nth}-a`), api.request(`/${nth}-b`)]));
      await answered(client);
    }
    await hold.called;
    const status = await api.status();
    assert.ok((status.load as number) >= 1, String(status.load));
    hold.go();
    for (const client of clients) assert.equal((await answered(client)).status, 200);
    await api.proxy.captured(20);
    for (const client of clients) client[Symbol.dispose]();
    assert.equal((await api.proxy.records()).length, 40);
  });
}

test('the processors stand in the order of the chain, those switched off are absent', async () => {
  const plugins = ['early', undefined].map((position) => {
    const file = join(dir, `${position ?? 'late'}.mjs`);
    writeFileSync(
      file,
      `export default () => (${JSON.stringify({ name: `Plugin-${position ?? 'late'}`, position })});\n`.replace('})', ',notify(){}})'),
    );
    return file;
  });
  await using all = await startApi('over HTTP', { plugin: plugins.toReversed(), playbackPort: 0, crawlLogDir: join(dir, 'logs') });
  assert.deepEqual(await chainOf(all), [
    'Plugin-early',
    'MimeTypeFilter',
    'DedupLoader',
    'WarcWriterProcessor',
    'DedupDb',
    'StatsProcessor',
    'PlaybackIndexDb',
    'CrawlLogger',
    'Plugin-late',
    'RunningStats',
  ]);
  await using least = await startApi('over HTTP', { dedupDbFile: '', statsDbFile: '/dev/null' });
  assert.deepEqual(await chainOf(least), ['MimeTypeFilter', 'WarcWriterProcessor', 'RunningStats']);
  await using cdx = await startApi('over HTTP', { cdxserverDedup: 'http://127.0.0.1:1/cdx' });
  assert.deepEqual(await chainOf(cdx), ['MimeTypeFilter', 'CdxServerDedupLoader', 'WarcWriterProcessor', 'StatsProcessor', 'RunningStats']);
});

test('names and types are those that clients of warcprox read', async () => {
  await using api = await startApi('over HTTP');
  const status = await api.status();
  const types = Object.fromEntries(Object.entries(status).map(([name, value]) => [name, value === null ? 'null' : typeof value]));
  assert.deepEqual(types, {
    role: 'string',
    version: 'string',
    host: 'string',
    address: 'string',
    port: 'number',
    pid: 'number',
    threads: 'number',
    active_requests: 'number',
    unaccepted_requests: 'number',
    load: 'number',
    queued_urls: 'number',
    queue_max_size: 'number',
    urls_processed: 'number',
    warc_bytes_written: 'number',
    start_time: 'number',
    rates_1min: 'object',
    rates_5min: 'object',
    rates_15min: 'object',
    earliest_still_active_fetch_start: 'null',
    earliest_still_active_socket: 'object',
    earliest_still_active_postfetch: 'object',
    seconds_behind: 'number',
    postfetch_chain: 'object',
    warcprox_meta_ignored: 'number',
    databases: 'object',
  });
  assert.equal(status.host, hostname());
});

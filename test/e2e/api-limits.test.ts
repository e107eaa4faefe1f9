/**
 * Limits and soft limits: how many requests pass, and what the others are told, byte by byte.
 *
 * Source: spec/warcprox.md §4 (Statistics), §5 (Limit reached).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, answeredMeta, startApi, WAYS, type Answered, type Api, type Ask } from '../support/api.ts';
import { ok } from '../support/messages.ts';

interface Count {
  readonly urls: number;
  readonly wire_bytes: number;
}

interface Stats {
  readonly total: Count;
  readonly new: Count;
  readonly revisit: Count;
}

const NONE: Count = { urls: 0, wire_bytes: 0 };

/** The whole answer to a request over its limit. */
function overLimit(kind: 'limit' | 'soft limit', bucket: string, stats: Stats, key: string, value: number, body = true): string {
  const text = `request rejected by warcprox: reached ${kind} ${key}=${value}\n`;
  const field = kind === 'limit' ? 'reached-limit' : 'reached-soft-limit';
  const meta = JSON.stringify({ stats: { [bucket]: { bucket, ...stats } }, [field]: { [key]: value } });
  return (
    `HTTP/1.1 ${kind === 'limit' ? '420 Reached limit' : '430 Reached soft limit'}\r\nContent-Type: text/plain;charset=utf-8\r\n` +
    `Content-Length: ${text.length}\r\nWarcprox-Meta: ${meta}\r\nConnection: close\r\n\r\n${body ? text : ''}`
  );
}

/** As many requests as it takes until one is refused. */
async function until(api: Api, ask: (nth: number) => Ask, most = 30): Promise<{ passed: number; last: Answered }> {
  for (let passed = 0; passed < most; passed++) {
    const last = await api.ask(`/${passed}`, ask(passed));
    if (last.status !== 200) return { passed, last };
  }
  throw new Error(`none of ${most} requests was refused`);
}

async function nothingElse(api: Api, passed: number): Promise<void> {
  assert.equal(api.origin.requests.length, passed);
  const records = await api.proxy.records();
  assert.equal(records.length, 2 * passed);
  assert.equal(api.proxy.captures.length, passed);
}

/** Every response is as long. */
const same = ok('x'.repeat(100));

for (const way of WAYS) {
  test(`exactly N requests pass a limit of N urls, and the next is told, whatever its method, ${way}`, async () => {
    await using api = await startApi(way);
    const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': 7 } };
    const { passed, last } = await until(api, () => ({ meta }));
    assert.equal(passed, 7);
    const size = 7 * ok('/0').length;
    const stats = { total: { urls: 7, wire_bytes: size }, new: { urls: 7, wire_bytes: size }, revisit: NONE };
    const told = overLimit('limit', 'b', stats, 'b/total/urls', 7);
    assert.equal(last.text, told);
    assert.equal((await api.ask('/x', { meta, method: 'HEAD' })).text, overLimit('limit', 'b', stats, 'b/total/urls', 7, false));
    assert.equal((await api.ask('/x', { meta, method: 'POST', body: 'hi' })).text, told);
    assert.equal((await api.write(api.url('/x'), 'png', { meta })).text, told);
    assert.equal((await api.write(api.url('/x'), 'text', { meta, method: 'PUTMETA' })).text, told);
    await nothingElse(api, 7);
  });

  test(`limits hold between the requests of one connection, and without pauses, ${way}`, async () => {
    await using api = await startApi(way);
    const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': 3 } };
    using client = await api.connect();
    client.send(Buffer.concat(['/0', '/1', '/2', '/3', '/4'].map((path) => api.request(path, { meta }))));
    for (let i = 0; i < 3; i++) assert.equal((await answered(client)).status, 200);
    assert.match((await answered(client)).text, /^HTTP\/1\.1 420 Reached limit\r\n[^]*\n$/);
    await nothingElse(api, 3);
  });

  test(`new/urls lets revisits pass, revisit/urls originals, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ path, socket }) => socket.write(path === '/new' ? ok('n') : same) });
    const stats = { buckets: ['b'] };
    const ask = async (path: string, limits: object) => (await api.ask(path, { meta: { stats, limits } })).text;
    for (let i = 0; i < 4; i++) assert.match(await ask('/same', { 'b/new/urls': 2 }), /^HTTP\/1\.1 200 /);
    for (let i = 0; i < 1; i++) assert.match(await ask('/new', { 'b/new/urls': 2 }), /^HTTP\/1\.1 200 /);
    const one = same.length;
    const counted = {
      total: { urls: 5, wire_bytes: 4 * one + ok('n').length },
      new: { urls: 2, wire_bytes: one + ok('n').length },
      revisit: { urls: 3, wire_bytes: 3 * one },
    };
    assert.equal(await ask('/same', { 'b/new/urls': 2 }), overLimit('limit', 'b', counted, 'b/new/urls', 2));
    assert.equal(await ask('/same', { 'b/revisit/urls': 3 }), overLimit('limit', 'b', counted, 'b/revisit/urls', 3));
    assert.match(await ask('/same', { 'b/revisit/urls': 4 }), /^HTTP\/1\.1 200 /);
  });

  test(`wire_bytes count the response with its head; the request that goes past the limit is the last, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ socket }) => socket.write(same) });
    for (const sub of ['total', 'new', 'revisit'] as const) {
      const limit = 5 * same.length - 1;
      const key = `${sub}/${sub}/wire_bytes`;
      const meta = {
        'dedup-buckets': { [sub]: sub === 'revisit' ? 'rw' : 'ro' },
        stats: { buckets: [{ bucket: sub }] },
        limits: { [key]: limit },
      };
      const { passed, last } = await until(api, () => ({ meta }));
      assert.equal(passed, sub === 'revisit' ? 6 : 5, sub);
      assert.match(last.head, /^HTTP\/1\.1 420 /);
      assert.equal(last.body, `request rejected by warcprox: reached limit ${key}=${limit}\n`);
      const { stats } = answeredMeta(last) as { stats: Record<string, Stats> };
      assert.deepEqual(stats[sub]?.[sub], { urls: 5, wire_bytes: 5 * same.length });
    }
  });

  test(`a domain of tally-domains has a bucket of its own, hosts below it included, ${way}`, async () => {
    await using api = await startApi(way, { names: true });
    const stats = { buckets: [{ bucket: 'b', 'tally-domains': ['Bücher.example', 'other.example'] }] };
    const meta = { stats, limits: { 'b:Bücher.example/total/urls': 3 } };
    const ask = (host: string) => api.ask('/', { meta, host });
    for (const host of ['xn--bcher-kva.example', 'www.xn--bcher-kva.example', 'www.other.example', 'a.b.xn--bcher-kva.example']) {
      assert.equal((await ask(host)).status, 200, host);
    }
    const key = 'b:xn--bcher-kva.example/total/urls';
    const last = await ask('xn--bcher-kva.example');
    assert.equal(last.body, `request rejected by warcprox: reached limit ${key}=3\n`);
    const told = answeredMeta(last) as { stats: Record<string, Stats> };
    assert.deepEqual(told.stats['b:xn--bcher-kva.example']?.total.urls, 3);
    // The bucket is not one of those of a request to another domain.
    assert.equal((await ask('other.example')).status, 200);
    assert.equal((await ask('notxn--bcher-kva.example')).status, 200);
  });

  test(`soft limits answer 430, and come after limits, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ socket }) => socket.write(same) });
    const stats = { buckets: ['b'] };
    const meta = { stats, 'soft-limits': { 'b/total/urls': 2 } };
    const { passed, last } = await until(api, () => ({ meta }));
    assert.equal(passed, 2);
    const size = same.length;
    const counted = {
      total: { urls: 2, wire_bytes: 2 * size },
      new: { urls: 1, wire_bytes: size },
      revisit: { urls: 1, wire_bytes: size },
    };
    assert.equal(last.text, overLimit('soft limit', 'b', counted, 'b/total/urls', 2));
    assert.equal((await api.write('x:y', 'z', { meta })).text, overLimit('soft limit', 'b', counted, 'b/total/urls', 2));
    const both = { ...meta, limits: { 'b/total/urls': 3, 'b/new/urls': 1 } };
    assert.equal((await api.ask('/', { meta: both })).text, overLimit('limit', 'b', counted, 'b/new/urls', 1));
    await nothingElse(api, 2);
  });

  test(`with fifty requests at once no more than N pass that begin after the N-th is answered, ${way}`, async () => {
    const waiting: (() => void)[] = [];
    await using api = await startApi(way, { answer: ({ path, socket }) => waiting.push(() => socket.write(ok(path))) });
    const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': 10 } };
    // None is answered before fifty are in flight: all of them pass.
    const first = Array.from({ length: 50 }, (_, i) => api.ask(`/${i}`, { meta }));
    await api.origin.requested(50);
    for (const answer of waiting.splice(0)) answer();
    for (const { status } of await Promise.all(first)) assert.equal(status, 200);
    const second = await Promise.all(Array.from({ length: 50 }, (_, i) => api.ask(`/${i}`, { meta })));
    for (const { status } of second) assert.equal(status, 420);
    assert.equal(api.origin.requests.length, 50);
  });

  test(`fifty clients that ask again and again: never more pass than N and those in flight, ${way}`, async () => {
    await using api = await startApi(way);
    const limit = 200;
    const clients = 50;
    const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': limit } };
    let passed = 0;
    const crawl = async (nth: number) => {
      using client = await api.connect();
      for (let i = 0; ; i++) {
        client.send(api.request(`/${nth}-${i}`, { meta }));
        const { status, head } = await answered(client);
        if (status !== 200) return head.slice(9, 12);
        passed++;
      }
    };
    const ends = await Promise.all(Array.from({ length: clients }, (_, nth) => crawl(nth)));
    assert.deepEqual([...new Set(ends)], ['420']);
    assert.ok(passed >= limit && passed < limit + clients, `${passed} passed`);
    await nothingElse(api, passed);
  });

  test(`records count as urls, with their own size, ${way}`, async () => {
    await using api = await startApi(way);
    const meta = { stats: { buckets: ['b'] }, limits: { 'b/new/urls': 2 } };
    assert.equal((await api.write('x:1', 'four', { meta })).status, 204);
    assert.equal((await api.ask('/', { meta })).status, 200);
    const size = 4 + ok('/').length;
    const stats = { total: { urls: 2, wire_bytes: size }, new: { urls: 2, wire_bytes: size }, revisit: NONE };
    assert.equal((await api.write('x:1', 'four', { meta })).text, overLimit('limit', 'b', stats, 'b/new/urls', 2));
  });

  test(`what is not archived counts in total only, ${way}`, async () => {
    await using api = await startApi(way);
    const stats = { buckets: ['b'] };
    for (let i = 0; i < 3; i++) assert.equal((await api.ask('/', { meta: { stats, 'warc-prefix': '-' } })).status, 200);
    const size = 3 * ok('/').length;
    const counted = { total: { urls: 3, wire_bytes: size }, new: NONE, revisit: NONE };
    const { text } = await api.ask('/', { meta: { stats, limits: { 'b/new/urls': 1, 'b/total/urls': 3 } } });
    assert.equal(text, overLimit('limit', 'b', counted, 'b/total/urls', 3));
  });
}

test('limits of other buckets, of nothing and below 1 are never reached', async () => {
  await using api = await startApi('over HTTP');
  const buckets = ['b', { bucket: 'domains', 'tally-domains': ['example.org'] }];
  assert.equal((await api.ask('/', { meta: { stats: { buckets: ['other'] } } })).status, 200);
  const limits = {
    'other/total/urls': 1,
    '__unspecified__/total/urls': 1,
    'b/total/urls': 0,
    'b/new/urls': -1,
    'b/total/pages': 1,
    'b/old/urls': 1,
    'domains:example.org/total/urls': 1,
  };
  for (let i = 0; i < 3; i++)
    assert.equal((await api.ask('/', { meta: { stats: { buckets }, limits, 'soft-limits': limits } })).status, 200);
});

test('all captures are tallied in __all__, those without a bucket in __unspecified__', async () => {
  await using api = await startApi('over HTTP');
  assert.equal((await api.ask('/1')).status, 200);
  assert.equal((await api.ask('/2', { meta: { stats: { buckets: [] } } })).status, 200);
  assert.equal((await api.ask('/3', { meta: { stats: { buckets: ['b'] } } })).status, 200);
  const refusedBy = async (limits: object) => (await api.ask('/4', { meta: { limits } })).body;
  const rejected = 'request rejected by warcprox: reached limit ';
  assert.equal(await refusedBy({ '__all__/total/urls': 3 }), `${rejected}__all__/total/urls=3\n`);
  assert.equal(await refusedBy({ '__unspecified__/total/urls': 2 }), `${rejected}__unspecified__/total/urls=2\n`);
  assert.equal(await refusedBy({ '__unspecified__/total/urls': 3, '__all__/total/urls': 4 }), '/4');
});

test('an entry of stats that is not valid is skipped, and the rest counts', async () => {
  await using api = await startApi('over HTTP');
  const meta = { stats: { buckets: [7, {}, { bucket: 'b', 'tally-domains': 'x' }, null] }, limits: { 'b/total/urls': 1 } };
  assert.equal((await api.ask('/', { meta })).status, 200);
  assert.equal((await api.ask('/', { meta })).status, 420);
});

test('failed fetches do not count', async () => {
  await using api = await startApi('over HTTP', {
    answer: ({ path, socket }) => (path === '/bad' ? socket.end() : socket.write(ok(path))),
  });
  const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': 1 } };
  for (let i = 0; i < 3; i++) assert.equal((await api.ask('/bad', { meta })).status, 502);
  assert.equal((await api.ask('/', { meta })).status, 200);
  assert.equal((await api.ask('/', { meta })).status, 420);
});

test('counts outlive the proxy', async () => {
  await using api = await startApi('over HTTP');
  const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': 3 } };
  for (let i = 0; i < 2; i++) assert.equal((await api.ask('/', { meta })).status, 200);
  await api.restart();
  assert.equal((await api.ask('/', { meta })).status, 200);
  assert.equal((await api.ask('/', { meta })).status, 420);
});

test('without statistics no limit is reached', async () => {
  await using api = await startApi('over HTTP', { statsDbFile: '' });
  const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': 1 } };
  for (let i = 0; i < 3; i++) assert.equal((await api.ask('/', { meta })).status, 200);
});

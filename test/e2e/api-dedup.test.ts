/**
 * Deduplication: what becomes a `response` and what a `revisit`, and whom the revisits point at. Records are read back by warcio.
 *
 * Source: spec/warcprox.md §3 (revisit), §4 (Dedup, CDX server dedup, Writer).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { base32 } from '@scure/base';
import { principals, startApi, WAYS, type Api, type Ask } from '../support/api.ts';
import { ok } from '../support/messages.ts';
import type { TestRecord } from '../support/proxy.ts';

const BODY = 'the same bytes again';
const same = (type = 'text/plain') => ok(BODY, `Content-Type: ${type}\r\n`);

/** The revisit stands for this record, and says so in every way that the standard knows. */
function assertPointsAt(revisit: TestRecord, original: TestRecord): void {
  assert.equal(revisit.type, 'revisit');
  assert.equal(original.type, 'response');
  const field = (record: TestRecord, name: string) => record.fields.get(name);
  assert.equal(field(revisit, 'warc-refers-to'), field(original, 'warc-record-id'));
  assert.equal(field(revisit, 'warc-refers-to-target-uri'), original.url);
  assert.equal(field(revisit, 'warc-refers-to-date'), field(original, 'warc-date'));
  assert.equal(field(revisit, 'warc-payload-digest'), field(original, 'warc-payload-digest'));
  assert.equal(field(revisit, 'warc-profile'), 'http://netpreserve.org/warc/1.1/revisit/identical-payload-digest');
  assert.equal(field(revisit, 'warc-truncated'), 'length');
}

const responsesOf = (records: readonly TestRecord[]) => records.filter(({ type }) => type === 'response');
const revisitsOf = (records: readonly TestRecord[]) => records.filter(({ type }) => type === 'revisit');

/** Ask one after the other, each once the one before has left the chain. @returns types of the principal records */
async function typesOf(api: Api, asks: readonly (Ask & { readonly path?: string })[]): Promise<string[]> {
  const before = api.proxy.captures.length;
  for (const [nth, { path = '/', ...ask }] of asks.entries()) {
    assert.ok((await api.ask(path, ask)).status < 500);
    await api.proxy.captured(before + nth + 1);
  }
  return api.proxy.captures.slice(before).map(({ outcome }) => outcome.records?.[0]?.type ?? 'none');
}

for (const way of WAYS) {
  test(`twenty equal bodies at once: one response, and nineteen revisits that point at it, ${way}`, async () => {
    const waiting: (() => void)[] = [];
    await using api = await startApi(way, {
      answer: ({ socket }) => {
        waiting.push(() => socket.write(same()));
        if (waiting.length === 20) for (const answer of waiting) answer();
      },
    });
    await Promise.all(Array.from({ length: 20 }, (_, i) => api.ask(`/${i}`)));
    await api.proxy.captured(20);
    const records = await api.proxy.records();
    const [original, ...more] = responsesOf(records);
    assert.ok(original);
    assert.equal(more.length, 0);
    assert.equal(revisitsOf(records).length, 19);
    for (const revisit of revisitsOf(records)) {
      assertPointsAt(revisit, original);
      assert.equal(revisit.block.toString(), same().slice(0, -BODY.length));
    }
    assert.equal(new Set(records.map(({ url }) => url)).size, 20);
    const at = records.indexOf(original);
    assert.ok(revisitsOf(records).every((revisit) => records.indexOf(revisit) > at));
  });

  test(`equal bodies for different files at once: still one response, ${way}`, async () => {
    const waiting: (() => void)[] = [];
    await using api = await startApi(way, {
      answer: ({ socket }) => {
        waiting.push(() => socket.write(same()));
        if (waiting.length === 20) for (const answer of waiting) answer();
      },
    });
    await Promise.all(Array.from({ length: 20 }, (_, i) => api.ask(`/${i}`, { meta: { 'warc-prefix': `P${i % 5}` } })));
    await api.proxy.captured(20);
    const records = await api.proxy.records();
    const [original, ...more] = responsesOf(records);
    assert.ok(original);
    assert.equal(more.length, 0);
    for (const revisit of revisitsOf(records)) assertPointsAt(revisit, original);
  });

  test(`the same payload in another framing is the same payload; another content-coding is not, ${way}`, async () => {
    const coded = gzipSync(BODY);
    const answers = [
      same(),
      'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nthe\r\n11\r\n same bytes again\r\n0\r\n\r\n',
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${coded.length}\r\n\r\n`), coded]),
    ];
    await using api = await startApi(way, { answer: ({ path, socket }) => socket.write(answers[Number(path.slice(1))] ?? '') });
    const types = await typesOf(api, [{ path: '/0' }, { path: '/1', method: 'POST', body: 'x' }, { path: '/2' }]);
    assert.deepEqual(types, ['response', 'revisit', 'response']);
    const records = await api.proxy.records();
    assertPointsAt(revisitsOf(records)[0]!, responsesOf(records)[0]!);
    assert.match(revisitsOf(records)[0]!.block.toString(), /^HTTP\/1\.1 404 Not Found\r\n[^]*\r\n\r\n$/);
  });

  test(`buckets keep apart, rw ones remember, ro ones are only asked, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ socket }) => socket.write(same()) });
    const buckets = (dedupBuckets: object) => ({ meta: { 'dedup-buckets': dedupBuckets } });
    const types = await typesOf(api, [
      buckets({ a: 'ro' }),
      buckets({ a: 'ro' }),
      buckets({ a: 'rw' }),
      buckets({ a: 'ro' }),
      buckets({ b: 'rw' }),
      {},
      {},
      buckets({ c: 'ro', d: 'rw' }),
      buckets({ c: 'rw' }),
      buckets({ d: 'ro' }),
      { meta: { 'dedup-bucket': 'e' } },
      { meta: { 'captures-bucket': 'e' } },
      buckets({ e: 'ro' }),
    ]);
    const expected = ['response', 'response', 'response', 'revisit', 'response', 'response', 'revisit', 'response', 'response', 'revisit'];
    assert.deepEqual(types, [...expected, 'response', 'revisit', 'revisit']);
  });

  test(`of several buckets the first that knows the payload wins, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ socket }) => socket.write(same()) });
    const ask = (path: string, buckets: object) => ({ path, meta: { 'dedup-buckets': buckets } });
    await typesOf(api, [
      ask('/a', { a: 'rw' }),
      ask('/b', { b: 'rw' }),
      ask('/ab', { x: 'ro', a: 'ro', b: 'rw' }),
      ask('/ba', { b: 'ro', a: 'ro' }),
      ask('/21', { '2': 'rw', '1': 'rw', b: 'rw', a: 'rw' }),
    ]);
    const records = await api.proxy.records();
    const [a, b] = responsesOf(records);
    assert.deepEqual(
      revisitsOf(records).map(({ url }) => url),
      [api.url('/ab'), api.url('/ba'), api.url('/21')],
    );
    assertPointsAt(revisitsOf(records)[0]!, a!);
    assertPointsAt(revisitsOf(records)[1]!, b!);
    assertPointsAt(revisitsOf(records)[2]!, b!);
  });

  test(`with dedup-ok false a capture is no original, but may be a revisit, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ socket }) => socket.write(same()) });
    const notOk = { meta: { 'dedup-ok': false } };
    const types = await typesOf(api, [notOk, notOk, {}, notOk, { meta: { 'dedup-ok': true } }]);
    assert.deepEqual(types, ['response', 'response', 'response', 'revisit', 'revisit']);
  });

  test(`only payloads larger than the minimum of their kind are deduplicated, ${way}`, async () => {
    const text = ['text/html; charset=utf-8', 'application/json', 'image/svg+xml', 'Application/XHTML+XML'];
    const binary = ['image/png', 'application/octet-stream', 'application/jsonx'];
    await using api = await startApi(way, {
      dedupMinTextSize: BODY.length - 1,
      dedupMinBinarySize: BODY.length,
      answer: ({ path, socket }) => socket.write(path === '/none' ? ok(BODY) : same(decodeURIComponent(path.slice(1)))),
    });
    for (const type of text) {
      const asked = { path: `/${encodeURIComponent(type)}`, meta: { 'dedup-bucket': type } };
      assert.deepEqual(await typesOf(api, [asked, asked]), ['response', 'revisit'], type);
    }
    for (const type of binary) {
      const asked = { path: `/${encodeURIComponent(type)}`, meta: { 'dedup-bucket': type } };
      assert.deepEqual(await typesOf(api, [asked, asked]), ['response', 'response'], type);
    }
    assert.deepEqual(await typesOf(api, [{ path: '/none' }, { path: '/none' }]), ['response', 'response']);
  });

  test(`nothing is like nothing: empty payloads are not deduplicated, ${way}`, async () => {
    await using api = await startApi(way, {
      answer: ({ method, socket }) => socket.write(method === 'HEAD' ? same().slice(0, -BODY.length) : ok('')),
    });
    const types = await typesOf(api, [{}, {}, { method: 'HEAD' }, { method: 'HEAD' }]);
    assert.deepEqual(types, ['response', 'response', 'response', 'response']);
  });

  test(`with --dedup-only-with-bucket captures without one are left alone, ${way}`, async () => {
    await using api = await startApi(way, { dedupOnlyWithBucket: true, answer: ({ socket }) => socket.write(same()) });
    const bucket = { meta: { 'dedup-bucket': 'b' } };
    assert.deepEqual(await typesOf(api, [{}, {}, bucket, bucket, {}]), ['response', 'response', 'response', 'revisit', 'response']);
  });

  test(`within the blackout period the same URL is not written again, ${way}`, async () => {
    await using api = await startApi(way, { blackoutPeriod: 3600, answer: ({ socket }) => socket.write(same()) });
    const types = await typesOf(api, [{ path: '/a' }, { path: '/a' }, { path: '/b' }, { path: '/b' }]);
    assert.deepEqual(types, ['response', 'none', 'revisit', 'revisit']);
    const records = await api.proxy.records();
    assert.deepEqual(principals(records), [`response ${api.url('/a')}`, `revisit ${api.url('/b')}`, `revisit ${api.url('/b')}`]);
    assert.equal(records.length, 6);
  });

  test(`within the blackout period a redirect that leads elsewhere is written, with the same body, ${way}`, async () => {
    const statuses = ['302 Found', '302 Found', '302 Found', '301 Moved'];
    const targets = ['/1', '/1', '/2', '/1'];
    await using api = await startApi(way, {
      blackoutPeriod: 3600,
      answer: ({ socket }) => {
        const [status = '', location = ''] = [statuses.shift(), targets.shift()];
        socket.write(`HTTP/1.1 ${status}\r\nLocation: ${location}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
      },
    });
    const ask = { path: '/a' };
    assert.deepEqual(await typesOf(api, [ask, ask, ask, ask]), ['response', 'none', 'revisit', 'revisit']);
  });

  test(`originals are known after a restart, ${way}`, async () => {
    await using api = await startApi(way, { answer: ({ socket }) => socket.write(same()) });
    assert.deepEqual(await typesOf(api, [{ path: '/a' }, { path: '/b', meta: { 'dedup-bucket': 'b' } }]), ['response', 'response']);
    await api.restart();
    const asks = [{ path: '/c' }, { path: '/d', meta: { 'dedup-buckets': { b: 'ro' } } }, { meta: { 'dedup-bucket': 'c' } }];
    assert.deepEqual(await typesOf(api, asks), ['revisit', 'revisit', 'response']);
    const records = await api.proxy.records();
    const [a, b] = responsesOf(records);
    assertPointsAt(revisitsOf(records)[0]!, a!);
    assertPointsAt(revisitsOf(records)[1]!, b!);
  });

  test(`a CDX server is asked for the original, and everything that it does wrong means "no duplicate", ${way}`, async () => {
    await using cdx = await startCdx((url) => {
      const digest = base32.encode(createHash('sha1').update(BODY).digest());
      if (url.endsWith('/hit')) return [200, `20200102030405 ${digest}\n`];
      if (url.endsWith('/other')) return [200, `20200102030405 ${'A'.repeat(32)}\n`];
      if (url.endsWith('/none')) return [200, ''];
      if (url.endsWith('/error')) return [500, `20200102030405 ${digest}\n`];
      return [200, 'nonsense that nobody expects\n\n\0'];
    });
    const options = {
      cdxserverDedup: cdx.url,
      cdxserverDedupCookies: 'a=b; c=d',
      answer: ({ socket }: { socket: { write(text: string): unknown } }) => socket.write(same()),
    };
    await using api = await startApi(way, options);
    const paths = ['/hit', '/other', '/none', '/error', '/nonsense', '/x?session=hit', '/hit'];
    const types = await typesOf(
      api,
      paths.map((path) => ({ path })),
    );
    assert.deepEqual(types, ['revisit', 'response', 'response', 'response', 'response', 'response', 'revisit']);
    assert.deepEqual(
      cdx.asked.map((asked) => asked.get('url')),
      paths.slice(0, 5).map((path) => api.url(path)),
    );
    assert.deepEqual(
      [...cdx.asked[0]!]
        .filter(([name]) => name !== 'url')
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
      ['filter=!mimetype:warc/revisit', 'fl=timestamp,digest', 'limit=-1'],
    );
    assert.equal(cdx.headers[0]?.cookie, 'a=b; c=d');
    const chain = (await api.status()).postfetch_chain as { processor: string; errors: number }[];
    const names = chain.map(({ processor }) => processor);
    assert.ok(names.includes('CdxServerDedupLoader') && !names.includes('DedupLoader') && !names.includes('DedupDb'), names.join());
    assert.ok(chain.find(({ processor }) => processor === 'CdxServerDedupLoader')!.errors >= 1);
    const [revisit] = revisitsOf(await api.proxy.records());
    assert.equal(revisit?.fields.get('warc-refers-to-target-uri'), api.url('/hit'));
    assert.equal(revisit.fields.get('warc-refers-to-date'), '2020-01-02T03:04:05Z');
    assert.equal(revisit.fields.has('warc-refers-to'), false);
  });
}

test('without a dedup database everything is a response', async () => {
  await using api = await startApi('over HTTP', { dedupDbFile: '/dev/null', answer: ({ socket }) => socket.write(same()) });
  assert.deepEqual(await typesOf(api, [{}, {}]), ['response', 'response']);
});

test('a revisit is never written of what is not archived', async () => {
  await using api = await startApi('over HTTP', { answer: ({ socket }) => socket.write(same()), methodFilter: ['GET'] });
  const filtered = { meta: { 'mime-type-filters': [{ type: 'REJECT', regex: 'text/' }] } };
  const types = await typesOf(api, [{ meta: { 'warc-prefix': '-' } }, { method: 'POST', body: 'x' }, filtered, {}, {}]);
  assert.deepEqual(types, ['none', 'none', 'none', 'response', 'revisit']);
});

test('custom records are neither originals nor revisits', async () => {
  await using api = await startApi('over HTTP', { answer: ({ socket }) => socket.write(same()) });
  assert.equal((await api.write('x:1', BODY)).status, 204);
  assert.equal((await api.write('x:2', BODY)).status, 204);
  assert.deepEqual(await typesOf(api, [{}]), ['response']);
  assert.equal((await api.write('x:3', BODY)).status, 204);
  assert.deepEqual(
    principals(await api.proxy.records()).map((line) => line.split(' ')[0]),
    ['resource', 'resource', 'response', 'resource'],
  );
});

interface Cdx extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly URLSearchParams[];
  readonly headers: readonly IncomingHttpHeaders[];
}

/** @param answer status and body to a URL that is asked for */
async function startCdx(answer: (url: string) => readonly [status: number, body: string]): Promise<Cdx> {
  const asked: URLSearchParams[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://cdx');
    asked.push(searchParams);
    headers.push(request.headers);
    const [status, body] = answer(searchParams.get('url') ?? '');
    response.writeHead(status, { 'Content-Type': 'text/plain' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/cdx`,
    asked,
    headers,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

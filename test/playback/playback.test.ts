/** What the playback proxy answers, byte for byte, from files that the writer made. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { recordingLog } from '../ca/support.ts';
import { custom, exchange, STARTED } from '../warc/support.ts';
import { later, revisitOf, startPlayback, withoutMemento } from './support.ts';

const URL_A = 'http://a.example/page';
const NOT_ARCHIVED = 'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: 19\r\n\r\n';

test('an archived response comes back as it was, but for the fields of its old connection', async (t) => {
  const running = await startPlayback(t);
  const kept = 'X-Odd:  two  spaces \r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Bytes: ä\r\n';
  const dropped = 'Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nStrict-Transport-Security: max-age=1\r\n';
  const head = `HTTP/1.1 203 As It Was\r\n${kept}${dropped}Content-Length: 3\r\n\r\n`;
  await running.archive(exchange({ url: URL_A, head, body: 'abc' }));
  const answer = await running.get(URL_A);
  assert.equal(
    answer.head,
    `HTTP/1.1 203 As It Was\r\nX-Odd:  two  spaces \r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Bytes: \xc3\xa4\r\nContent-Length: 3\r\n\r\n`,
  );
  assert.equal(answer.body.toString(), 'abc');
});

test('what is not archived is 404', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A }));
  for (const url of ['http://a.example/', 'http://a.example/page?', 'http://a.example/page/', 'http://b.example/page']) {
    const { head, body } = await running.get(url);
    assert.equal(head, NOT_ARCHIVED);
    assert.equal(body.toString(), '404 Not in Archive\n');
  }
  const { head, body } = await running.get('http://b.example/', { method: 'HEAD' });
  assert.deepEqual([head, body.length], [NOT_ARCHIVED, 0]);
});

test('the latest capture answers, whatever the order in which captures were written', async (t) => {
  const running = await startPlayback(t);
  await running.archive(later(5, { url: URL_A, body: 'new' }), later(1, { url: URL_A, body: 'old' }));
  await running.archive(later(2, { url: URL_A, body: 'older' }));
  assert.equal((await running.get(URL_A)).body.toString(), 'new');
  await running.archive(later(6, { url: URL_A, body: 'newest' }));
  assert.equal((await running.get(URL_A)).body.toString(), 'newest');
});

test('of captures of one millisecond the one written last answers', async (t) => {
  const running = await startPlayback(t);
  for (const body of ['one', 'two', 'three']) {
    await running.archive(exchange({ url: URL_A, body }));
    assert.equal((await running.get(URL_A)).body.toString(), body);
  }
});

for (const gzip of [false, true]) {
  const suffix = gzip ? 'warc.gz' : 'warc';
  test(`files being written and files closed are read alike (.${suffix})`, async (t) => {
    const running = await startPlayback(t, { gzip });
    const big = Buffer.alloc(3_000_000, 'abcdefghij');
    await running.archive(exchange({ url: URL_A, body: 'small' }), exchange({ url: 'http://a.example/big', body: big }));
    assert.deepEqual(readdirSync(running.dir), [`WARCPROX-00000.${suffix}.open`]);
    const ask = async () => {
      assert.equal((await running.get(URL_A)).body.toString(), 'small');
      assert.ok((await running.get('http://a.example/big')).body.equals(big));
    };
    await ask();
    await running.closeFiles();
    assert.deepEqual(readdirSync(running.dir), [`WARCPROX-00000.${suffix}`]);
    await ask();
  });
}

test('files in a folder per prefix are found', async (t) => {
  const running = await startPlayback(t, { subdirPrefix: true });
  await running.archive({ ...exchange({ url: URL_A, body: 'in a folder' }), warcPrefix: 'job' });
  assert.deepEqual(readdirSync(join(running.dir, 'job')), ['job-00000.warc.open']);
  assert.equal((await running.get(URL_A)).body.toString(), 'in a folder');
});

test('what was not archived, and what failed, is not indexed', async (t) => {
  const running = await startPlayback(t);
  await running.archive({ ...exchange({ url: URL_A }), warcPrefix: '-' });
  assert.equal((await running.get(URL_A)).status, 404);
});

const CHUNKS = '5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer-Field: x\r\n\r\n';
const CHUNKED_HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Trailer-Field\r\n\r\n';

test('chunks stay as they were, with extensions and trailers, and the connection goes on', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, head: CHUNKED_HEAD, body: CHUNKS, payload: 'hello world' }));
  using client = await RawClient.connect(running.port);
  for (let i = 0; i < 3; i++) {
    client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal(withoutMemento(await client.head()), CHUNKED_HEAD);
    assert.equal((await client.bytes(CHUNKS.length)).toString(), CHUNKS);
  }
});

test('a client of HTTP/1.0 gets chunks as payload, until the connection closes', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, head: CHUNKED_HEAD, body: CHUNKS, payload: 'hello world' }));
  using client = await RawClient.connect(running.port);
  client.send(`GET ${URL_A} HTTP/1.0\r\n\r\n`);
  assert.equal(withoutMemento((await client.rest()).toString()), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world');
});

test('a body that lasted as long as its connection does so again', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, head: 'HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\n', body: 'until the end' }));
  using client = await RawClient.connect(running.port);
  client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.equal(
    withoutMemento((await client.rest()).toString()),
    'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\nuntil the end',
  );
});

test('an archived 204 has no body, is never promised one (RFC 9110 §8.6), and keeps the connection', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, head: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', body: '' }));
  using client = await RawClient.connect(running.port);
  for (let i = 0; i < 2; i++) {
    client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal(withoutMemento(await client.head()), 'HTTP/1.1 204 No Content\r\n\r\n');
  }
});

for (const [name, head, body] of [
  ['length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n', 'only this'],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n', '9\r\nonly this\r\n5\r\nhe'],
  ['connection', 'HTTP/1.1 200 OK\r\n', 'only this'],
] as const) {
  test(`of a truncated response framed by its ${name} comes what is there, then the connection closes`, async (t) => {
    const running = await startPlayback(t);
    await running.archive(exchange({ url: URL_A, head: `${head}\r\n`, body, truncated: 'disconnect' }));
    using client = await RawClient.connect(running.port);
    client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal(withoutMemento((await client.rest()).toString()), `${head}Connection: close\r\n\r\n${body}`);
  });
}

test('HEAD gets the head alone, and the connection goes on', async (t) => {
  const running = await startPlayback(t);
  const heads = new Map([
    ['http://a.example/length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['http://a.example/chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['http://a.example/close', 'HTTP/1.1 200 OK\r\nX: y\r\n\r\n'],
  ]);
  await running.archive(...[...heads].map(([url, head]) => exchange({ url, head, body: '5\r\nhello\r\n0\r\n\r\n' })));
  using client = await RawClient.connect(running.port);
  for (const [url, head] of heads) {
    client.send(`HEAD ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal(withoutMemento(await client.head()), head);
  }
});

test('a capture by HEAD answers HEAD only', async (t) => {
  const running = await startPlayback(t);
  const headOf = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  await running.archive(later(1, { url: URL_A, method: 'HEAD', head: headOf(7), body: '' }));
  assert.equal((await running.get(URL_A)).status, 404);
  assert.equal((await running.get(URL_A, { method: 'HEAD' })).head, headOf(7));
  await running.archive(later(2, { url: URL_A, head: headOf(5), body: 'hello' }));
  assert.equal((await running.get(URL_A, { method: 'HEAD' })).head, headOf(5));
  await running.archive(later(3, { url: URL_A, method: 'HEAD', head: headOf(8), body: '' }));
  assert.equal((await running.get(URL_A, { method: 'HEAD' })).head, headOf(8));
  assert.equal((await running.get(URL_A)).body.toString(), 'hello');
});

const LENGTH = 'HTTP/1.1 200 Revisited\r\nContent-Length: 11\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 Revisited\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n';
const CHUNKED_ANEW = 'HTTP/1.1 200 Revisited\r\nTransfer-Encoding: chunked\r\n\r\n';
const CLOSE = 'HTTP/1.1 200 Revisited\r\n\r\n';
const ORIGINALS = [
  ['a length', LENGTH, 'hello world'],
  ['chunks', CHUNKED, CHUNKS],
  ['its connection', CLOSE, 'hello world'],
] as const;

for (const [originalFraming, originalHead, originalBody] of ORIGINALS) {
  test(`a revisit has its own head and the payload of its original, which was framed by ${originalFraming}`, async (t) => {
    const running = await startPlayback(t, { gzip: true });
    const original = exchange({ url: 'http://o.example/', head: originalHead, body: originalBody, payload: 'hello world' });
    await running.archive(original);
    const revisit = (url: string, head: string, body: string) => revisitOf(original, { url, head, body, payload: 'hello world' });
    await running.archive(
      revisit('http://r.example/length', LENGTH, 'hello world'),
      revisit('http://r.example/chunks', CHUNKED, CHUNKS),
      revisit('http://r.example/close', CLOSE, 'hello world'),
    );

    const length = await running.get('http://r.example/length');
    assert.deepEqual([length.head, length.body.toString()], [LENGTH, 'hello world']);

    const chunks = await running.get('http://r.example/chunks');
    assert.equal(chunks.head, CHUNKED_ANEW);
    const expected = originalFraming === 'chunks' ? '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n' : 'b\r\nhello world\r\n0\r\n\r\n';
    assert.equal(chunks.body.toString(), expected);

    const close = await running.get('http://r.example/close');
    assert.deepEqual([close.head, close.body.toString()], ['HTTP/1.1 200 Revisited\r\nConnection: close\r\n\r\n', 'hello world']);

    assert.equal((await running.get('http://r.example/chunks', { method: 'HEAD' })).head, CHUNKED_ANEW);

    using old = await RawClient.connect(running.port);
    old.send('GET http://r.example/chunks HTTP/1.0\r\n\r\n');
    assert.equal(withoutMemento((await old.rest()).toString()), 'HTTP/1.1 200 Revisited\r\nConnection: close\r\n\r\nhello world');
  });
}

test('a revisit of its own URL shows the original that is not the latest any more', async (t) => {
  const running = await startPlayback(t);
  const original = exchange({ url: URL_A, body: 'same' });
  await running.archive(original);
  await running.archive(revisitOf(original, { url: URL_A, head: 'HTTP/1.1 200 Again\r\nContent-Length: 4\r\n\r\n', body: 'same' }));
  const { head, body } = await running.get(URL_A);
  assert.deepEqual([head.split('\r\n')[0], body.toString()], ['HTTP/1.1 200 Again', 'same']);
});

for (const version of ['1.1', '1.0'] as const) {
  test(`an original that is known by URL and date alone is found among others of that second (WARC/${version})`, async (t) => {
    const running = await startPlayback(t, { version });
    const originals = ['first', 'other', 'third'].map((body) => exchange({ url: 'http://o.example/', body }));
    await running.archive(...originals);
    const revisit = later(9, {
      url: URL_A,
      body: 'other',
      duplicateOf: { recordId: '', url: 'http://o.example/', date: `${STARTED.toISOString().slice(0, 19)}Z` },
    });
    await running.archive(revisit);
    assert.equal((await running.get(URL_A)).body.toString(), 'other');
  });
}

test('a revisit whose original is not in the archive is 404, and the log says why', async (t) => {
  const { log, lines } = recordingLog();
  const running = await startPlayback(t, { log });
  const duplicateOf = { recordId: '<urn:uuid:gone>', url: 'http://o.example/', date: STARTED.toISOString() };
  await running.archive(exchange({ url: URL_A, duplicateOf }));
  assert.equal((await running.get(URL_A)).head, NOT_ARCHIVED);
  const warnings = lines.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    warnings.map(({ message }) => message),
    ['the original of an archived revisit is not in the index'],
  );
});

test('chunks that only a lenient reader understands come as they are, then the connection closes', async (t) => {
  const running = await startPlayback(t);
  const chunks = '5\nhello\n0\n\n';
  await running.archive(exchange({ url: URL_A, head: CHUNKED_HEAD, body: chunks, payload: 'hello' }));
  using client = await RawClient.connect(running.port);
  client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(2));
  assert.equal(withoutMemento((await client.rest()).toString()), CHUNKED_HEAD + chunks);
});

test('a response that a client wrote too short announces the end of the connection', async (t) => {
  const running = await startPlayback(t);
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort';
  await running.archive(custom('response', 'application/http;msgtype=response', response, URL_A));
  using client = await RawClient.connect(running.port);
  client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(2));
  assert.equal(withoutMemento((await client.rest()).toString()), 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nshort');
});

for (const [length, sent] of [
  [8, 'half'],
  [3, ''],
] as const) {
  test(`a payload of 4 bytes whose revisit says ${length} ends the connection`, async (t) => {
    const running = await startPlayback(t);
    const original = exchange({ url: 'http://o.example/', body: 'half' });
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
    await running.archive(original);
    await running.archive(revisitOf(original, { url: URL_A, head, body: 'half' }));
    using client = await RawClient.connect(running.port);
    client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(2));
    assert.equal(withoutMemento((await client.rest()).toString()), head + sent);
  });
}

test('the payload of a truncated original is cut off, not padded', async (t) => {
  const running = await startPlayback(t);
  const original = exchange({ url: 'http://o.example/', body: 'half', truncated: 'length' });
  await running.archive(original);
  await running.archive(revisitOf(original, { url: URL_A, head: 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n', body: 'half' }));
  using client = await RawClient.connect(running.port);
  client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.equal(withoutMemento((await client.rest()).toString()), 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nhalf');
});

test('other records come as 200 with their type and length, whatever URI they have', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    custom('resource', 'image/png', 'a picture', 'screenshot:http://a.example/'),
    custom('metadata', 'text/plain', 'notes', 'http://fake.example/'),
    custom('response', 'text/dns', 'a.example. 60 IN A 127.0.0.1', 'dns:a.example'),
    custom('response', 'application/http;msgtype=response', 'no HTTP at all', 'http://fake.example/response'),
  );
  const headOf = (type: string, length: number) => `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
  for (const [url, type, text] of [
    ['screenshot:http://a.example/', 'image/png', 'a picture'],
    ['http://fake.example/', 'text/plain', 'notes'],
    ['dns:a.example', 'text/dns', 'a.example. 60 IN A 127.0.0.1'],
    ['http://fake.example/response', 'application/http;msgtype=response', 'no HTTP at all'],
  ] as const) {
    const { head, body } = await running.get(url);
    assert.deepEqual([head, body.toString()], [headOf(type, text.length), text]);
    assert.equal((await running.get(url, { method: 'HEAD' })).head, head);
  }
});

test('an entry whose file is gone, cut off or replaced is 404, and the log says so', async (t) => {
  const { log, lines } = recordingLog();
  const running = await startPlayback(t, { log });
  const ask = async () => {
    const before = lines.length;
    const answer = await running.get(URL_A);
    assert.equal(answer.head, NOT_ARCHIVED);
    return lines.slice(before).find(({ level }) => level === 'warn')?.message;
  };
  await running.archive(exchange({ url: URL_A }));
  await running.closeFiles();
  const file = join(running.dir, 'WARCPROX-00000.warc');
  assert.equal((await running.get(URL_A)).status, 200);

  truncateSync(file, 10);
  assert.equal(await ask(), 'archived record not found: the file ends before it');
  writeFileSync(file, 'x'.repeat(5000));
  assert.match((await ask()) ?? '', /^archived record not found: .+ does not begin with a WARC version$/);
  rmSync(file);
  assert.equal(await ask(), 'archived record not found: its file is gone');
});

test('a place where another record stands by now is 404', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A }));
  const lanes = ['GET whole'];
  const place = await running.index.find(URL_A, 'GET whole', 'last');
  await running.index.save([{ ...place!, url: 'http://b.example/', method: 'GET', lanes, recordId: '<urn:uuid:another>' }]);
  assert.equal((await running.get('http://b.example/')).status, 404);
});

test('a capture whose file is gone gives way to the one before it', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    later(1, { url: URL_A, body: 'early' }),
    later(4, { url: URL_A, head: 'HTTP/1.1 302 Away\r\nContent-Length: 0\r\n\r\n', body: '' }),
  );
  await running.archive({ ...later(2, { url: URL_A, body: 'late' }), warcPrefix: 'LOST' });
  await running.closeFiles();
  assert.equal((await running.get(URL_A)).body.toString(), 'late');
  rmSync(join(running.dir, 'LOST-00000.warc'));
  assert.equal((await running.get(URL_A)).body.toString(), 'early');
});

/**
 * `WARCPROX_WRITE_RECORD` and `PUTMETA`: records that clients send. Read back by warcio.
 *
 * Source: spec/warcprox.md §3 (custom), §8.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answered, metaLine, startApi, WAYS, type Api } from '../support/api.ts';
import { okHead, refusal } from '../support/messages.ts';
import type { TestRecord } from '../support/proxy.ts';

const dir = mkdtempSync(join(tmpdir(), 'warctap-test-records-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));

const sha1 = (body: string | Buffer) => `sha1:${createHash('sha1').update(body).digest('hex')}`;

function assertCustom(record: TestRecord | undefined, type: string, url: string, contentType: string, body: Buffer | string): void {
  assert.ok(record);
  const { 'warc-record-id': id, 'warc-date': date, ...fields } = Object.fromEntries(record.fields);
  assert.deepEqual(fields, {
    'warc-type': type,
    'warc-target-uri': url,
    'content-type': contentType,
    'content-length': String(Buffer.byteLength(body)),
    'warc-block-digest': sha1(body),
    'warc-payload-digest': sha1(body),
  });
  assert.match(id ?? '', /^<urn:uuid:[0-9a-f-]{36}>$/);
  assert.match(date ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(record.block.equals(Buffer.from(body)));
}

const fieldsOf = (type: string, contentType: string) => ({ more: `WARC-Type: ${type}\r\nContent-Type: ${contentType}\r\n` });

for (const way of WAYS) {
  test(`a record is written with the type, content type and bytes that it was sent with, ${way}`, async () => {
    await using api = await startApi(way);
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256));
    const types = ['resource', 'metadata', 'conversion', 'response', 'request', 'revisit', 'continuation'];
    const uris = [
      'screenshot:https://example.com/a?b#c',
      'urn:uuid:6d058047-ede2-4a13-be79-90c17c631dd4',
      'https://example.com/%C3%A9?x=[1]&y={2|3}^`\\',
      'youtube-dl:00001:http://example.com/',
      'X-Y.z+1:a',
      'thumbnail:http://EXAMPLE.com:80',
      api.url('/like-a-real-one'),
    ];
    for (const [nth, type] of types.entries()) {
      const { text } = await api.write(uris[nth]!, bytes, fieldsOf(type, `image/x-${nth}; a="b c"`));
      assert.equal(text, 'HTTP/1.1 204 No Content\r\n\r\n');
    }
    assert.equal(api.origin.connections, 0);
    const records = await api.proxy.records();
    assert.equal(records.length, types.length);
    for (const [nth, type] of types.entries()) assertCustom(records[nth], type, uris[nth]!, `image/x-${nth}; a="b c"`, bytes);
  });

  test(`PUTMETA writes a metadata record, ${way}`, async () => {
    await using api = await startApi(way);
    const more = 'Content-Type: application/json\r\n';
    const { text } = await api.write('https://example.com/meta', '{"a":1}', { method: 'PUTMETA', more });
    assert.equal(text, 'HTTP/1.1 204 No Content\r\n\r\n');
    const typed = { method: 'PUTMETA', ...fieldsOf('metadata', 'text/plain') };
    assert.equal((await api.write('https://example.com/typed', 'b', typed)).status, 204);
    const records = await api.proxy.records();
    assert.equal(records.length, 2);
    assertCustom(records[0], 'metadata', 'https://example.com/meta', 'application/json', '{"a":1}');
    assertCustom(records[1], 'metadata', 'https://example.com/typed', 'text/plain', 'b');
  });

  test(`the record is in the file when 204 comes, ${way}`, async () => {
    await using api = await startApi(way);
    for (let nth = 0; nth < 20; nth++) {
      assert.equal((await api.write(`x:${nth}`, `unmistakable ${nth};`)).status, 204);
      assert.ok((await everythingIn(api)).includes(`\r\n\r\nunmistakable ${nth};\r\n\r\n`), String(nth));
    }
  });

  test(`a connection carries records and requests by turns, ${way}`, async () => {
    await using api = await startApi(way);
    using client = await api.connect();
    const record = (uri: string, body: string) =>
      api.request(uri, { method: 'WARCPROX_WRITE_RECORD', ...fieldsOf('resource', 'text/plain'), body });
    client.send(Buffer.concat([record('x:1', 'one'), api.request('/a'), record('x:2', 'two'), record('x:3', ''), api.request('/b')]));
    const texts: string[] = [];
    for (let i = 0; i < 5; i++) texts.push((await answered(client)).text);
    const written = 'HTTP/1.1 204 No Content\r\n\r\n';
    assert.deepEqual(texts, [written, `${okHead()}/a`, written, written, `${okHead()}/b`]);
    await api.proxy.captured(5);
    const records = (await api.proxy.records()).filter(({ type }) => type === 'resource');
    assert.deepEqual(
      records.map(({ url, block }) => [url, block.toString()]),
      [
        ['x:1', 'one'],
        ['x:2', 'two'],
        ['x:3', ''],
      ],
    );
  });

  test(`a chunked record is written without its chunks, ${way}`, async () => {
    await using api = await startApi(way);
    using client = await api.connect();
    const head = api.request('x:chunked', {
      method: 'WARCPROX_WRITE_RECORD',
      more: 'WARC-Type: resource\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n',
    });
    client.send(head);
    for (const piece of ['5;ext=1\r\nhello\r\n', '1', '\r\n \r\n', '5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n']) client.send(piece);
    assert.equal((await answered(client)).status, 204);
    const [record] = await api.proxy.records();
    assertCustom(record, 'resource', 'x:chunked', 'text/plain', 'hello world');
  });

  test(`a record larger than memory is kept, and its sender is held back, not refused, ${way}`, async () => {
    await using api = await startApi(way, { tmpFileMaxMemorySize: 1000 });
    const body = Buffer.alloc(20_000_000, 'abcdefghijk');
    assert.equal((await api.write('x:large', body)).status, 204);
    const [record] = await api.proxy.records();
    assertCustom(record, 'resource', 'x:large', 'image/png', body);
  });

  test(`Expect: 100-continue is answered by the proxy itself, ${way}`, async () => {
    await using api = await startApi(way);
    using client = await api.connect();
    const more = 'WARC-Type: resource\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n';
    const request = api.request('x:y', { method: 'WARCPROX_WRITE_RECORD', more, body: 'hello' });
    client.send(request.subarray(0, -5));
    assert.equal(await client.head(), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    assert.equal((await answered(client)).status, 204);
  });

  test(`Warcprox-Meta applies: prefix, capture-metadata asked for, statistics, ${way}`, async () => {
    await using api = await startApi(way);
    const meta = { 'warc-prefix': 'PUSHED', stats: { buckets: ['pushed'] } };
    assert.equal((await api.write('x:1', 'one', { meta })).status, 204);
    const { body } = await api.write('x:1', 'one', { meta: { ...meta, limits: { 'pushed/new/wire_bytes': 3 } } });
    assert.equal(body, 'request rejected by warcprox: reached limit pushed/new/wire_bytes=3\n');
    await api.proxy.records();
    assert.deepEqual(
      (await readdir(join(api.proxy.dir, 'warcs'))).map((name) => name.slice(0, 7)),
      ['PUSHED-'],
    );
  });

  test(`a client that asks for more than can be had is told which field it is, ${way}`, async () => {
    await using api = await startApi(way);
    const types = 'warcinfo, response, resource, request, metadata, revisit, conversion, continuation';
    const cases: readonly (readonly [uri: string, more: string, line: string, method?: string])[] = [
      ['x:y', 'Content-Type: a/b\r\n', 'WARCPROX_WRITE_RECORD without WARC-Type'],
      ['x:y', 'WARC-Type: resource\r\n', 'WARCPROX_WRITE_RECORD without Content-Type'],
      ['x:y', '', 'PUTMETA without Content-Type', 'PUTMETA'],
      ['x:y', 'WARC-Type: picture\r\nContent-Type: a/b\r\n', `WARC-Type not known, expected one of ${types}: "picture"`],
      ['x:y', 'WARC-Type: \r\nContent-Type: a/b\r\n', `WARC-Type not known, expected one of ${types}: ""`],
      ['no-uri', 'WARC-Type: resource\r\nContent-Type: a/b\r\n', 'request target is no URI, which WARC-Target-URI has to be: "no-uri"'],
      ['/path', 'WARC-Type: resource\r\nContent-Type: a/b\r\n', 'request target is no URI, which WARC-Target-URI has to be: "/path"'],
      ['*', 'WARC-Type: resource\r\nContent-Type: a/b\r\n', 'request target is no URI, which WARC-Target-URI has to be: "*"'],
      ['1x:y', 'WARC-Type: resource\r\nContent-Type: a/b\r\n', 'request target is no URI, which WARC-Target-URI has to be: "1x:y"'],
      ['x:', 'WARC-Type: resource\r\nContent-Type: a/b\r\n', 'request target is no URI, which WARC-Target-URI has to be: "x:"'],
      ['no uri', 'WARC-Type: resource\r\nContent-Type: a/b\r\n', 'request target is no URI, which WARC-Target-URI has to be: "no uri"'],
    ];
    for (const [uri, more, line, method = 'WARCPROX_WRITE_RECORD'] of cases) {
      using client = await api.connect();
      client.send(`${method} ${uri} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n${more}\r\nabc`);
      assert.equal((await answered(client, method)).text, refusal('400 Bad Request', line));
    }
    for (const method of ['WARCPROX_WRITE_RECORD', 'PUTMETA']) {
      using client = await api.connect();
      client.send(`${method} x:y HTTP/1.1\r\nHost: x\r\nWARC-Type: metadata\r\nContent-Type: a/b\r\n\r\n`);
      assert.equal((await answered(client)).text, refusal('400 Bad Request', `${method} without Content-Length`));
    }
    assert.deepEqual(await api.proxy.records(), []);
  });

  test(`a record that ends before its Content-Length is not written, ${way}`, async () => {
    await using api = await startApi(way);
    using client = await api.connect();
    const request = api.request('x:short', { method: 'WARCPROX_WRITE_RECORD', ...fieldsOf('resource', 'a/b'), body: 'four' });
    client.socket.end(request.subarray(0, -1));
    assert.equal((await client.rest()).toString(), refusal('400 Bad Request', 'request ended before its body was complete'));
    using other = await api.connect();
    other.send(Buffer.concat([request.subarray(0, -8), Buffer.from('Content-Length: 5\r\n\r\nfour')]));
    assert.equal((await answered(other)).status, 400);
    assert.deepEqual(await api.proxy.records(), []);
  });

  test(`what is not to be archived is answered 204 and counted, and not written: ${way}`, async () => {
    const plugin = join(dir, 'drop.mjs');
    writeFileSync(
      plugin,
      `export default () => ({ name: 'Drop', position: 'early', process(batch) {
        for (const capture of batch) if (capture.url === 'x:dropped') capture.outcome.archive = false;
      } });\n`,
    );
    await using api = await startApi(way, { plugin: [plugin] });
    const stats = { buckets: ['pushed'] };
    const unwanted: readonly [uri: string, meta: object][] = [
      ['x:prefix', { 'warc-prefix': '-' }],
      ['x:rejected', { 'mime-type-filters': [{ type: 'REJECT', regex: 'image/' }] }],
      ['x:limited', { 'mime-type-filters': [{ type: 'LIMIT', regex: 'text/' }] }],
      ['x:dropped', {}],
    ];
    for (const [uri, meta] of unwanted) {
      assert.equal((await api.write(uri, 'z', { meta: { stats, ...meta } })).text, 'HTTP/1.1 204 No Content\r\n\r\n', uri);
    }
    assert.equal((await api.status()).urls_processed, 4);
    const { body } = await api.write('x:y', 'z', { meta: { stats, limits: { 'pushed/total/urls': 4 } } });
    assert.equal(body, 'request rejected by warcprox: reached limit pushed/total/urls=4\n');
    assert.deepEqual(await api.proxy.records(), []);
  });

  test(`a URI is written percent-encoded where it has to be, whatever the client leaves in it, ${way}`, async () => {
    await using api = await startApi(way);
    const uris = [
      ['screenshot:https://example.com/?q="exact"', 'screenshot:https://example.com/?q=%22exact%22'],
      ['thumbnail:https://example.com/<a b>  HTTP/1.1', 'thumbnail:https://example.com/%3Ca%20b%3E%20%20HTTP/1.1'],
      ['https://example.com/a#"b"', 'https://example.com/a#%22b%22'],
      ['https://example.com?"', 'https://example.com/?%22'],
      ['screenshot:http://user:secret@example.com/', 'screenshot:http://example.com/'],
    ] as const;
    for (const [uri] of uris) assert.equal((await api.write(uri, 'z')).status, 204);
    assert.equal((await api.write('x:put meta', 'z', { method: 'PUTMETA', more: 'Content-Type: a/b\r\n' })).status, 204);
    assert.deepEqual(
      (await api.proxy.records()).map(({ url }) => url),
      [...uris.map(([, written]) => written), 'x:put%20meta'],
    );
  });

  test(`custom records are written whatever --method-filter says, ${way}`, async () => {
    await using api = await startApi(way, { methodFilter: ['GET'] });
    assert.equal((await api.write('x:y', 'z')).status, 204);
    assert.equal((await api.write('x:y', 'z', { method: 'PUTMETA', more: 'Content-Type: a/b\r\n' })).status, 204);
    assert.equal((await api.proxy.records()).length, 2);
  });
}

test('UTF-8 stays UTF-8 in the content type, and is percent-encoded in the URI', async () => {
  await using api = await startApi('over HTTP');
  const utf8 = (text: string) => Buffer.from(text).toString('latin1');
  assert.equal((await api.write(utf8('x:É'), 'z', fieldsOf('resource', utf8('text/plain; name="É"')))).status, 204);
  const [record] = await api.proxy.records();
  assertCustom(record, 'resource', 'x:%C3%89', 'text/plain; name="É"', 'z');
});

test('a client that leaves before the end of its record leaves nothing', async () => {
  await using api = await startApi('over HTTP');
  using client = await api.connect();
  const request = api.request('x:y', { method: 'WARCPROX_WRITE_RECORD', ...fieldsOf('resource', 'a/b'), body: 'four' });
  client.send(request.subarray(0, -1));
  client.socket.resetAndDestroy();
  assert.equal((await api.write('x:z', 'z')).status, 204);
  assert.deepEqual(
    (await api.proxy.records()).map(({ url }) => url),
    ['x:z'],
  );
});

test('records at once are all written, each once', async () => {
  await using api = await startApi('over HTTP');
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => api.write(`x:${i}`, `body ${i}`)));
  assert.ok(answers.every(({ status }) => status === 204));
  const records = await api.proxy.records();
  assert.equal(new Set(records.map(({ url, block }) => `${url} ${block.toString()}`)).size, 200);
  assert.equal(records.length, 200);
});

test('a malformed Warcprox-Meta is told before the body is read', async () => {
  await using api = await startApi('over HTTP');
  using client = await api.connect();
  const head = 'WARCPROX_WRITE_RECORD x:y HTTP/1.1\r\nHost: x\r\nWARC-Type: resource\r\nContent-Type: a/b\r\nContent-Length: 1000000\r\n';
  client.send(Buffer.concat([Buffer.from(head), metaLine('x'), Buffer.from('\r\nstart')]));
  assert.match((await client.rest()).toString(), /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nWarcprox-Meta: expected JSON, got "x"\n$/);
});

async function everythingIn(api: Api): Promise<Buffer> {
  const dir = join(api.proxy.dir, 'warcs');
  return Buffer.concat(await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name)))));
}

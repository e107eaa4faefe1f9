import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capture, ExchangeCapture } from '../../src/capture/capture.ts';
import type { WrittenRecord } from '../../src/warc/record.ts';
import { NO_META, type Meta } from '../../src/meta/meta.ts';
import { crawlLogLine } from '../../src/archive/crawl-log-line.ts';
import { custom, exchange, failure, sha1 } from '../warc/support.ts';

const LOGGED = new Date('2024-02-03T04:05:07.001Z');
const FIELDS = ['time', 'status', 'size', 'url', 'hops', 'via', 'type', 'none', 'fetch', 'digest', 'seed', 'duplicate', 'info'] as const;

/** The 13 fields of a line, and its JSON read. */
function fieldsOf(capture: Capture): Record<(typeof FIELDS)[number], string> & { json: Record<string, unknown> } {
  const line = crawlLogLine(capture, LOGGED);
  assert.match(line, /^[ -~]+\n$/);
  const parts = line.trimEnd().split(/ +/);
  assert.equal(parts.length, FIELDS.length, line);
  const fields = Object.fromEntries(FIELDS.map((name, index) => [name, parts[index]])) as Record<(typeof FIELDS)[number], string>;
  return { ...fields, json: JSON.parse(fields.info) as Record<string, unknown> };
}

function asked(metadata: Partial<Meta['metadata']>): { meta: Meta } {
  return { meta: { ...NO_META, metadata: { ...NO_META.metadata, ...metadata } } };
}

function written(type: string, filename = 'P-00000.warc'): { outcome: Capture['outcome'] } {
  const record: WrittenRecord = {
    id: '<urn:uuid:1>',
    type,
    date: '2024-02-03T04:05:06.789Z',
    filename,
    path: filename,
    offset: 942,
    length: 100,
  };
  return { outcome: { archive: true, records: [record, { ...record, type: 'request', offset: 2000 }] } };
}

function answered(changes: Partial<ExchangeCapture['response']>): ExchangeCapture {
  const capture = exchange();
  return { ...capture, response: { ...capture.response, ...changes } };
}

test('an exchange that was archived, byte for byte', () => {
  const capture: Capture = { ...exchange({ url: 'http://example.com/a?b' }), ...written('response'), referer: 'http://example.com/' };
  assert.equal(
    crawlLogLine({ ...capture, ...asked({ seed: 'http://seed.example/' }) }, LOGGED),
    '2024-02-03T04:05:07.001Z   200          5 http://example.com/a?b - http://example.com/ text/plain - 20240203040506789+012 ' +
      `${sha1('hello')} http://seed.example/ - {"contentSize":69,"warcFilename":"P-00000.warc","warcFileOffset":942}\n`,
  );
});

test('an exchange that was not archived has no place in a file', () => {
  assert.deepEqual(fieldsOf(exchange()).json, { contentSize: 69 });
});

test('the body size is that on the wire, chunks included, and the payload digest that of the payload', () => {
  const chunks = '5\r\nhello\r\n0\r\n\r\n';
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const { size, digest, json } = fieldsOf(exchange({ head, body: chunks, payload: 'hello' }));
  assert.deepEqual([size, digest, json.contentSize], [String(chunks.length), sha1('hello'), head.length + chunks.length]);
});

test('a revisit is a duplicate', () => {
  assert.equal(fieldsOf({ ...exchange(), ...written('revisit') }).duplicate, 'duplicate:digest');
  assert.equal(fieldsOf({ ...exchange(), ...written('response') }).duplicate, '-');
});

test('a custom record shows its own length, type and digest, its method and status 204', () => {
  const line = crawlLogLine({ ...custom('metadata', 'image/png;x=y', 'abc', 'screenshot:http://x/'), ...written('metadata') }, LOGGED);
  assert.equal(
    line,
    `2024-02-03T04:05:07.001Z   204          3 screenshot:http://x/ - - image/png - 20240203040506789+000 ${sha1('abc')} - - ` +
      '{"contentSize":3,"warcFilename":"P-00000.warc","warcFileOffset":942,"method":"WARCPROX_WRITE_RECORD"}\n',
  );
});

test('a failure has an artificial status, no sizes, no times, and says why', () => {
  const line = crawlLogLine({ ...failure(), referer: 'http://r.example/', method: 'POST' }, LOGGED);
  assert.equal(
    line,
    '2024-02-03T04:05:07.001Z    -6          0 http://example.com/ - http://r.example/ unknown - - - - - ' +
      '{"exception":"not-resolved","exceptionMessage":"no_such_host","method":"POST"}\n',
  );
});

for (const [code, status] of [
  ['not-resolved', '-6'],
  ['not-connected', '-2'],
  ['connect-timeout', '-2'],
  ['response-timeout', '-2'],
  ['proxy-failed', '-2'],
  ['failed-before', '-404'],
  ['tls-failed', '-404'],
  ['empty-response', '-404'],
  ['invalid-response', '-404'],
  ['forbidden-address', '-404'],
  ['request-aborted', '-404'],
  ['shutting-down', '-404'],
] as const) {
  test(`a fetch that failed as ${code} has status ${status}`, () => {
    assert.equal(fieldsOf({ ...failure(), error: Object.assign(new Error('x'), { code }) }).status, status);
  });
}

test('what the failure cache answered is called as warcprox calls it', () => {
  const error = Object.assign(new Error('connection failed before'), { code: 'failed-before' });
  assert.equal(fieldsOf({ ...failure(), error }).json.exception, 'Cached_Failed_Connection');
});

test('a message of several lines stays on one', () => {
  const error = Object.assign(new Error('no\nsuch host\u2028at all ü'), { code: 'not-resolved' });
  assert.equal(fieldsOf({ ...failure(), error }).json.exceptionMessage, 'no\nsuch_host\u2028at_all_ü');
});

test('a file name with spaces is read back whole', () => {
  const { json, info } = fieldsOf({ ...exchange(), ...written('response', 'my own – files.warc') });
  assert.equal(json.warcFilename, 'my own – files.warc');
  assert.ok(!info.includes(' '));
});

test('a duration has at least three digits and is not cut off at a second', () => {
  const fetchOf = (durationMs: number) => fieldsOf({ ...exchange(), durationMs }).fetch;
  assert.deepEqual([0, 7, 999, 12_345].map(fetchOf), [
    '20240203040506789+000',
    '20240203040506789+007',
    '20240203040506789+999',
    '20240203040506789+12345',
  ]);
});

for (const [contentType, shown] of [
  [undefined, 'unknown'],
  ['', 'unknown'],
  [';charset=utf-8', 'unknown'],
  ['text/html; charset=utf-8', 'text/html'],
  ['text/html charset', 'text/html'],
  ['text/\x01\xe4', 'text/%01%E4'],
] as const) {
  test(`the content type ${JSON.stringify(contentType)} is shown as ${shown}`, () => {
    assert.equal(fieldsOf(answered({ contentType })).type, shown);
  });
}

test('nothing that a client sends can break the line or its fields', () => {
  const hostile = 'a b\n2024 200\r\tc\u0085\u2028\ud800ü';
  const fields = fieldsOf({
    ...custom('metadata', `${hostile}/x`, 'abc', `urn:${hostile}`),
    ...asked({ seed: hostile, hopPath: hostile, hopViaUrl: hostile }),
  });
  assert.equal(fields.url, 'urn:a%20b%0A2024%20200%0D%09c%C2%85%E2%80%A8%EF%BF%BD%C3%BC');
  assert.equal(fields.seed, fields.url.slice('urn:'.length));
  assert.equal(fields.hops, fields.seed);
  assert.equal(fields.via, fields.seed);
  assert.equal(fields.type, 'a');
});

test('the bytes of a referer are percent-encoded as they came', () => {
  assert.equal(fieldsOf({ ...exchange(), referer: 'http://r.example/\xc3\xa4 x' }).via, 'http://r.example/%C3%A4%20x');
});

const PAGE = 'http://example.com/';
for (const [name, metadata, referer, hops, via] of [
  ['nothing', {}, undefined, '-', '-'],
  ['a referer alone', {}, 'http://r.example/', '-', 'http://r.example/'],
  ['a hop path alone', { hopPath: 'LL' }, undefined, 'LL', '-'],
  ['a hop path and a referer', { hopPath: 'LL' }, 'http://r.example/', 'LL', 'http://r.example/'],
  ['a hop path and a via', { hopPath: 'LL', hopViaUrl: 'http://via.example/' }, undefined, 'LL', 'http://via.example/'],
  ['a hop path, a via and a referer', { hopPath: 'L', hopViaUrl: 'http://v/' }, 'http://r.example/', 'L', 'http://r.example/'],
  ['a via without a hop path', { hopViaUrl: 'http://via.example/' }, 'http://r.example/', '-', '-'],
  ['the browsed page itself', { brozzledUrl: PAGE }, 'http://r.example/', '-', '-'],
  ['the browsed page itself with a hop path', { brozzledUrl: PAGE, hopPath: 'L' }, 'http://r.example/', 'L', 'http://r.example/'],
  ['another page', { brozzledUrl: 'http://page.example/' }, 'http://r.example/', 'B', 'http://page.example/'],
  ['another page with a hop path', { brozzledUrl: 'http://p.example/', hopPath: 'LR' }, 'http://r/', 'LRB', 'http://p.example/'],
  ['a via that is not ASCII', { hopPath: 'L', hopViaUrl: 'http://exämple.com/a b' }, undefined, 'L', 'http://xn--exmple-cua.com/a%20b'],
] as const) {
  test(`hops: ${name}`, () => {
    const fields = fieldsOf({ ...exchange({ url: PAGE }), referer, ...asked(metadata) });
    assert.deepEqual([fields.hops, fields.via], [hops, via]);
  });
}

for (const [url, brozzledUrl] of [
  ['http://xn--exmple-cua.com/%C3%A4%20b?q=%C3%BC', 'http://exämple.com/ä b?q=ü'],
  ['http://example.com:8080/%7Ea?x=[1]', 'http://example.com:8080/%7Ea?x=[1]'],
  ['http://example.com/?a|b', 'http://example.com/?a|b'],
  ['http://example.com/?a|b', 'http://example.com/?a%7Cb'],
  ['http://[::1]:8080/', 'http://[::1]:8080/'],
] as const) {
  test(`${brozzledUrl} browsed is ${url} captured`, () => {
    assert.equal(fieldsOf({ ...exchange({ url }), ...asked({ brozzledUrl }) }).hops, '-');
  });
}

test('a browsed page that differs is shown in ASCII', () => {
  const { hops, via } = fieldsOf({ ...exchange(), ...asked({ brozzledUrl: 'http://exämple.com/ä b' }) });
  assert.deepEqual([hops, via], ['B', 'http://xn--exmple-cua.com/%C3%A4%20b']);
});

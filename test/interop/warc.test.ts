import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Capture } from '../../src/capture/capture.ts';
import type { WarcVersion } from '../../src/warc/fields.ts';
import { buildRecords } from '../../src/archive/records.ts';
import { custom, exchange, pool, recordOptions, sha1, tempDir, type ExchangeParts } from '../warc/support.ts';
import { jwarc, warcio } from './validators.ts';

const GZIPPED = gzipSync('hello');
const CHUNKED_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';

function head(status: string, ...fields: string[]): string {
  return `HTTP/1.1 ${status}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

interface Case {
  readonly what: string;
  readonly capture: () => Capture;
  /** what each validator gets wrong about it */
  readonly warcio?: RegExp;
  readonly jwarc?: RegExp;
}

/** It hashes the body with its chunk framing, against ISO 28500:2017 §5.9: webrecorder/warcio issue 75, open since 2019. */
const HASHES_FRAMING = /payload digest failed/;
/** It compares Content-Length with the body's size whatever the method, the status and WARC-Truncated say. */
const COMPARES_LENGTH = /invalid HTTP header Content-Length/;
/** The same for the last chunk. */
const MISSES_LAST_CHUNK = /EOF reached before end of chunked encoding/;
/** Its grammar has no chunk extension without a value (RFC 9112 §7.1.1); then it hashes the body with its framing. */
const MISREADS_EXTENSION = /payload digest failed/;

/** It checks the fields of WARC 1.0 files by the list of 1.1. */
const PROFILE_OF_1_0 = 'Field has invalid value: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest';

const ORIGINAL = {
  recordId: '<urn:uuid:11111111-1111-4111-8111-111111111111>',
  url: 'http://example.com/',
  date: '2024-01-01T00:00:00.500Z',
};
const FROM_CDX = { recordId: '', url: 'http://a.example/', date: '2024-01-01T00:00:00Z' };

function chunked(body: string | Buffer, payload: string | Buffer, more: ExchangeParts = {}): () => Capture {
  return () => exchange({ head: CHUNKED_HEAD, body, payload, ...more });
}

const CASES: readonly Case[] = [
  { what: 'length-framed', capture: () => exchange() },
  { what: 'empty body', capture: () => exchange({ body: '' }) },
  { what: 'chunked', capture: chunked('5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n', 'hello!'), warcio: HASHES_FRAMING },
  {
    what: 'chunked with extensions and trailers',
    capture: chunked('5;a=b;c="d e"\r\nhello\r\n001\r\n!\r\n000;e=f\r\nTrailer: x\r\n\r\n', 'hello!'),
    warcio: HASHES_FRAMING,
  },
  {
    what: 'chunked with an extension without value',
    capture: chunked('5;a\r\nhello\r\n0\r\n\r\n', 'hello'),
    warcio: HASHES_FRAMING,
    jwarc: MISREADS_EXTENSION,
  },
  {
    what: 'chunked with gzip content-coding',
    capture: chunked(Buffer.concat([Buffer.from(`${GZIPPED.length.toString(16)}\r\n`), GZIPPED, Buffer.from('\r\n0\r\n\r\n')]), GZIPPED, {
      head: CHUNKED_HEAD.replace('\r\n\r\n', '\r\nContent-Encoding: gzip\r\n\r\n'),
    }),
    warcio: HASHES_FRAMING,
  },
  {
    what: 'gzip content-coding',
    capture: () => exchange({ head: head('200 OK', 'Content-Encoding: gzip', `Content-Length: ${GZIPPED.length}`), body: GZIPPED }),
  },
  { what: 'until close', capture: () => exchange({ head: head('200 OK', 'Content-Type: text/html'), body: 'until the end' }) },
  { what: 'HTTP/1.0', capture: () => exchange({ head: 'HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n', body: 'old' }) },
  { what: 'no reason phrase', capture: () => exchange({ head: head('200 ', 'Content-Length: 2'), body: 'ok' }) },
  {
    what: 'HEAD',
    capture: () => exchange({ method: 'HEAD', head: head('200 OK', 'Content-Length: 1234'), body: '' }),
    jwarc: COMPARES_LENGTH,
  },
  { what: 'HEAD, chunked', capture: chunked('', '', { method: 'HEAD' }), jwarc: MISSES_LAST_CHUNK },
  { what: '204', capture: () => exchange({ head: head('204 No Content'), body: '' }) },
  { what: '304', capture: () => exchange({ head: head('304 Not Modified', 'ETag: "x"'), body: '' }) },
  {
    what: '304 with a length',
    capture: () => exchange({ head: head('304 Not Modified', 'Content-Length: 99'), body: '' }),
    jwarc: COMPARES_LENGTH,
  },
  {
    what: 'odd fields',
    capture: () => exchange({ head: head('200 OK', 'x-a: 1', 'X-A:  2 ', 'X-Empty:', 'X-Latin: \u00fc', 'Content-Length: 2'), body: 'ok' }),
  },
  {
    what: 'POST with a body',
    capture: () => exchange({ method: 'POST', request: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc' }),
  },
  {
    what: 'POST, chunked',
    capture: () =>
      exchange({ method: 'POST', request: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' }),
  },
  { what: 'request without fields', capture: () => exchange({ request: 'GET / HTTP/1.0\r\n\r\n' }) },
  {
    what: 'disconnect before the end of its length',
    capture: () => exchange({ head: head('200 OK', 'Content-Length: 100'), body: 'hel', truncated: 'disconnect' }),
    jwarc: COMPARES_LENGTH,
  },
  {
    what: 'disconnect within a chunk',
    capture: chunked('5\r\nhel', 'hel', { truncated: 'disconnect' }),
    warcio: HASHES_FRAMING,
    jwarc: MISSES_LAST_CHUNK,
  },
  {
    what: 'cut at the size limit',
    capture: () => exchange({ head: head('200 OK', 'Content-Length: 100'), body: 'hello', truncated: 'length' }),
    jwarc: COMPARES_LENGTH,
  },
  { what: 'cut by time, until close', capture: () => exchange({ head: head('200 OK'), body: 'hello', truncated: 'time' }) },
  { what: 'revisit', capture: () => exchange({ duplicateOf: ORIGINAL }) },
  { what: 'revisit of a chunked response', capture: chunked('5\r\nhello\r\n0\r\n\r\n', 'hello', { duplicateOf: FROM_CDX }) },
  { what: 'custom resource', capture: () => custom('resource', 'text/html', '<p>') },
  { what: 'custom metadata', capture: () => custom('metadata', 'application/json', '{}', 'http://example.com/#about') },
  { what: 'custom conversion, empty', capture: () => custom('conversion', 'image/png', '') },
  { what: 'odd URL', capture: () => exchange({ url: 'http://example.com/a|b{c}[d]"<e>%zz\\^`\u00fc?q=a b#f' }) },
  { what: 'IPv6', capture: () => exchange({ url: 'http://[2001:db8::1]:8080/', ipAddress: '2001:db8::1' }) },
  { what: 'no address', capture: () => exchange({ ipAddress: undefined }) },
  { what: 'big', capture: () => exchange({ body: Buffer.alloc(3_000_000, 'hello '), maxMemoryBytes: 1000 }) },
];

async function write(t: TestContext, captures: readonly Capture[], version: WarcVersion, gzip: boolean): Promise<string> {
  const dir = tempDir(t);
  const writers = pool(dir, { gzip, version });
  const records = await buildRecords(captures, recordOptions(version));
  await writers.write(records.map((each) => ({ prefix: 'P', records: each })));
  await writers.close();
  return join(dir, readdirSync(dir)[0]!);
}

const VALIDATORS = [
  { validator: warcio(), quirk: (each: Case) => each.warcio },
  { validator: jwarc(), quirk: (each: Case) => each.jwarc },
];

for (const { validator, quirk } of VALIDATORS) {
  for (const version of ['1.1', '1.0'] as const) {
    for (const gzip of [false, true]) {
      test(
        `${validator.name} accepts captures of every kind in WARC ${version}, ${gzip ? 'gzip' : 'plain'}`,
        { skip: validator.skip },
        async (t) => {
          const captures = CASES.filter((each) => quirk(each) === undefined).map(({ capture }) => capture());
          const { accepted, complaints } = validator.check(await write(t, captures, version, gzip));
          assert.deepEqual(
            complaints.filter((line) => version !== '1.0' || !line.endsWith(PROFILE_OF_1_0)),
            [],
          );
          assert.ok(accepted);
        },
      );
    }
  }

  test(`${validator.name} complains of what it gets wrong itself, and of nothing else`, { skip: validator.skip }, async (t) => {
    const odd = CASES.filter((each) => quirk(each) !== undefined);
    const file = await write(
      t,
      odd.map(({ capture }) => capture()),
      '1.1',
      true,
    );
    const complaints = validator.check(file).complaints.filter((line) => !line.includes(file));
    assert.equal(complaints.length, odd.length, complaints.join('\n'));
    for (const [index, each] of odd.entries()) assert.match(complaints[index]!, quirk(each)!, each.what);
  });

  test(`${validator.name} finds a wrong digest, so its word counts`, { skip: validator.skip }, async (t) => {
    const { response, ...rest } = exchange();
    for (const wrong of [{ payloadDigest: sha1('other') }, { digest: sha1('other') }]) {
      const file = await write(t, [{ ...rest, response: { ...response, ...wrong } }], '1.1', true);
      assert.ok(!validator.check(file).accepted);
    }
  });
}

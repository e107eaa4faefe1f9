/** Ranges out of the archive: RFC 9110 §14. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { custom, exchange } from '../warc/support.ts';
import { RawClient } from '../support/client.ts';
import { later, revisitOf, startPlayback, withoutMemento } from './support.ts';

const URL_A = 'http://a.example/video';
const TEN = '0123456789';
const CHUNKS = '4\r\n0123\r\n6\r\n456789\r\n0\r\nT: x\r\n\r\n';
const VALIDATORS = 'ETag: "v1"\r\nLast-Modified: Sat, 03 Feb 2024 00:00:00 GMT\r\nDate: Sat, 03 Feb 2024 04:00:00 GMT\r\n';

const WHOLE = [
  ['a length', `HTTP/1.1 200 OK\r\n${VALIDATORS}Content-Length: 10\r\n\r\n`, TEN],
  ['chunks', `HTTP/1.1 200 OK\r\n${VALIDATORS}Transfer-Encoding: chunked\r\nTrailer: T\r\n\r\n`, CHUNKS],
  ['its connection', `HTTP/1.1 200 OK\r\n${VALIDATORS}\r\n`, TEN],
] as const;

const range = (value: string, more = '') => ({ fields: `Range: ${value}\r\n${more}` });

for (const [framing, head, body] of WHOLE) {
  for (const revisit of [false, true]) {
    test(`ranges are cut out of a ${revisit ? 'revisit' : 'response'} framed by ${framing}`, async (t) => {
      const running = await startPlayback(t, { gzip: true });
      const original = exchange({ url: revisit ? 'http://o.example/' : URL_A, head, body, payload: TEN });
      await running.archive(original);
      if (revisit) await running.archive(revisitOf(original, { url: URL_A, head, body, payload: TEN }));
      for (const [asked, given, bytes] of [
        ['bytes=0-3', '0-3', '0123'],
        ['bytes=3-5', '3-5', '345'],
        ['Bytes = 9-9', '9-9', '9'],
        ['bytes=4-', '4-9', '456789'],
        ['bytes=-3', '7-9', '789'],
        ['bytes=-99', '0-9', TEN],
        ['bytes=5-99', '5-9', '56789'],
        ['bytes=0-', '0-9', TEN],
      ] as const) {
        const { head: got, body: piece } = await running.get(URL_A, range(asked));
        const fields = `${VALIDATORS}Content-Range: bytes ${given}/10\r\nContent-Length: ${bytes.length}\r\n`;
        assert.equal(got, `HTTP/1.1 206 Partial Content\r\n${fields}\r\n`);
        assert.equal(piece.toString(), bytes);
      }
      for (const past of ['bytes=10-', 'bytes=99-100', 'bytes=-0']) {
        const { head: got } = await running.get(URL_A, range(past));
        assert.equal(got, 'HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n');
      }
    });
  }
}

test('several ranges, ranges of something else, and ranges that are none get the whole', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, body: TEN }));
  for (const asked of ['bytes=0-1,4-5', 'lines=0-1', 'bytes=5-4', 'bytes=-', 'bytes=a-b', 'bytes 0-1', '0-1', 'bytes=']) {
    const { status, body } = await running.get(URL_A, range(asked));
    assert.deepEqual([status, body.toString()], [200, TEN], asked);
  }
});

test('HEAD is never a range', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, body: TEN }));
  const { head } = await running.get(URL_A, { method: 'HEAD', ...range('bytes=0-1') });
  assert.match(head, /^HTTP\/1.1 200 OK\r\n[^]*Content-Length: 10\r\n/);
});

test('a connection goes on after ranges, pipelined, and for a client of HTTP/1.0 one is framed by its length', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, head: WHOLE[1][1], body: CHUNKS, payload: TEN }));
  using client = await RawClient.connect(running.port);
  client.send(['1-2', '99-', '3-4'].map((span) => `GET ${URL_A} HTTP/1.1\r\nHost: x\r\nRange: bytes=${span}\r\n\r\n`).join(''));
  const bodies = [await client.response(), await client.response(), await client.response()].map(({ body }) => body.toString());
  assert.deepEqual(bodies, ['12', '', '34']);
  using old = await RawClient.connect(running.port);
  old.send(`GET ${URL_A} HTTP/1.0\r\nRange: bytes=8-\r\n\r\n`);
  assert.match(withoutMemento((await old.rest()).toString()), /Content-Length: 2\r\n[^]*\r\n\r\n89$/);
});

test('ranges are over the content-coding, as it is archived', async (t) => {
  const running = await startPlayback(t);
  const coded = gzipSync('hello');
  await running.archive(
    exchange({ url: URL_A, head: `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${coded.length}\r\n\r\n`, body: coded }),
  );
  const { body, field } = await running.get(URL_A, range('bytes=2-9'));
  assert.ok(body.equals(coded.subarray(2, 10)));
  assert.equal(field('content-encoding'), 'gzip');
});

test('If-Range: a range of what the client has, otherwise the whole', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, head: WHOLE[0][1], body: TEN }));
  for (const [condition, status] of [
    ['"v1"', 206],
    ['"v2"', 200],
    ['W/"v1"', 200],
    ['Sat, 03 Feb 2024 00:00:00 GMT', 206],
    ['Sat, 03 Feb 2024 00:00:01 GMT', 200],
    ['Fri, 02 Feb 2024 00:00:00 GMT', 200],
    ['nonsense', 200],
  ] as const) {
    assert.equal((await running.get(URL_A, range('bytes=0-1', `If-Range: ${condition}\r\n`))).status, status, condition);
  }
});

const partial = (span: string, body: string, asked = `bytes=${span.split('/')[0]}`) => ({
  url: URL_A,
  head: `HTTP/1.1 206 Partial Content\r\nETag: "v1"\r\nContent-Range: bytes ${span}\r\nContent-Length: ${body.length}\r\n\r\n`,
  body,
  request: `GET / HTTP/1.1\r\nHost: x\r\nRange: ${asked}\r\n\r\n`,
});

test('an archived 206 is played to a request for exactly that range, however it is written, and to no other', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    later(1, partial('0-3/10', '0123')),
    later(2, partial('7-9/10', '789', 'bytes=7-')),
    later(3, partial('4-5/*', '45')),
    later(4, partial('6-6/10', '6', 'bytes=6-6')),
  );
  for (const [asked, bytes] of [
    ['bytes=0-3', '0123'],
    ['bytes= 00-03', '0123'],
    ['bytes=7-9', '789'],
    ['bytes=7-', '789'],
    ['bytes=-3', '789'],
    ['bytes=4-5', '45'],
    ['bytes=6-6', '6'],
  ] as const) {
    const { status, body } = await running.get(URL_A, range(asked));
    assert.deepEqual([status, body.toString()], [206, bytes], asked);
  }
  for (const asked of ['bytes=0-2', 'bytes=1-3', 'bytes=0-', 'bytes=6-', 'bytes=-1', 'bytes=0-30', 'bytes=0-3,7-9', 'lines=0-3']) {
    assert.equal((await running.get(URL_A, range(asked))).status, 404, asked);
  }
  assert.equal((await running.get(URL_A)).status, 404);
  assert.equal((await running.get(URL_A, range('bytes=0-3', 'If-Range: "v1"\r\n'))).status, 206);
  assert.equal((await running.get(URL_A, range('bytes=0-3', 'If-Range: "v2"\r\n'))).status, 404);
});

test('what was asked for as more than there is is played when it is asked for so again', async (t) => {
  const running = await startPlayback(t);
  const head = 'HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n';
  await running.archive(
    later(1, partial('0-9/10', TEN, 'bytes=0-99999')),
    later(2, { ...partial('', '', 'bytes=50-60'), head, body: '' }),
    later(3, { ...partial('', 'two parts', 'bytes=0-1, 4-5'), head: 'HTTP/1.1 206 Partial Content\r\nContent-Length: 9\r\n\r\n' }),
  );
  assert.equal((await running.get(URL_A, range('bytes=0-99999'))).body.toString(), TEN);
  assert.equal((await running.get(URL_A, range('bytes=50-60'))).head, head);
  assert.equal((await running.get(URL_A, range('bytes=0-1,4-5'))).body.toString(), 'two parts');
  assert.equal((await running.get(URL_A)).status, 404);
});

test('a whole answer goes before a 206, and one that was cut off, or an error, behind it', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    later(1, partial('0-3/10', 'part')),
    later(2, { url: URL_A, body: 'cut', truncated: 'length' }),
    later(3, { url: URL_A, head: 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n', body: '' }),
  );
  assert.equal((await running.get(URL_A, range('bytes=0-3'))).body.toString(), 'part');
  await running.archive(later(0, { url: URL_A, body: TEN }));
  assert.equal((await running.get(URL_A, range('bytes=0-3'))).body.toString(), '0123');
});

test('the record of a client gives ranges, too', async (t) => {
  const running = await startPlayback(t);
  await running.archive(custom('resource', 'image/png', TEN, 'screenshot:http://a.example/'));
  const { head, body } = await running.get('screenshot:http://a.example/', range('bytes=-2'));
  assert.match(head, /Content-Type: image\/png\r\nContent-Range: bytes 8-9\/10\r\nContent-Length: 2\r\n/);
  assert.equal(body.toString(), '89');
});

test('a range at the end of a large body comes without the rest', async (t) => {
  const running = await startPlayback(t, { gzip: true });
  const large = Buffer.alloc(20_000_000, TEN);
  await running.archive(exchange({ url: URL_A, body: large }));
  const { body } = await running.get(URL_A, range('bytes=19999990-'));
  assert.equal(body.toString(), TEN);
});

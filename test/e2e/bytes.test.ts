/**
 * What the origin sent is what the archive holds, for every kind of answer, over HTTP and HTTPS.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RawClient } from '../support/client.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

interface Case {
  readonly what: string;
  readonly method?: string;
  /** pieces that the origin writes, Latin-1 or bytes */
  readonly answer: readonly (string | Buffer)[];
  /** in front of the final answer, not archived */
  readonly interim?: string;
  /** body without transfer-coding */
  readonly payload: Buffer | string;
  readonly then?: 'end' | 'cut';
  readonly truncated?: string;
  /** fields that the client must not see, or must see, beside all others of the answer */
  readonly head?: (head: string) => string;
}

const binary = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919 + (i >> 8)) & 0xff));
const gzipped = gzipSync('compressed '.repeat(500));
const manyFields = Array.from({ length: 2000 }, (_, i) => `X-Field-${i}: value ${i}\r\n`).join('');

const CASES: readonly Case[] = [
  { what: 'a length', answer: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'], payload: 'hello' },
  { what: 'a length of zero', answer: ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'], payload: '' },
  {
    what: 'chunks',
    answer: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\nhello\r\n', '6\r\n world\r\n', '0\r\n\r\n'],
    payload: 'hello world',
  },
  {
    what: 'chunks with extensions and trailers',
    answer: [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n',
      '5;name="va;lue";x\r\nhello\r\n0A;y=1\r\n0123456789\r\n000;last\r\nX-Sum: 15\r\nX-Other: z\r\n\r\n',
    ],
    payload: 'hello0123456789',
  },
  {
    what: 'a body until the connection closes',
    answer: ['HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n', 'until ', 'close'],
    payload: 'until close',
    then: 'end',
  },
  { what: 'HTTP/1.0', answer: ['HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold'], payload: 'old', then: 'end' },
  {
    what: 'gzip content-coding',
    answer: [`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${gzipped.length}\r\n\r\n`, gzipped],
    payload: gzipped,
  },
  { what: 'HEAD', method: 'HEAD', answer: ['HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'], payload: '' },
  { what: 'HEAD with chunks announced', method: 'HEAD', answer: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'], payload: '' },
  { what: '204', answer: ['HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n'], payload: '' },
  {
    what: '304 with the length of what it stands for',
    answer: ['HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: "x"\r\n\r\n'],
    payload: '',
  },
  {
    what: 'an early hint before the answer',
    interim: 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n',
    answer: ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    payload: 'ok',
  },
  {
    what: 'several interim answers',
    interim: 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n',
    answer: ['HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno'],
    payload: 'no',
  },
  { what: '2,000 fields', answer: [`HTTP/1.1 200 OK\r\n${manyFields}Content-Length: 1\r\n\r\nx`], payload: 'x' },
  { what: 'a field of 300 kB', answer: [`HTTP/1.1 200 OK\r\nX-Long: ${'v'.repeat(300_000)}\r\nContent-Length: 1\r\n\r\nx`], payload: 'x' },
  {
    what: 'fields repeated and oddly spelled',
    answer: ['HTTP/1.1 200 OK\r\nsEt-CooKie: a=1\r\nSet-Cookie:b=2\r\nset-cookie:   c=3  \r\nX-Empty:\r\ncontent-LENGTH: 1\r\n\r\nx'],
    payload: 'x',
  },
  { what: 'Latin-1 in a value', answer: ['HTTP/1.1 200 OK\r\nX-Name: caf\xe9 \xff\r\nContent-Length: 1\r\n\r\nx'], payload: 'x' },
  { what: 'an odd reason phrase', answer: ['HTTP/1.1 299 Tr\xe8s  bizarre (really)!\r\nContent-Length: 1\r\n\r\nx'], payload: 'x' },
  { what: 'an empty reason phrase', answer: ['HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx'], payload: 'x' },
  { what: '3 MB', answer: [`HTTP/1.1 200 OK\r\nContent-Length: ${binary.length}\r\n\r\n`, binary], payload: binary },
  {
    what: '3 MB in chunks',
    answer: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', `${binary.length.toString(16)}\r\n`, binary, '\r\n0\r\n\r\n'],
    payload: binary,
  },
  {
    what: 'a body cut within its length',
    answer: ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', 'only this'],
    payload: 'only this',
    then: 'cut',
    truncated: 'disconnect',
  },
  {
    what: 'a body cut within a chunk',
    answer: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'ff\r\nonly this'],
    payload: 'only this',
    then: 'cut',
    truncated: 'disconnect',
  },
  {
    what: 'an answer that drips byte by byte',
    answer: Array.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n'),
    payload: 'abc',
  },
];

const latin1 = (piece: string | Buffer) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
const sha1 = (bytes: Buffer | string) => `sha1:${createHash('sha1').update(bytes).digest('hex')}`;

for (const scheme of ['http', 'https'] as const) {
  describe(`over ${scheme}`, () => {
    for (const item of CASES) {
      test(`${item.what}: client, archive and digests are right`, async () => {
        const { method = 'GET', interim = '', then } = item;
        await using origin = await startOrigin(
          async ({ socket }) => {
            socket.write(latin1(interim));
            for (const piece of item.answer) {
              // One write, one segment: the next piece waits until this one has left.
              await new Promise((resolve) => socket.write(latin1(piece), resolve));
            }
            if (then === 'end') socket.end();
            if (then === 'cut') socket.destroy();
          },
          { tls: scheme === 'https' },
        );
        await using running = await startProxy();
        const authority = `127.0.0.1:${origin.port}`;
        using client =
          scheme === 'http' ? await RawClient.connect(running.port) : await RawClient.tunnel(running.port, authority, { ca: running.ca });
        const target = scheme === 'http' ? `${origin.url}/page?q=1` : '/page?q=1';
        client.send(
          `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\nX-cAsE:  spaced \r\nAccept: */*\r\nProxy-Connection: keep-alive\r\n\r\n`,
        );

        const sent = Buffer.concat(item.answer.map(latin1));
        const headEnd = sent.indexOf('\r\n\r\n') + 4;
        const head = sent.toString('latin1', 0, headEnd);
        const body = sent.subarray(headEnd);
        for (let left = interim; left !== '';) {
          const one = await client.head();
          assert.equal(one, left.slice(0, one.length));
          left = left.slice(one.length);
        }
        const closes = then !== undefined && item.truncated === undefined;
        const expected = head
          .replace(/^HTTP\/1\.0/, 'HTTP/1.1')
          .replace(/\r\n$/, `Via: 1.1 warcprox\r\n${closes ? 'Connection: close\r\n' : ''}\r\n`);
        assert.equal(await client.head(), expected);
        assert.deepEqual(then === undefined ? await client.bytes(body.length) : await client.rest(), body);

        await running.captured(1);
        const [response, request] = await running.records();
        assert.ok(response && request);
        assert.equal(response.type, 'response');
        assert.equal(response.url, `${scheme}://${authority}/page?q=1`);
        assert.deepEqual(response.block, sent);
        assert.equal(response.fields.get('warc-block-digest'), sha1(sent));
        assert.equal(response.fields.get('warc-payload-digest'), sha1(item.payload));
        assert.equal(response.fields.get('warc-truncated'), item.truncated);
        assert.equal(response.fields.get('warc-ip-address'), '127.0.0.1');
        const received = `${method} /page?q=1 HTTP/1.1\r\nHost: ${authority}\r\nX-cAsE:  spaced \r\nAccept: */*\r\n\r\n`;
        assert.equal(origin.requests[0]?.bytes.toString('latin1'), received);
        assert.equal(request.type, 'request');
        assert.equal(request.block.toString('latin1'), received);
        assert.equal(request.fields.get('warc-block-digest'), sha1(received));
        assert.equal(request.fields.get('warc-concurrent-to'), response.fields.get('warc-record-id'));
        assert.equal(request.fields.get('warc-date'), response.fields.get('warc-date'));
      });
    }
  });
}

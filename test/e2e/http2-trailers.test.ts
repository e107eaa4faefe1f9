/** Fields behind the body of a request of HTTP/2: on their way to origins of both versions, and in records. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { testCertificate } from '../support/certificate.ts';
import { FrameClient } from '../support/http2-frames.ts';
import { answered, http2Client, startHttp2Origin, type Http2Client } from '../support/http2.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

async function upload({ session }: Http2Client, headers: Record<string, string> = {}) {
  const stream = session.request({ ':path': '/', ':method': 'POST', ...headers }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'abc', 'x-more': '1' }));
  stream.end('body');
  return answered(stream);
}

/** Answers with what has come: body and trailers. */
const startEcho = () =>
  startHttp2Origin((stream) => {
    let body = '';
    let trailers: unknown;
    stream.on('trailers', (told: unknown) => (trailers = told));
    stream.on('data', (piece: Buffer) => (body += piece.toString()));
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(JSON.stringify([body, trailers ?? {}]));
    });
  });

async function recordsOf(proxy: TestProxy) {
  await proxy.captured(1);
  const records = await proxy.records();
  const of = (type: string) => records.find((each) => each.type === type);
  return { request: of('request'), metadata: of('metadata') };
}

test('an origin of HTTP/2 gets them; they stand in a metadata record of the request', async () => {
  await using origin = await startEcho();
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const { body } = await upload(client);
  assert.deepEqual(JSON.parse(body.toString()), ['body', { 'x-sum': 'abc', 'x-more': '1' }]);
  const { request, metadata } = await recordsOf(proxy);
  assert.match(request?.block.toString() ?? '', /\r\n\r\nbody$/);
  assert.equal(metadata?.block.toString(), 'trailer: x-sum: abc\r\ntrailer: x-more: 1\r\n');
  assert.equal(metadata.fields.get('warc-concurrent-to'), request?.fields.get('warc-record-id'));
});

test('an origin of HTTP/1.1 gets them behind the last chunk, where its record has them', async () => {
  const server = createServer(await testCertificate(), (request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => response.end(JSON.stringify([body, request.trailers])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${(server.address() as AddressInfo).port}`, proxy.ca);
  const { body } = await upload(client);
  assert.deepEqual(JSON.parse(body.toString()), ['body', { 'x-sum': 'abc', 'x-more': '1' }]);
  const { request, metadata } = await recordsOf(proxy);
  assert.match(request?.block.toString() ?? '', /\r\n4\r\nbody\r\n0\r\nx-sum: abc\r\nx-more: 1\r\n\r\n$/);
  assert.equal(metadata, undefined);
  server.close();
});

test('where the length is known, and no trailers are announced, they are dropped, and not recorded', async () => {
  await using origin = await startEcho();
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  assert.deepEqual(JSON.parse((await upload(client, { 'content-length': '4' })).body.toString()), ['body', {}]);
  const { metadata } = await recordsOf(proxy);
  assert.equal(metadata, undefined);
});

test('where the length is known, announced ones are passed on', async () => {
  await using origin = await startEcho();
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const { body } = await upload(client, { 'content-length': '4', trailer: 'x-sum' });
  assert.deepEqual(JSON.parse(body.toString()), ['body', { 'x-sum': 'abc', 'x-more': '1' }]);
});

describe('what must not stand there is answered 400 or reset, and no origin gets a whole request', () => {
  for (const [name, value] of [
    ['content-length', '4'],
    ['transfer-encoding', 'chunked'],
    ['host', 'other.example'],
    ['connection', 'close'],
    ['cookie', 'a=b'],
    ['authorization', 'Basic eDp5'],
    [':path', '/other'],
    ['X-Upper', '1'],
  ] as const) {
    test(name, async () => {
      let whole = 0;
      await using origin = await startHttp2Origin((stream) => {
        stream.resume();
        stream.on('end', () => (whole += stream.aborted || stream.rstCode !== 0 ? 0 : 1));
      });
      const authority = `127.0.0.1:${origin.port}`;
      const head = [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', authority],
        [':path', '/'],
      ] as const;
      {
        await using proxy = await startProxy();
        using client = await FrameClient.connect(proxy.port, authority, proxy.ca);
        client.headers(1, head, false);
        client.data(1, 'body', false);
        client.headers(1, [[name, value]], true);
        assert.match(await client.outcome(1), /^(?:status 400|reset 1|goaway 1)$/);
      }
      assert.equal(whole, 0);
    });
  }
});

test('those of an answer of HTTP/1.1 reach the client behind its body, and stand in its record only', async () => {
  const bytes = [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nbo',
    'dy\r\n0\r\nX-Sum: a',
    'bc\r\nKeep-Alive: timeout=5\r\nServer-Timing: db;dur=53\r\n\r\n',
  ];
  await using origin = await startOrigin(
    async ({ socket }) => {
      for (const piece of bytes) await new Promise((sent) => socket.write(piece, sent));
    },
    { tls: true },
  );
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const stream = client.session.request({ ':path': '/' });
  const told = once(stream, 'trailers');
  const { body } = await answered(stream);
  assert.equal(body.toString(), 'body');
  const [trailers] = (await told) as [Record<string, string>];
  assert.deepEqual(Object.fromEntries(Object.entries(trailers)), { 'x-sum': 'abc', 'server-timing': 'db;dur=53' });
  await proxy.captured(1);
  const records = await proxy.records();
  assert.equal(records.find(({ type }) => type === 'response')?.block.toString(), bytes.join(''));
  assert.ok(!records.some(({ type }) => type === 'metadata'));
});

test("lines behind an answer of HTTP/1.1 that are not exactly fields are nobody else's", async () => {
  const bytes = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: abc\r\nX Bad: 1\r\n\r\n';
  await using origin = await startOrigin(({ socket }) => socket.write(bytes), { tls: true });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const stream = client.session.request({ ':path': '/' });
  stream.on('trailers', () => assert.fail('trailers came'));
  const { body } = await answered(stream);
  assert.equal(body.toString(), 'body');
});

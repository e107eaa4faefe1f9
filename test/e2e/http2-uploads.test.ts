/** Uploads to origins of HTTP/2 that go away, want HTTP/1.1, or say nothing: what was sent of a body, and whether it is sent again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer, performServerHandshake, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { testCertificate } from '../support/certificate.ts';
import { frame, framesOf, PREFACE, TYPE, uint32 } from '../support/http2-frames.ts';
import { answered, http2Client, startHttp2Origin, type Http2Client } from '../support/http2.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const HTTP_1_1_REQUIRED = 13;
const BODY = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));

const clientOf = (proxy: TestProxy, port: number): Promise<Http2Client> => http2Client(proxy.port, `127.0.0.1:${port}`, proxy.ca);

function echo(stream: ServerHttp2Stream): void {
  const body: Buffer[] = [];
  stream.on('data', (piece: Buffer) => body.push(piece));
  stream.on('end', () => {
    stream.respond({ ':status': 200 });
    stream.end(Buffer.concat(body));
  });
}

/** The proxy is closed for it. @returns the body of the first of so many requests that are recorded */
async function recordedBody(proxy: TestProxy, count = 1): Promise<Buffer | undefined> {
  await proxy.captured(count);
  const requests = (await proxy.records()).filter(({ type }) => type === 'request');
  assert.equal(requests.length, count);
  const block = requests[0]?.block;
  return block?.subarray(block.indexOf('\r\n\r\n') + 4);
}

/** Its first session ends when so much of a body has come, without having looked at it; later ones say back what they are sent. */
async function startLeaving(bytes: number): Promise<{ readonly port: number; readonly sessions: () => number } & AsyncDisposable> {
  let sessions = 0;
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer({ ...(await testCertificate()), ALPNProtocols: ['h2'] }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (sessions++ > 0) {
      Reflect.set(socket, 'secureConnecting', false);
      performServerHandshake(socket).on('stream', echo);
      return;
    }
    let all = Buffer.alloc(0);
    let left = false;
    socket.write(Buffer.concat([frame(TYPE.settings, 0, 0), frame(TYPE.window, 0, 0, uint32(1_000_000))]));
    socket.on('data', (more: Buffer) => {
      all = Buffer.concat([all, more]);
      const data = framesOf(all.subarray(PREFACE.length)).frames.filter(({ type }) => type === TYPE.data);
      if (left || data.reduce((sum, { payload }) => sum + payload.length, 0) < bytes) return;
      left = true;
      socket.write(frame(TYPE.goaway, 0, 0, Buffer.concat([uint32(0), uint32(0)])));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sessions: () => sessions,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test('GOAWAY without having looked at an upload: it is sent again whole, by another session', async () => {
  await using origin = await startLeaving(20_000);
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin.port);
  const { status, body } = await client.get('/', { ':method': 'POST' }, BODY);
  assert.equal(status, 200);
  assert.ok(body.equals(BODY));
  assert.equal(origin.sessions(), 2);
  assert.deepEqual(await recordedBody(proxy), BODY);
});

test('GOAWAY in mid-upload that names it: it goes on and is answered, the next has a session of its own', async () => {
  await using origin = await startHttp2Origin((stream, headers) => {
    if (headers[':path'] !== '/upload') return echo(stream);
    stream.once('data', () => stream.session?.goaway(0, stream.id));
    echo(stream);
  });
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin.port);
  const upload = client.session.request({ ':path': '/upload', ':method': 'POST' });
  const whole = answered(upload);
  upload.write(BODY.subarray(0, 100_000));
  while (origin.sessions.length === 0) await new Promise((resolve) => setImmediate(resolve));
  while (origin.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await client.get('/next', { ':method': 'POST' }, 'next')).body.toString(), 'next');
  upload.end(BODY.subarray(100_000));
  const { status, body } = await whole;
  assert.equal(status, 200);
  // The session is on its way out all the time that this is taken.
  assert.ok(body.equals(BODY), `${body.length} bytes`);
  assert.equal(origin.sessions.length, 2);
});

test('GOAWAY without having looked at an upload that is in memory no more: 502, and the next request works', async () => {
  await using origin = await startLeaving(50_000);
  await using proxy = await startProxy({ tmpFileMaxMemorySize: 1024 });
  using client = await clientOf(proxy, origin.port);
  const { status, body } = await client.get('/', { ':method': 'POST' }, BODY);
  assert.equal(status, 502);
  assert.match(body.toString(), /^origin refused the request, and its body is not in memory any more/);
  assert.equal((await client.get('/', { ':method': 'POST' }, 'good')).body.toString(), 'good');
});

/** It refuses every stream, at once or when something of its body has come, and says back what it is sent by HTTP/1.1. */
async function startOnlyHttp1(after: 'head' | 'body'): Promise<{ server: Http2SecureServer; port: number; streams: () => number }> {
  let streams = 0;
  const server = createSecureServer({ ...(await testCertificate()), allowHTTP1: true });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: ServerHttp2Stream) => {
    streams++;
    stream.on('error', () => undefined);
    if (after === 'head') stream.close(HTTP_1_1_REQUIRED);
    else stream.once('data', () => stream.close(HTTP_1_1_REQUIRED));
  });
  server.on('request', (request, response) => {
    if (request.httpVersionMajor === 1) request.pipe(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, port: (server.address() as AddressInfo).port, streams: () => streams };
}

for (const after of ['head', 'body'] as const) {
  test(`HTTP_1_1_REQUIRED when the ${after} of an upload has come: all of it goes by HTTP/1.1, and the next one at once`, async () => {
    const { server, port, streams } = await startOnlyHttp1(after);
    await using proxy = await startProxy();
    using client = await clientOf(proxy, port);
    const { status, body } = await client.get('/', { ':method': 'POST', 'content-length': BODY.length }, BODY);
    assert.equal(status, 200, body.toString());
    assert.ok(body.equals(BODY));
    assert.equal((await client.get('/', { ':method': 'POST' }, 'next')).body.toString(), 'next');
    assert.equal(streams(), 1);
    assert.deepEqual(await recordedBody(proxy, 2), BODY);
    server.close();
  });
}

test('Expect: 100-continue of an origin that says nothing: its client is answered in the end, and was never asked for the body', async () => {
  const received: Buffer[] = [];
  await using origin = await startHttp2Origin((stream) => {
    stream.on('data', (piece: Buffer) => received.push(piece));
  });
  await using proxy = await startProxy({ socketTimeout: 1 });
  using client = await clientOf(proxy, origin.port);
  const upload = client.session.request({ ':path': '/', ':method': 'POST', expect: '100-continue' });
  let asked = false;
  upload.on('continue', () => (asked = true));
  const { status, body } = await answered(upload);
  assert.equal(status, 502);
  assert.match(body.toString(), /^no answer from the origin within the idle time-out/);
  assert.deepEqual([asked, received.length, origin.asked[0]?.headers.expect], [false, 0, '100-continue']);
  await proxy.captured(1);
  assert.equal(proxy.captures[0]?.kind, 'failure');
});

test('Expect: 100-continue of an origin that says nothing: a client that sends its body unasked is served', async () => {
  await using origin = await startHttp2Origin(echo);
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin.port);
  const upload = client.session.request({ ':path': '/', ':method': 'POST', expect: '100-continue' });
  // RFC 9110 §10.1.1: it need not wait for ever.
  while (origin.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  upload.end(BODY);
  const { status, body } = await answered(upload);
  assert.equal(status, 200);
  assert.ok(body.equals(BODY));
  assert.deepEqual(await recordedBody(proxy), BODY);
});

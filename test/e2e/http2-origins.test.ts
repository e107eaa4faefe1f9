/** Origins of HTTP/2 that go away, refuse, or speak nonsense; and clients that are slow, leave, or steer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { testCertificate } from '../support/certificate.ts';
import { answered, http2Client, startHttp2Origin, type Http2Client } from '../support/http2.ts';
import { framesOf, PREFACE, TYPE, type Frame } from '../support/http2-frames.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const SETTINGS_TIMEOUT = 4;
const REFUSED_STREAM = 7;
const HTTP_1_1_REQUIRED = 13;
const MIB = 1024 * 1024;

interface FrameReading {
  /** all that a client of HTTP/2 has sent, when it has ended */
  readonly whole: Promise<readonly Frame[]>;
}

function readFrames(socket: TLSSocket): FrameReading {
  const pieces: Buffer[] = [];
  socket.on('error', () => undefined).on('data', (piece: Buffer) => pieces.push(piece));
  return { whole: once(socket, 'close').then(() => framesOf(Buffer.concat(pieces).subarray(PREFACE.length)).frames) };
}

const clientOf = (proxy: TestProxy, { port }: { port: number }): Promise<Http2Client> =>
  http2Client(proxy.port, `127.0.0.1:${port}`, proxy.ca);

for (const method of ['GET', 'DELETE']) {
  test(`REFUSED_STREAM: ${method} is sent again`, async () => {
    let refusals = 0;
    await using origin = await startHttp2Origin((stream) => {
      if (refusals++ < 2) return stream.close(REFUSED_STREAM);
      stream.respond({ ':status': 200 });
      stream.end('at last');
    });
    await using proxy = await startProxy();
    using client = await clientOf(proxy, origin);
    assert.equal((await client.get('/', { ':method': method })).body.toString(), 'at last');
    await proxy.captured(1);
    assert.equal(proxy.captures.length, 1);
  });
}

test('REFUSED_STREAM: an upload is sent again whole, while all of it is in memory', async () => {
  let refusals = 0;
  await using origin = await startHttp2Origin((stream) => {
    if (refusals++ < 2) return stream.close(REFUSED_STREAM);
    const body: Buffer[] = [];
    stream.on('data', (piece: Buffer) => body.push(piece));
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.concat(body));
    });
  });
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin);
  const body = Buffer.alloc(200_000, 'upload');
  const { status, body: echo } = await client.get('/', { ':method': 'POST' }, body);
  assert.equal(status, 200);
  assert.ok(echo.equals(body));
  await proxy.captured(1);
  const request = (await proxy.records()).find(({ type }) => type === 'request');
  const block = request?.block ?? Buffer.alloc(0);
  assert.ok(block.subarray(block.indexOf('\r\n\r\n') + 4).equals(body));
});

test('REFUSED_STREAM: an upload that is in memory no more is answered 502, and the next request works', async () => {
  await using origin = await startHttp2Origin((stream, headers) => {
    if (headers[':method'] === 'GET') {
      stream.respond({ ':status': 200 });
      stream.end('good');
      return;
    }
    let received = 0;
    stream.on('data', (piece: Buffer) => (received += piece.length) > 50_000 && stream.close(REFUSED_STREAM));
  });
  await using proxy = await startProxy({ tmpFileMaxMemorySize: 1024 });
  using client = await clientOf(proxy, origin);
  const refused = await client.get('/', { ':method': 'POST' }, Buffer.alloc(200_000));
  assert.equal(refused.status, 502);
  assert.match(refused.body.toString(), /^origin refused the request, and its body is not in memory any more/);
  assert.equal(origin.asked.length, 1);
  assert.equal((await client.get('/')).body.toString(), 'good');
});

test('REFUSED_STREAM for ever is answered 502 in the end', async () => {
  await using origin = await startHttp2Origin((stream) => stream.close(REFUSED_STREAM));
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin);
  assert.equal((await client.get('/')).status, 502);
  assert.ok(origin.asked.length <= 8, `asked ${origin.asked.length} times`);
});

test('GOAWAY: what is under way is answered, what was not seen is sent again, and the next has a session of its own', async () => {
  const first: (() => void)[] = [];
  await using origin = await startHttp2Origin((stream, headers) => {
    const answer = () => {
      stream.respond({ ':status': 200 });
      stream.end(headers[':path']);
    };
    if (headers[':path'] !== '/slow') return answer();
    first.push(answer);
    stream.session?.goaway(0, stream.id);
  });
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin);
  const slow = client.get('/slow');
  while (first.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await client.get('/next')).body.toString(), '/next');
  first[0]?.();
  assert.equal((await slow).body.toString(), '/slow');
  assert.equal(origin.sessions.length, 2);
});

test('HTTP_1_1_REQUIRED: the origin is asked by HTTP/1.1', async () => {
  await using origin = await startHttp2Origin((stream) => stream.close(HTTP_1_1_REQUIRED), { allowHTTP1: true });
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin);
  assert.equal((await client.get('/a')).body.toString(), 'by HTTP/1.1');
  assert.equal((await client.get('/b')).body.toString(), 'by HTTP/1.1');
  await proxy.captured(2);
  const response = (await proxy.records()).find(({ type }) => type === 'response');
  assert.match(response?.fields.get('warc-protocol') ?? '', /http\/1\.1/);
});

for (const [name, said] of [
  ['HTTP/1.1', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['nothing that makes sense', 'x'.repeat(100)],
  ['a frame past all bounds', '\xff\xff\xff\x00\x00\x00\x00\x00\x01'],
  ['nothing at all', ''],
] as const) {
  test(`an origin that chooses h2 and says ${name}: 502, a failure, and the next request works`, async () => {
    const server = createTlsServer({ ...(await testCertificate()), ALPNProtocols: ['h2'] }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.from(said, 'latin1')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using good = await startHttp2Origin((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('good');
    });
    await using proxy = await startProxy();
    using client = await clientOf(proxy, server.address() as AddressInfo);
    assert.equal((await client.get('/')).status, 502);
    assert.equal((await client.get('/again')).status, 502);
    await proxy.captured(2);
    assert.equal(proxy.captures[0]?.kind, 'failure');
    using other = await clientOf(proxy, good);
    assert.equal((await other.get('/')).body.toString(), 'good');
    server.close();
  });
}

for (const [name, said] of [
  ['never', ''],
  ['not to its end', '\0\0\x06\x04\0\0\0\0\0'],
] as const) {
  test(`an origin that chooses h2 and says its settings ${name}: all that wait for it are told in time, of one connection`, async () => {
    const heard: FrameReading[] = [];
    const server = createTlsServer({ ...(await testCertificate()), ALPNProtocols: ['h2'] }, (socket) => {
      heard.push(readFrames(socket));
      socket.write(Buffer.from(said, 'latin1'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using proxy = await startProxy({ socketTimeout: 1 });
    using client = await clientOf(proxy, server.address() as AddressInfo);
    const answers = await Promise.all(['/a', '/b', '/c'].map((path) => client.get(path)));
    for (const { status, body } of answers) {
      assert.equal(status, 502);
      assert.match(body.toString(), /^origin chose HTTP\/2 and has not begun it within 1 s \(no SETTINGS\)/);
    }
    await proxy.captured(3);
    assert.deepEqual(
      proxy.captures.map(({ kind }) => kind),
      ['failure', 'failure', 'failure'],
    );
    assert.equal(heard.length, 1);
    const goaway = (await heard[0]?.whole)?.find(({ type }) => type === TYPE.goaway);
    assert.equal(goaway?.payload.readUInt32BE(4), SETTINGS_TIMEOUT);
    server.close();
  });
}

test('a client that reads slowly holds its own stream back: the origin is held back, others go on', async () => {
  let written = 0;
  await using origin = await startHttp2Origin((stream, headers) => {
    stream.respond({ ':status': 200 });
    if (headers[':path'] !== '/large') return void stream.end('small');
    const more = () => {
      let flows = true;
      while (flows && written < 24 * MIB) {
        flows = stream.write(Buffer.alloc(64 * 1024));
        written += 64 * 1024;
      }
      if (written >= 24 * MIB) stream.end();
      else stream.once('drain', more);
    };
    more();
  });
  await using proxy = await startProxy({ tmpFileMaxMemorySize: 1024 });
  using client = await clientOf(proxy, origin);
  const large = client.session.request({ ':path': '/large' });
  await once(large, 'response');
  for (let n = 0; n < 20; n++) assert.equal((await client.get(`/${n}`)).body.toString(), 'small');
  assert.ok(written < 12 * MIB, `${written} bytes were taken of the origin`);
  let received = 0;
  large.on('data', (piece: Buffer) => (received += piece.length));
  await once(large, 'end');
  assert.equal(received, written);
});

test('a client that leaves within its request: the origin gets no whole one', async () => {
  let ended = false;
  const closed = new Promise<number>((resolve) => {
    void startWatching(resolve);
  });
  let begun: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  let originPort: (port: number) => void = () => undefined;
  const port = new Promise<number>((resolve) => (originPort = resolve));
  async function startWatching(resolve: (code: number) => void) {
    const origin = await startHttp2Origin((stream) => {
      stream.on('data', () => begun());
      stream.on('end', () => (ended = !stream.aborted));
      stream.on('close', () => {
        resolve(stream.rstCode);
        void origin[Symbol.asyncDispose]();
      });
    });
    originPort(origin.port);
  }
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${await port}`, proxy.ca);
  const upload = client.session.request({ ':path': '/', ':method': 'POST' });
  upload.on('error', () => undefined);
  upload.write('some of it');
  await hasBegun;
  upload.destroy(new Error('left'));
  assert.notEqual(await closed, 0);
  assert.equal(ended, false);
});

test('Warcprox-Meta counts: a block, a limit, a prefix; it is not sent on', async () => {
  await using origin = await startHttp2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end('x');
  });
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin);
  const meta = (value: object) => ({ 'warcprox-meta': JSON.stringify(value) });
  const blocked = await client.get('/no', meta({ blocks: [{ substring: '/no' }] }));
  assert.equal(blocked.status, 403);
  assert.match(blocked.body.toString(), /blocked by rule/);
  const stats = { stats: { buckets: ['b'] } };
  assert.equal((await client.get('/one', meta({ ...stats, 'warc-prefix': 'OVER-H2' }))).status, 200);
  const limited = await client.get('/two', meta({ ...stats, limits: { 'b/total/urls': 1 } }));
  assert.equal(limited.status, 420);
  assert.equal((await client.get('/three', meta({ ...stats, 'soft-limits': { 'b/total/urls': 1 } }))).status, 430);
  assert.equal(origin.asked.length, 1);
  assert.equal(origin.asked[0]?.headers['warcprox-meta'], undefined);
  assert.equal(proxy.captures[0]?.warcPrefix, 'OVER-H2');
  assert.equal((await client.get('/bad', { 'warcprox-meta': '{' })).status, 400);
});

test('HEAD, 204 and 304 have no body; Expect: 100-continue is asked for', async () => {
  await using origin = await startHttp2Origin((stream, headers) => {
    const status = Number(headers[':path']?.slice(1));
    if (headers.expect !== undefined) stream.additionalHeaders({ ':status': 100 });
    stream.respond({ ':status': status, 'x-method': headers[':method'] });
    stream.end();
  });
  await using proxy = await startProxy();
  using client = await clientOf(proxy, origin);
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    const answer = await client.get(`/${status}`, { ':method': method });
    assert.deepEqual([answer.status, answer.body.length, answer.rstCode], [status, 0, 0]);
  }
  const upload = client.session.request({ ':path': '/200', ':method': 'POST', expect: '100-continue' });
  upload.once('continue', () => upload.end('body'));
  assert.equal((await answered(upload)).status, 200);
});

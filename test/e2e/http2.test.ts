/** HTTP/2 with clients and origins of Node, through a proxy: what passes, and what stands in the WARC file. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { http2Client, startHttp2Origin, tunnelTls } from '../support/http2.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

const sha1 = (bytes: Buffer | string) => `sha1:${createHash('sha1').update(bytes).digest('hex')}`;
const MIB = 1024 * 1024;

test('an origin that speaks HTTP/2 is asked by it, and recorded in the form of HTTP/1.1', async () => {
  await using origin = await startHttp2Origin((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain', 'x-twice': ['a', 'b'] }, { sendDate: false } as object);
    stream.end('hello');
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const answer = await client.get('/a?b', { 'x-one': '1', cookie: ['a=1', 'b=2'], accept: '*/*' });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), 'hello');
  assert.equal(answer.headers.via, '1.1 warcprox');
  assert.equal(origin.asked[0]?.headers[':path'], '/a?b');
  await proxy.captured(1);
  const records = (await proxy.records()).filter(({ type }) => type !== 'warcinfo');
  const [response, request] = records;
  assert.deepEqual(
    records.map(({ type }) => type),
    ['response', 'request'],
  );
  assert.equal(
    request?.block.toString('latin1'),
    `GET /a?b HTTP/1.1\r\nhost: 127.0.0.1:${origin.port}\r\nx-one: 1\r\ncookie: a=1; b=2\r\naccept: */*\r\n\r\n`,
  );
  assert.equal(response?.block.toString('latin1'), 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-twice: a\r\nx-twice: b\r\n\r\nhello');
  assert.equal(response.url, `https://127.0.0.1:${origin.port}/a?b`);
  assert.equal(response.fields.get('warc-payload-digest'), sha1('hello'));
  assert.match(response.fields.get('warc-protocol') ?? '', /h2/);
});

test('an origin without HTTP/2 is asked by HTTP/1.1, and the very bytes are recorded', async () => {
  await using origin = await startOrigin(
    ({ socket }) => socket.write('HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
    { tls: true },
  );
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const answer = await client.get('/up', { ':method': 'POST' }, 'some body');
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), 'abc');
  assert.equal(answer.headers['transfer-encoding'], undefined);
  await proxy.captured(1);
  const sent = `POST /up HTTP/1.1\r\nhost: 127.0.0.1:${origin.port}\r\ntransfer-encoding: chunked\r\n\r\n9\r\nsome body\r\n0\r\n\r\n`;
  assert.equal(origin.requests[0]?.bytes.toString('latin1'), sent);
  const records = await proxy.records();
  assert.equal(records.find(({ type }) => type === 'request')?.block.toString('latin1'), sent);
  const response = records.find(({ type }) => type === 'response');
  assert.equal(
    response?.block.toString('latin1'),
    'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  );
  assert.equal(response.fields.get('warc-payload-digest'), sha1('abc'));
});

test('a client of HTTP/1.1 has its origin asked by HTTP/1.1 alone', async () => {
  const offered: (readonly string[])[] = [];
  await using origin = await startHttp2Origin(() => undefined, {
    allowHTTP1: true,
    ALPNCallback: ({ protocols }) => {
      offered.push(protocols);
      return protocols.includes('h2') ? 'h2' : 'http/1.1';
    },
  });
  await using proxy = await startProxy();
  const socket = await tunnelTls(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca, ['http/1.1']);
  socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await proxy.captured(1).catch(() => undefined);
  assert.deepEqual(offered, [['http/1.1']]);
  socket.destroy();
});

test('--http2 off: nobody is offered it', async () => {
  await using proxy = await startProxy({ http2: 'off' });
  const socket = await tunnelTls(proxy.port, '127.0.0.1:1', proxy.ca, ['h2', 'http/1.1']);
  assert.equal(socket.alpnProtocol, 'http/1.1');
  socket.destroy();
});

test('large bodies pass both ways, with their digests', async () => {
  const up = Buffer.alloc(3 * MIB, 'up');
  const down = Buffer.alloc(5 * MIB, 'down');
  await using origin = await startHttp2Origin((stream) => {
    let received = 0;
    stream.on('data', (piece: Buffer) => (received += piece.length));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'x-received': String(received) });
      stream.end(down);
    });
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const answer = await client.get('/', { ':method': 'PUT' }, up);
  assert.equal(answer.headers['x-received'], String(up.length));
  assert.ok(answer.body.equals(down));
  await proxy.captured(1);
  const records = await proxy.records();
  assert.ok(
    records
      .find(({ type }) => type === 'request')
      ?.block.subarray(-up.length)
      .equals(up),
  );
  assert.equal(records.find(({ type }) => type === 'response')?.fields.get('warc-payload-digest'), sha1(down));
});

test('100 requests at once share one session with their origin', async () => {
  await using origin = await startHttp2Origin((stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(headers[':path']);
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => client.get(`/${n}`)));
  assert.deepEqual(
    answers.map(({ body }) => body.toString()),
    answers.map((_, n) => `/${n}`),
  );
  assert.equal(origin.sessions.length, 1);
  await proxy.captured(100);
});

test('uploads at once share the session that is there', async () => {
  await using origin = await startHttp2Origin((stream) => {
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end();
    });
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const upload = () => client.get('/', { ':method': 'POST' }, 'body');
  assert.equal((await upload()).status, 200);
  for (const { status } of await Promise.all(Array.from({ length: 20 }, upload))) assert.equal(status, 200);
  assert.equal(origin.sessions.length, 1);
});

test('an origin that takes few streams is given more sessions', async () => {
  const open: (() => void)[] = [];
  await using origin = await startHttp2Origin(
    (stream) => {
      open.push(() => {
        stream.respond({ ':status': 200 });
        stream.end('x');
      });
      if (open.length === 9) for (const answer of open) answer();
    },
    { settings: { maxConcurrentStreams: 3 } },
  );
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const answers = await Promise.all(Array.from({ length: 9 }, (_, n) => client.get(`/${n}`)));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(origin.sessions.length >= 3 && origin.sessions.length <= 4, `${origin.sessions.length} sessions`);
});

test('interim answers and trailers are passed on; trailers have a record', async () => {
  await using origin = await startHttp2Origin((stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-checksum': 'abc' }));
    stream.end('body');
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const answer = await client.get('/');
  assert.deepEqual(
    answer.interim.map((head) => [head[':status'], head.link]),
    [[103, '</a.css>; rel=preload']],
  );
  assert.equal(answer.trailers?.['grpc-status'], '0');
  assert.equal(answer.trailers['x-checksum'], 'abc');
  await proxy.captured(1);
  const metadata = (await proxy.records()).find(({ type }) => type === 'metadata');
  assert.equal(metadata?.fields.get('content-type'), 'application/warc-fields');
  assert.equal(metadata.block.toString(), 'trailer: grpc-status: 0\r\ntrailer: x-checksum: abc\r\n');
});

test('the last bytes of a body do not wait for an origin that is slow to end it', async () => {
  let end: () => void = () => undefined;
  await using origin = await startHttp2Origin((stream) => {
    stream.respond({ ':status': 200, 'content-length': 5 });
    stream.write('whole');
    end = () => stream.end();
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const stream = client.session.request({ ':path': '/' });
  const [body] = (await once(stream, 'data')) as [Buffer];
  assert.equal(body.toString(), 'whole');
  end();
  await once(stream, 'close');
  assert.equal(stream.rstCode, 0);
});

test('an answer that is reset in mid-body is kept, marked, and reset for the client; the next request works', async () => {
  await using origin = await startHttp2Origin((stream, headers) => {
    stream.respond({ ':status': 200 });
    if (headers[':path'] === '/whole') return void stream.end('whole');
    stream.write('some');
    setImmediate(() => stream.destroy(new Error('cut')));
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const cut = await client.get('/cut');
  assert.equal(cut.status, 200);
  assert.notEqual(cut.rstCode, 0);
  assert.equal((await client.get('/whole')).body.toString(), 'whole');
  await proxy.captured(2);
  const record = (await proxy.records()).find(({ type, url }) => type === 'response' && url.endsWith('/cut'));
  assert.equal(record?.fields.get('warc-truncated'), 'disconnect');
  assert.match(record.block.toString(), /\r\n\r\nsome$/);
});

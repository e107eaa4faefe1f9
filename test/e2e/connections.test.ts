/**
 * What a client may do with its connection: several requests, pipelined ones, HTTP/1.0, half-closing, odd pieces.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, okHead, received } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

test('requests on one connection are answered in order, over one connection to the origin', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using running = await startProxy();
  using client = await RawClient.connect(running.port);
  for (const path of ['/a', '/b', '/c']) {
    client.send(get(`${origin.url}${path}`));
    assert.equal((await client.response()).body.toString(), path);
  }
  assert.equal(origin.connections, 1);
  await running.captured(3);
  assert.deepEqual(
    running.captures.map(({ url }) => url),
    ['/a', '/b', '/c'].map((path) => origin.url + path),
  );
});

test('pipelined requests are answered in order, each after the one before', async () => {
  let running = 0;
  let most = 0;
  await using origin = await startOrigin(({ path, socket }) => {
    most = Math.max(most, ++running);
    setImmediate(() => {
      running--;
      socket.write(ok(path));
    });
  });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
  client.send(paths.map((path) => get(origin.url + path)).join(''));
  for (const path of paths) assert.equal((await client.response()).body.toString(), path);
  assert.equal(most, 1);
});

test('a request pipelined behind an upload is served once the upload is answered', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  const host = `Host: 127.0.0.1:${origin.port}\r\n`;
  client.send(
    `POST ${origin.url}/length HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello` +
      `POST ${origin.url}/chunks HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${get(`${origin.url}/get`)}`,
  );
  for (const path of ['/length', '/chunks', '/get']) assert.equal((await client.response()).body.toString(), path);
  assert.equal(
    origin.requests[1]?.bytes.toString(),
    `POST /chunks HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  );
});

test('the own page may stand between other requests of a connection', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`${get(`${origin.url}/a`)}GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n${get(`${origin.url}/b`)}`);
  assert.equal((await client.response()).body.toString(), '/a');
  assert.match((await client.response()).body.toString(), /"role": "warcprox"/);
  assert.equal((await client.response()).body.toString(), '/b');
});

test('a client of HTTP/1.0 gets a length as it is, and the connection is closed', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`GET ${origin.url}/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
  assert.equal((await client.rest()).toString(), `${okHead(2, '', 'Connection: close\r\n')}ok`);
  assert.equal(origin.requests[0]?.bytes.toString(), `GET / HTTP/1.0\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);
});

test('a client of HTTP/1.0 gets chunks as plain bytes; the archive has them as they came', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n';
  await using origin = await startOrigin(({ socket }) => socket.write(answer));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`GET ${origin.url}/ HTTP/1.0\r\n\r\n`);
  assert.equal((await client.rest()).toString(), 'HTTP/1.1 200 OK\r\nVia: 1.1 warcprox\r\nConnection: close\r\n\r\nabcde');
  await proxy.captured(1);
  assert.equal((await proxy.records())[0]?.block.toString(), answer);
});

test('a client of HTTP/1.0 gets no interim answers', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok()}`));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`GET ${origin.url}/ HTTP/1.0\r\n\r\n`);
  assert.equal((await client.rest()).toString(), `${okHead(2, '', 'Connection: close\r\n')}ok`);
});

for (const field of ['Connection: close', 'connection: Keep-Alive, CLOSE', 'Proxy-Connection: close']) {
  test(`"${field}" ends the connection after the answer, but not the one to the origin`, async () => {
    await using origin = await startOrigin(({ socket }) => socket.write(ok()));
    await using proxy = await startProxy();
    for (let i = 0; i < 2; i++) {
      using client = await RawClient.connect(proxy.port);
      client.send(get(`${origin.url}/`, `${field}\r\n`) + get(`${origin.url}/never`));
      assert.equal((await client.rest()).toString(), `${okHead(2, '', 'Connection: close\r\n')}ok`);
    }
    assert.equal(origin.connections, 1);
    assert.equal(origin.requests.length, 2);
  });
}

test('a client that closes its side after its request still gets its answer', async () => {
  let answer = () => {};
  await using origin = await startOrigin(({ socket }) => (answer = () => void socket.write(ok())));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.socket.end(get(`${origin.url}/`));
  await origin.requested(1);
  await untilHalfClosed(client);
  answer();
  assert.match((await client.rest()).toString(), /\r\n\r\nok$/);
});

test('a client that closes its side after several requests gets all of its answers', async () => {
  const answers: (() => void)[] = [];
  await using origin = await startOrigin(({ path, socket }) => answers.push(() => socket.write(ok(path))));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.socket.end(get(`${origin.url}/a`) + get(`${origin.url}/b`) + get(`${origin.url}/c`));
  await untilHalfClosed(client);
  for (let i = 0; i < 3; i++) {
    await origin.requested(i + 1);
    answers[i]?.();
  }
  assert.equal((await client.rest()).toString(), `${okHead()}/a${okHead()}/b${okHead(2, '', 'Connection: close\r\n')}/c`);
});

test('a client that closes its side in the middle of a request is told so', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  const parts = {
    head: `GET ${origin.url}/ HT`,
    body: `POST ${origin.url}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nContent-Length: 5\r\n\r\nhel`,
  };
  for (const [part, bytes] of Object.entries(parts)) {
    using client = await RawClient.connect(proxy.port);
    client.socket.end(bytes);
    assert.match(
      (await client.rest()).toString(),
      new RegExp(`^HTTP/1\\.1 400 [^]*\r\n\r\nrequest ended before its ${part} was complete\n$`),
    );
  }
  assert.equal(origin.requests.length, 0);
});

test('empty lines in front of a request are ignored', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`\r\n\r\n\n${get(`${origin.url}/a`)}`);
  assert.equal((await client.response()).body.toString(), '/a');
  client.send('\r');
  client.send(`\n${get(`${origin.url}/b`)}`);
  assert.equal((await client.response()).body.toString(), '/b');
  assert.equal(origin.requests[1]?.bytes.toString(), received(`${origin.url}/b`));
});

test('a request may come byte by byte', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  const request = `POST ${origin.url}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nTransfer-Encoding: chunked\r\n\r\n3;a\r\nabc\r\n0\r\nT: 1\r\n\r\n`;
  for (const byte of request) await new Promise((resolve) => client.socket.write(byte, 'latin1', resolve));
  assert.equal((await client.response()).body.toString(), 'ok');
  assert.equal(origin.requests[0]?.bytes.toString(), request.replace(origin.url, ''));
});

test('a request may be split at any byte, in its head or its body', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  const request = `POST ${origin.url}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nContent-Length: 4\r\n\r\nbody`;
  for (let at = 1; at < request.length; at++) {
    await new Promise((resolve) => client.socket.write(request.slice(0, at), 'latin1', resolve));
    await new Promise(setImmediate);
    client.send(request.slice(at));
    assert.equal((await client.response()).status, 200);
  }
  const whole = request.replace(origin.url, '');
  assert.ok(origin.requests.every(({ bytes }) => bytes.toString() === whole));
});

/** Until the proxy must have seen that the client closed its side: it answers another connection that came later. */
async function untilHalfClosed(client: RawClient): Promise<void> {
  if (!client.socket.writableFinished) await new Promise((resolve) => client.socket.once('finish', resolve));
  using other = await RawClient.connect(client.socket.remotePort ?? 0);
  other.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await other.response();
}

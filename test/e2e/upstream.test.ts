/**
 * Connections to origins: kept, found dead, refused, failing; and what the client is told.
 */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

/** One request on a connection of its own. @returns head and body as they came */
async function ask(proxy: TestProxy, request: string): Promise<string> {
  using client = await RawClient.connect(proxy.port);
  client.send(request);
  const { head, body } = await client.response();
  return head + body.toString();
}

const post = (url: string) => `POST ${url} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`;

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A server that accepts connections and does with them what `serve` says. */
async function tcp(serve: Parameters<typeof createServer>[1]): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    serve?.(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
}

test('clients share kept connections, each origin has its own', async () => {
  await using one = await startOrigin(({ path, socket }) => socket.write(ok(`1${path}`)));
  await using two = await startOrigin(({ path, socket }) => socket.write(ok(`2${path}`)));
  await using proxy = await startProxy();
  for (const path of ['/a', '/b', '/c']) {
    assert.match(await ask(proxy, get(one.url + path)), new RegExp(`1${path}$`));
    assert.match(await ask(proxy, get(two.url + path)), new RegExp(`2${path}$`));
  }
  assert.equal(one.connections, 1);
  assert.equal(two.connections, 1);
});

test('two requests at once have two connections, and both are kept', async () => {
  const answers: (() => void)[] = [];
  await using origin = await startOrigin(({ socket }) => {
    answers.push(() => socket.write(ok()));
    if (answers.length === 2) for (const answer of answers.splice(0)) answer();
  });
  await using proxy = await startProxy();
  for (let i = 0; i < 3; i++) await Promise.all([ask(proxy, get(`${origin.url}/a`)), ask(proxy, get(`${origin.url}/b`))]);
  assert.equal(origin.connections, 2);
});

test('a GET on a kept connection that turns out dead is sent once more on a new one', async () => {
  await using origin = await startOrigin(({ path, connection, socket }) => {
    if (connection === 0 && path === '/second') socket.destroy();
    else socket.write(ok(path));
  });
  await using proxy = await startProxy();
  assert.match(await ask(proxy, get(`${origin.url}/first`)), /\/first$/);
  assert.match(await ask(proxy, get(`${origin.url}/second`)), /\/second$/);
  assert.deepEqual(
    origin.requests.map(({ path, connection }) => [path, connection]),
    [
      ['/first', 0],
      ['/second', 0],
      ['/second', 1],
    ],
  );
  await proxy.captured(2);
  const records = await proxy.records();
  assert.equal(records.length, 4);
  assert.equal(records[3]?.block.toString(), origin.requests[2]?.bytes.toString());
});

test('it is sent only once more', async () => {
  await using origin = await startOrigin(({ path, socket }) => {
    if (path === '/second') socket.destroy();
    else socket.write(ok(path));
  });
  await using proxy = await startProxy();
  await ask(proxy, get(`${origin.url}/first`));
  assert.match(await ask(proxy, get(`${origin.url}/second`)), /^HTTP\/1\.1 502 /);
  assert.equal(origin.requests.length, 3);
});

test('nothing is sent again once a byte of the answer has come', async () => {
  await using origin = await startOrigin(({ path, socket }) => {
    if (path === '/second') socket.end('H');
    else socket.write(ok(path));
  });
  await using proxy = await startProxy();
  await ask(proxy, get(`${origin.url}/first`));
  const answer = await ask(proxy, get(`${origin.url}/second`));
  assert.equal(answer, refusal('502 Bad Gateway', 'connection closed in the middle of the response head', false));
  assert.equal(origin.requests.length, 2);
});

test('POST goes on a connection that was in use just now, and is never sent again', async () => {
  await using origin = await startOrigin(({ path, socket }) => {
    if (path === '/dead') socket.destroy();
    else socket.write(ok(path));
  });
  await using proxy = await startProxy();
  await ask(proxy, get(`${origin.url}/0`));
  await ask(proxy, post(`${origin.url}/1`));
  assert.match(await ask(proxy, post(`${origin.url}/dead`)), /^HTTP\/1\.1 502 /);
  await ask(proxy, post(`${origin.url}/2`));
  assert.deepEqual(
    origin.requests.map(({ path, connection }) => [path, connection]),
    [
      ['/0', 0],
      ['/1', 0],
      ['/dead', 0],
      ['/2', 1],
    ],
  );
});

test('a hundred POSTs at once leave six connections to their origin', async () => {
  await using origin = await startOrigin(() => {
    if (origin.requests.length === 100) for (const { path, socket } of origin.requests) socket.write(ok(path));
  });
  await using proxy = await startProxy();
  await Promise.all(Array.from({ length: 100 }, (_, nth) => ask(proxy, post(`${origin.url}/${nth}`))));
  while (origin.open > 6) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(origin.connections, 100);
  assert.equal(origin.open, 6);
});

test('an origin that closes without an answer: 502', async () => {
  await using origin = await startOrigin(({ socket }) => socket.end());
  await using proxy = await startProxy();
  const expected = refusal('502 Bad Gateway', 'origin closed the connection without an answer', false);
  assert.equal(await ask(proxy, get(`${origin.url}/`)), expected);
  const capture = await proxy.captureOf(`${origin.url}/`);
  assert.ok(capture.kind === 'failure' && capture.error.code === 'empty-response');
  assert.deepEqual(await proxy.records(), []);
});

test('an origin that resets the connection: 502', async () => {
  await using origin = await startOrigin(({ socket }) => socket.resetAndDestroy());
  await using proxy = await startProxy();
  assert.equal(await ask(proxy, get(`${origin.url}/`)), refusal('502 Bad Gateway', 'no answer: read ECONNRESET', false));
});

test('a refused connection: 502, and the same at once for a minute, without another attempt', async () => {
  await using proxy = await startProxy();
  const port = await closedPort();
  const url = `http://127.0.0.1:${port}/`;
  const reason = `connection to 127.0.0.1:${port} failed: connect ECONNREFUSED 127.0.0.1:${port}`;
  assert.equal(await ask(proxy, get(url)), refusal('502 Bad Gateway', reason, false));
  let connections = 0;
  const server = createServer(() => connections++).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const again = refusal('502 Bad Gateway', `${reason} (failed less than a minute ago, not tried again)`, false);
  assert.equal(await ask(proxy, get(`${url}other`)), again);
  assert.equal(await ask(proxy, get(`${url}third`)), again);
  assert.equal(connections, 0);
  server.close();
  const capture = await proxy.captureOf(`${url}other`);
  assert.ok(capture.kind === 'failure' && capture.error.code === 'failed-before' && capture.status === 502);
});

test('the client keeps its connection when an origin fails', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`http://127.0.0.1:${await closedPort()}/`) + get(`${origin.url}/`));
  assert.equal((await client.response()).status, 502);
  assert.equal((await client.response()).status, 200);
});

test('a failed upload: the client is answered and its connection closed, because its body was not read', async () => {
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`POST http://127.0.0.1:${await closedPort()}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart`);
  const answer = (await client.rest()).toString();
  assert.match(answer, /^HTTP\/1\.1 502 [^]*\r\nConnection: close\r\n\r\nconnection to 127\.0\.0\.1:\d+ failed: /);
});

test('a name that does not resolve: 502', async () => {
  await using proxy = await startProxy();
  const answer = await ask(proxy, get('http://nowhere.invalid/'));
  assert.match(answer, /^HTTP\/1\.1 502 Bad Gateway\r\n[^]*\r\n\r\nhost name nowhere\.invalid not resolved: .+\n$/);
  const capture = await proxy.captureOf('http://nowhere.invalid/');
  assert.ok(capture.kind === 'failure' && capture.error.code === 'not-resolved');
});

test('an origin that does not finish TLS in time: 504', async () => {
  await using silent = await tcp((socket) => socket.resume());
  await using proxy = await startProxy({ socketTimeout: 0.3 });
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${silent.port}`, { ca: proxy.ca });
  client.send('GET / HTTP/1.1\r\n\r\n');
  const { head, body } = await client.response();
  const reason = `TLS with 127.0.0.1:${silent.port} timed out after 0.3 s`;
  assert.equal(head + body.toString(), refusal('504 Gateway Timeout', reason, false));
});

test('a cached time-out keeps its status: 504', async () => {
  await using silent = await tcp((socket) => socket.resume());
  await using proxy = await startProxy({ socketTimeout: 0.3 });
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${silent.port}`, { ca: proxy.ca });
  for (let i = 0; i < 2; i++) {
    client.send('GET / HTTP/1.1\r\n\r\n');
    assert.equal((await client.response()).status, 504);
  }
  await proxy.captured(2);
  assert.deepEqual(
    proxy.captures.map((capture) => capture.kind === 'failure' && capture.error.code),
    ['connect-timeout', 'failed-before'],
  );
});

test('an origin that speaks no TLS: 502', async () => {
  await using plain = await tcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await using proxy = await startProxy();
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${plain.port}`, { ca: proxy.ca });
  client.send('GET / HTTP/1.1\r\n\r\n');
  const { status, body } = await client.response();
  assert.equal(status, 502);
  assert.match(body.toString(), new RegExp(`^TLS with 127\\.0\\.0\\.1:${plain.port} failed: [^\n]+\n$`));
});

test('no answer within the idle time-out: 502', async () => {
  await using origin = await startOrigin(() => undefined);
  await using proxy = await startProxy({ socketTimeout: 0.3 });
  const reason = 'no answer from the origin within the idle time-out';
  assert.equal(await ask(proxy, get(`${origin.url}/`)), refusal('502 Bad Gateway', reason, false));
});

test('an origin that stops in the middle of its answer: what came is archived, marked "time"', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  await using proxy = await startProxy({ socketTimeout: 0.3 });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.match((await client.rest()).toString(), /\r\n\r\nhalf$/);
  await proxy.captured(1);
  const [response] = await proxy.records();
  assert.equal(response?.fields.get('warc-truncated'), 'time');
  assert.match(response.block.toString(), /\r\n\r\nhalf$/);
});

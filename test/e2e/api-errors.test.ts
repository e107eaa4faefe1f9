/**
 * Every row of the error table, over HTTP and in tunnels, and what becomes of records when the proxy stops or cannot write.
 *
 * Source: spec/warcprox.md §2 (error table), §8, §12.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { answered, startApi, WAYS, type Way } from '../support/api.ts';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

/** A server that does with its connections what `serve` says; `port` stays closed without one. */
async function server(serve?: (socket: Socket) => unknown): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const listening = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    serve?.(socket);
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  if (serve === undefined) listening.close();
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (!listening.listening) return;
      listening.close();
      await once(listening, 'close');
    },
  };
}

/** @returns status and reason */
async function ask(proxy: TestProxy, way: Way, authority: string, path = '/'): Promise<{ status: number; line: string }> {
  const tls = way === 'in a TLS tunnel';
  using client = tls ? await RawClient.tunnel(proxy.port, authority, { ca: proxy.ca }) : await RawClient.connect(proxy.port);
  client.send(tls ? `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n` : get(`http://${authority}${path}`));
  const { status, head, body } = await answered(client);
  assert.match(
    head,
    /^HTTP\/1\.1 \d\d\d [^\r]+\r\nContent-Type: text\/plain;charset=utf-8\r\nContent-Length: \d+\r\n(Connection: close\r\n)?\r\n$/,
  );
  assert.match(body, /^[^\n]+\n$/);
  return { status, line: body };
}

for (const way of WAYS) {
  test(`names that do not resolve, refused and reset connections, and answers that are none: 502, ${way}`, async () => {
    await using proxy = await startProxy();
    await using closed = await server();
    await using resetting = await server((socket) => socket.resetAndDestroy());
    await using silent = await server((socket) => socket.once('data', () => socket.end()));
    await using garbage = await server((socket) => socket.once('data', () => socket.end('SSH-2.0-nonsense\r\n\r\n')));
    const authorities = ['does-not-exist.invalid:80', ...[closed, resetting, silent, garbage].map(({ port }) => `127.0.0.1:${port}`)];
    for (const authority of authorities) assert.equal((await ask(proxy, way, authority)).status, 502, authority);
    await proxy.captured(authorities.length);
    assert.ok(proxy.captures.every(({ kind }) => kind === 'failure'));
    assert.deepEqual(await proxy.records(), []);
  });

  test(`an answer that does not come within the time-out: 502 for the head, 504 for the connection, ${way}`, async () => {
    await using proxy = await startProxy({ socketTimeout: 1 });
    await using silent = await server(() => undefined);
    const { status } = await ask(proxy, way, `127.0.0.1:${silent.port}`);
    // In a tunnel it is TLS that is not set up in time.
    assert.equal(status, way === 'over HTTP' ? 502 : 504);
  });

  test(`what failed to connect fails again at once with the same status, ${way}`, async () => {
    const connections: unknown[] = [];
    await using proxy = await startProxy();
    await using closed = await server();
    await using other = await server((socket) => {
      connections.push(socket);
      socket.destroy();
    });
    const first = await ask(proxy, way, `127.0.0.1:${closed.port}`);
    await using late = createServer((socket) => connections.push(socket)).listen(closed.port, '127.0.0.1');
    await once(late, 'listening');
    const again = await ask(proxy, way, `127.0.0.1:${closed.port}`);
    assert.equal(first.status, 502);
    assert.equal(again.status, 502);
    assert.equal(again.line, first.line.replace('\n', ' (failed less than a minute ago, not tried again)\n'));
    assert.deepEqual(connections, []);
    assert.equal((await ask(proxy, way, `127.0.0.1:${other.port}`)).status, 502);
    assert.ok(connections.length > 0);
  });

  test(`forbidden addresses: 400, ${way}`, async () => {
    await using proxy = await startProxy({ allowLocalhost: false });
    await using target = await server((socket) => socket.write(ok()));
    const rejected = (why: string) => ({ status: 400, line: `request rejected by warcprox: ${why}\n` });
    const permitted = {
      localhost: rejected('localhost access is not permitted (--allow-localhost of the proxy permits it)'),
      special: rejected('access to link-local and metadata addresses is not permitted (--allow of the proxy permits single ones)'),
      itself: rejected('localhost access is not permitted (this is where the proxy itself listens)'),
    };
    const odd = way === 'over HTTP' ? ['127.1', '2130706433'] : [];
    for (const host of ['127.0.0.1', 'localhost', '0.0.0.0', '169.254.169.254', ...odd]) {
      assert.deepEqual(
        await ask(proxy, way, `${host}:${target.port}`),
        host.startsWith('169') ? permitted.special : permitted.localhost,
        host,
      );
    }
    await using allowed = await startProxy();
    assert.deepEqual(await ask(allowed, way, `127.0.0.1:${allowed.port}`), permitted.itself);
  });

  test(`a malformed request: 400, ${way}`, async () => {
    await using api = await startApi(way);
    for (const request of ['GET\r\n\r\n', 'GET / HTTP/1.1\r\nno colon\r\n\r\n', 'GET ftp://x/ HTTP/1.1\r\n\r\n']) {
      using client = await api.connect();
      client.send(request);
      const { text, body } = await answered(client);
      assert.equal(text, refusal('400 Bad Request', body.slice(0, -1)));
    }
    assert.equal(api.origin.connections, 0);
  });

  test(`a proxy that shuts down answers 503, also to those that wait at a limit, ${way}`, async () => {
    await using api = await startApi(way, { maxThreads: 1, answer: () => undefined });
    const meta = { stats: { buckets: ['b'] }, limits: { 'b/total/urls': 5 } };
    const asked = ['/1', '/2', '/3'].map((path) => api.ask(path, { meta }));
    await api.origin.requested(1);
    while ((await api.status()).unaccepted_requests !== 2);
    await api.proxy.proxy.close();
    for (const { status } of await Promise.all(asked)) assert.equal(status, 503);
  });

  test(`a record that cannot be written any more is answered 503, never 204, ${way}`, async () => {
    await using api = await startApi(way, { noWarcOpenSuffix: false });
    const fatal = once(api.proxy.proxy, 'fatal');
    await rm(join(api.proxy.dir, 'warcs'), { recursive: true });
    const { status, body } = await api.write('x:y', 'z');
    assert.equal(status, 503);
    assert.match(body, /^record not written: [^\n]+\n$/);
    await fatal;
    assert.equal((await api.write('x:y', 'z')).status, 503);
    assert.equal((await api.ask('/')).status, 503);
    await api.proxy.proxy.close().catch(() => undefined);
  });
}

/**
 * How the proxy stops, by request and when nothing can be archived any more.
 *
 * Source: spec/warcprox.md §12.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

const SHUTTING_DOWN = refusal('503 Service Unavailable', 'proxy is shutting down');

test('close() answers 503 to what has no answer yet, and closes idle connections', async () => {
  await using origin = await startOrigin(() => undefined);
  await using proxy = await startProxy({ maxThreads: 1 });
  using running = await RawClient.connect(proxy.port);
  using waiting = await RawClient.connect(proxy.port);
  using idle = await RawClient.connect(proxy.port);
  using tunnel = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca });
  running.send(get(`${origin.url}/running`));
  await origin.requested(1);
  waiting.send(get(`${origin.url}/waiting`));
  idle.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await idle.response();
  await proxy.proxy.close();
  assert.equal((await running.rest()).toString(), SHUTTING_DOWN);
  assert.equal((await waiting.rest()).toString(), SHUTTING_DOWN);
  assert.equal((await idle.rest()).length, 0);
  assert.equal((await tunnel.rest()).length, 0);
  assert.equal(origin.requests.length, 1);
  const [capture] = proxy.captures;
  assert.ok(capture?.kind === 'failure' && capture.error.code === 'shutting-down');
});

for (const tls of [false, true]) {
  test(`close() in the middle of an answer keeps what came, marked "disconnect", and cuts the client off (${tls ? 'HTTPS' : 'HTTP'})`, async () => {
    const begun = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe beginning';
    await using origin = await startOrigin(({ socket }) => socket.write(begun), { tls });
    await using proxy = await startProxy();
    using client = tls
      ? await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca })
      : await RawClient.connect(proxy.port);
    client.send(tls ? 'GET / HTTP/1.1\r\n\r\n' : get(`${origin.url}/`));
    await client.head();
    assert.equal((await client.bytes(13)).toString(), 'the beginning');
    const records = await proxy.records();
    assert.equal((await client.rest()).length, 0);
    assert.equal(records[0]?.block.toString(), begun);
    assert.equal(records[0].fields.get('warc-truncated'), 'disconnect');
    assert.equal(records[1]?.type, 'request');
  });
}

test('close() writes everything that was answered before, and gives the files their final names', async () => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using proxy = await startProxy();
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(proxy.port)));
  await Promise.all(
    clients.map(async (client, index) => {
      client.send(get(`${origin.url}/${index}`));
      await client.response();
    }),
  );
  const records = await proxy.records();
  assert.equal(records.filter(({ type }) => type === 'response').length, 20);
  const names = await readdir(join(proxy.dir, 'warcs'));
  assert.ok(names.length > 0 && names.every((name) => name.endsWith('.warc')), names.join());
  for (const client of clients) client[Symbol.dispose]();
});

test('close() lets go of the connections to origins', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await client.response();
  assert.equal(origin.connections, 1);
  await proxy.proxy.close();
  while (origin.open > 0) await new Promise(setImmediate);
});

test('close() may be called again, while it closes and afterwards', async () => {
  await using proxy = await startProxy();
  await Promise.all([proxy.proxy.close(), proxy.proxy.close()]);
  await proxy.proxy.close();
});

test('after close() nobody listens', async () => {
  await using proxy = await startProxy();
  await proxy.proxy.close();
  await assert.rejects(RawClient.connect(proxy.port), { code: 'ECONNREFUSED' });
});

test('a client that does not take what it is sent does not keep close() from ending', async () => {
  const size = 32 * 1024 * 1024;
  await using origin = await startOrigin(({ socket }) =>
    socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), Buffer.alloc(size)])),
  );
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await client.head();
  client.socket.pause();
  await proxy.proxy.close();
  const [capture] = proxy.captures;
  assert.ok(capture?.kind === 'exchange');
});

test('a port that is taken is told in one line', async () => {
  await using proxy = await startProxy();
  await assert.rejects(startProxy({ port: proxy.port }), (error: Error) => {
    const user = `the port is in use, by a warctap or warcprox (process ${process.pid})`;
    const fix = '--port names another one, --port 0 picks one that is free';
    assert.equal(error.message, `cannot listen on 127.0.0.1 port ${proxy.port}: ${user}; ${fix}`);
    assert.equal(Reflect.get(error, 'code'), 'EADDRINUSE');
    return true;
  });
});

test('when nothing can be written any more: the event "fatal", and 503 from then on', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  const warcs = join(proxy.dir, 'warcs');
  // What was a folder is a file now.
  await rm(warcs, { recursive: true });
  await writeFile(warcs, '');
  const fatal = once(proxy.proxy, 'fatal');
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.equal((await client.response()).status, 200);
  const [error] = (await fatal) as [Error];
  assert.match(error.message, /^[^\n]*ENOTDIR[^\n]*$/);
  client.send(get(`${origin.url}/next`));
  const { head, body } = await client.response();
  const reason = body.toString().trimEnd();
  assert.match(reason, /^nothing can be archived any more: ENOTDIR[^\n]*$/);
  assert.equal(head + body.toString(), refusal('503 Service Unavailable', reason, false));
  client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal((await client.response()).status, 200);
  assert.equal(origin.requests.length, 1);
  await proxy.proxy.close();
});

test('when the folder of an open file is gone, and cannot be made again, closing says so and still closes everything else', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  const proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await client.response();
  await proxy.captured(1);
  await rename(join(proxy.dir, 'warcs'), join(proxy.dir, 'elsewhere'));
  await writeFile(join(proxy.dir, 'warcs'), 'no folder');
  await assert.rejects(proxy.proxy.close(), (error: Error) => {
    assert.match(error.message, /^[^\n]+$/);
    return true;
  });
  await client.rest();
  await assert.rejects(RawClient.connect(proxy.port), { code: 'ECONNREFUSED' });
  await rm(proxy.dir, { recursive: true });
});

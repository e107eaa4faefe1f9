/**
 * Bytes go through as they come, no faster than they are taken; and what happens when one side leaves.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok, okHead } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

const MIB = 1024 * 1024;

for (const tls of [false, true]) {
  const over = tls ? 'HTTPS' : 'HTTP';

  test(`the first bytes of an answer reach the client before the origin has sent the rest, over ${over}`, async () => {
    let rest = () => {};
    await using origin = await startOrigin(
      ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
        rest = () => void socket.write('-last');
      },
      { tls },
    );
    await using proxy = await startProxy();
    using client = tls
      ? await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca })
      : await RawClient.connect(proxy.port);
    client.send(get(tls ? 'http://x/' : `${origin.url}/`).replace('http://x', ''));
    await client.head();
    assert.equal((await client.bytes(5)).toString(), 'first');
    rest();
    assert.equal((await client.bytes(5)).toString(), '-last');
  });

  for (const framing of ['length', 'chunks'] as const) {
    test(`the first bytes of an upload (${framing}) reach the origin before the client has sent the rest, over ${over}`, async () => {
      let seen = '';
      let wake = () => {};
      let begun = () => {};
      const head = new Promise<void>((resolve) => (begun = resolve));
      await using origin = await startOrigin(({ socket }) => socket.write(ok()), {
        tls,
        onHead: (_head, socket) => {
          begun();
          socket.on('data', (bytes: Buffer) => {
            seen += bytes.toString();
            wake();
          });
        },
      });
      await using proxy = await startProxy();
      using client = tls
        ? await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca })
        : await RawClient.connect(proxy.port);
      const field = framing === 'length' ? 'Content-Length: 9' : 'Transfer-Encoding: chunked';
      const pieces = framing === 'length' ? ['one', 'two', 'end'] : ['3\r\none\r\n', '3\r\ntwo\r\n', '3\r\nend\r\n0\r\n\r\n'];
      client.send(`POST ${tls ? '' : origin.url}/ HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n`);
      await head;
      let sent = '';
      for (const piece of pieces) {
        client.send(piece);
        sent += piece;
        while (!seen.endsWith(sent)) await new Promise<void>((resolve) => (wake = resolve));
      }
      assert.equal((await client.response()).status, 200);
    });
  }
}

test('a client that does not read pauses the origin; once it reads, it gets everything', async () => {
  const size = 96 * MIB;
  const piece = Buffer.alloc(MIB, 'x');
  let sent = 0;
  await using origin = await startOrigin(async ({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    for (; sent < size; sent += piece.length) if (!socket.write(piece)) await once(socket, 'drain');
  });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.socket.pause();
  client.send(get(`${origin.url}/`));
  await untilStill(() => sent);
  assert.ok(sent > 0 && sent < size / 2, `${sent} bytes were sent to a client that reads none`);
  let received = 0;
  client.socket.removeAllListeners('data').on('data', (bytes: Buffer) => (received += bytes.length));
  client.socket.resume();
  await proxy.captured(1);
  const [capture] = proxy.captures;
  assert.ok(capture?.kind === 'exchange');
  assert.equal(capture.response.payloadSize, size);
  assert.equal(capture.response.truncated, undefined);
  const head = okHead(size).length;
  while (received < size + head) await once(client.socket, 'data');
  assert.equal(received, size + head);
});

test('an origin that does not read pauses the client', async () => {
  const size = 96 * MIB;
  const piece = Buffer.alloc(MIB, 'x');
  let atOrigin: Socket | undefined;
  let whole = 0;
  await using origin = await startOrigin(({ socket }) => socket.write(ok()), {
    onHead: (head, socket) => {
      atOrigin = socket;
      whole = head.length + size;
      socket.removeAllListeners('data');
      socket.pause();
    },
  });
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  let sent = 0;
  const sending = (async () => {
    for (; sent < size; sent += piece.length) if (!client.socket.write(piece)) await once(client.socket, 'drain');
  })();
  await untilStill(() => sent);
  assert.ok(sent > 0 && sent < size / 2, `${sent} bytes were taken for an origin that reads none`);
  atOrigin?.on('data', () => {
    if (atOrigin?.bytesRead === whole) atOrigin.write(ok());
  });
  atOrigin?.resume();
  await sending;
  assert.equal((await client.response()).status, 200);
  await proxy.captured(1);
  const [capture] = proxy.captures;
  assert.ok(capture?.kind === 'exchange' && capture.request.bytes.size > size);
});

for (const how of ['destroy', 'resetAndDestroy'] as const) {
  test(`a client that leaves in the middle of a download (${how}): it is finished and archived whole`, async () => {
    let rest = () => {};
    await using origin = await startOrigin(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
      rest = () => void socket.write('-last');
    });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`));
    await client.head();
    await client.bytes(5);
    client.socket[how]();
    await once(client.socket, 'close');
    rest();
    await proxy.captured(1);
    const [response] = await proxy.records();
    assert.equal(response?.block.toString(), ok('first-last'));
    assert.equal(response.fields.get('warc-truncated'), undefined);
  });
}

test('a client that leaves before the answer: it is fetched and archived all the same', async () => {
  let answer = () => {};
  await using origin = await startOrigin(({ socket }) => (answer = () => void socket.write(ok())));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await origin.requested(1);
  client.socket.resetAndDestroy();
  await once(client.socket, 'close');
  answer();
  await proxy.captured(1);
  assert.equal((await proxy.records())[0]?.block.toString(), ok());
});

test('a slow client that leaves while the origin is paused: the download is finished, where that is wanted', async () => {
  const size = 32 * MIB;
  await using origin = await startOrigin(({ socket }) =>
    socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), Buffer.alloc(size)])),
  );
  await using proxy = await startProxy({ finishAbandoned: 'always' });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await client.head();
  client.socket.pause();
  client.socket.resetAndDestroy();
  await proxy.captured(1);
  const [capture] = proxy.captures;
  assert.ok(capture?.kind === 'exchange' && capture.response.payloadSize === size && capture.response.truncated === undefined);
});

for (const { finishAbandoned, size } of [
  { finishAbandoned: 'small', size: 32 * MIB },
  { finishAbandoned: 'never', size: 10 },
] as const) {
  test(`a client that leaves within a download that is not to be finished (${finishAbandoned}): kept as it is, the origin is cut off`, async () => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
    await using origin = await startOrigin(({ socket }) => socket.write(`${head}first`));
    await using proxy = await startProxy({ finishAbandoned });
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`));
    await client.head();
    await client.bytes(5);
    client.socket.resetAndDestroy();
    await proxy.captured(1);
    while (origin.open > 0) await new Promise(setImmediate);
    const [response, request] = await proxy.records();
    assert.equal(response?.block.toString(), `${head}first`);
    assert.equal(response.fields.get('warc-truncated'), 'disconnect');
    assert.equal(request?.type, 'request');
  });
}

test('a client that leaves before the answer, and nothing is to be finished: a failed capture, and the origin is cut off', async () => {
  await using origin = await startOrigin(() => undefined);
  await using proxy = await startProxy({ finishAbandoned: 'never' });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await origin.requested(1);
  client.socket.resetAndDestroy();
  await proxy.captured(1);
  const [capture] = proxy.captures;
  assert.ok(capture?.kind === 'failure' && capture.error.code === 'request-aborted');
  while (origin.open > 0) await new Promise(setImmediate);
});

test('an answer that begins when its client has left, and is too large to be finished, is not downloaded', async () => {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${32 * MIB}\r\n\r\n`;
  let answer = () => {};
  await using origin = await startOrigin(({ socket }) => (answer = () => void socket.write(`${head}first`)));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await origin.requested(1);
  client.socket.resetAndDestroy();
  await once(client.socket, 'close');
  // The proxy has seen it leave by the time it answers another one.
  using other = await RawClient.connect(proxy.port);
  other.send('GET /status HTTP/1.1\r\nHost: a\r\n\r\n');
  await other.response();
  answer();
  const capture = await proxy.captureOf(`${origin.url}/`);
  assert.ok(capture.kind === 'exchange' && capture.response.truncated === 'disconnect');
  while (origin.open > 0) await new Promise(setImmediate);
});

for (const how of ['destroy', 'resetAndDestroy'] as const) {
  test(`a client that leaves in the middle of an upload (${how}): a failed capture, and the origin is cut off`, async () => {
    await using origin = await startOrigin(({ socket }) => socket.write(ok()));
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(`POST ${origin.url}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf`);
    while (origin.open === 0) await new Promise(setImmediate);
    client.socket[how]();
    await proxy.captured(1);
    const [capture] = proxy.captures;
    assert.ok(capture?.kind === 'failure' && capture.error.code === 'request-aborted');
    while (origin.open > 0) await new Promise(setImmediate);
    assert.equal(origin.requests.length, 0);
    assert.deepEqual(await proxy.records(), []);
  });
}

test('a client that leaves in the middle of an upload whose answer has begun leaves nothing open', async () => {
  await using origin = await startOrigin(() => undefined, {
    onHead: (_head, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
  });
  await using proxy = await startProxy({ tmpFileMaxMemorySize: 0 });
  const url = `${origin.url}/`;
  using client = await RawClient.connect(proxy.port);
  client.send(`POST ${url} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf`);
  await client.head();
  await client.bytes(4);
  client.socket.resetAndDestroy();
  const capture = await proxy.captureOf(url);
  assert.ok(capture.kind === 'failure');
  while (origin.open > 0 || temporaryFiles() > 0) await new Promise(setImmediate);
});

for (const [framing, head, body] of [
  ['length', 'Content-Length: 10\r\n', 'half'],
  ['chunks', 'Transfer-Encoding: chunked\r\n', '5\r\nhalf'],
] as const) {
  test(`an origin that is cut off in its body (${framing}): the client gets all that came, then the connection closes`, async () => {
    await using origin = await startOrigin(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n${body}`, () => socket.resetAndDestroy());
    });
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`));
    assert.equal((await client.rest()).toString(), `HTTP/1.1 200 OK\r\n${head}Via: 1.1 warcprox\r\n\r\n${body}`);
    await proxy.captured(1);
    const [response] = await proxy.records();
    assert.equal(response?.fields.get('warc-truncated'), 'disconnect');
    assert.equal(response.block.toString(), `HTTP/1.1 200 OK\r\n${head}\r\n${body}`);
  });
}

test('over TLS a cut answer ends without the word that all is said', async () => {
  await using origin = await startOrigin(
    ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () => socket.destroy());
    },
    { tls: true },
  );
  await using proxy = await startProxy();
  using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${origin.port}`, { ca: proxy.ca });
  client.send('GET / HTTP/1.1\r\n\r\n');
  assert.match((await client.rest()).toString(), /\r\n\r\n4\r\nhalf\r\n$/);
});

test('a folder for temporary files that is not there: the exchange fails, the proxy lives', async (t) => {
  await using origin = await startOrigin(async ({ path, socket }) => {
    if (path === '/small') return void socket.write(ok());
    const piece = Buffer.alloc(MIB);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
    for (let i = 0; i < 64 && !socket.destroyed; i++) await new Promise((resolve) => socket.write(piece, resolve));
  });
  const folders = [mkdtempSync(join(tmpdir(), 'warctap-test-')), mkdtempSync(join(tmpdir(), 'warctap-test-'))] as const;
  await using proxy = await inTemporaryFolder(folders[0], () =>
    startProxy({ dir: join(folders[1], 'warcs'), certsDir: folders[1], gzip: true }),
  );
  t.after(() => rmSync(folders[1], { recursive: true, force: true }));
  rmSync(folders[0], { recursive: true });
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/large`));
  await client.rest();
  const capture = await proxy.captureOf(`${origin.url}/large`);
  assert.ok(capture.kind === 'failure' && capture.error.code === 'recording-failed');
  using other = await RawClient.connect(proxy.port);
  other.send(get(`${origin.url}/small`));
  assert.equal((await other.response()).status, 200);
});

/** What runs takes `folder` for the place of temporary files. */
async function inTemporaryFolder<Value>(folder: string, run: () => Promise<Value>): Promise<Value> {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    return await run();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** Temporary files that this process has open; they have no names any more. */
function temporaryFiles(): number {
  if (!existsSync('/proc/self/fd')) return 0;
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /warctap-[^/]*\.tmp/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

/** Until a counter that went up has stood still for a while. */
async function untilStill(read: () => number): Promise<void> {
  let last = -1;
  for (let still = 0; still < 10;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    still = read() > 0 && read() === last ? still + 1 : 0;
    last = read();
  }
}

/**
 * The bounds on every road: whatever leads to the origin, and whatever the client speaks, who goes too far is stopped the same way, and
 * others are served.
 *
 * Source: docs/reliability.md (the table of bounds).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { keptLog } from '../support/api.ts';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { startSocks } from '../support/socks.ts';
import type { WarctapOptions } from '../../src/index.ts';

const MIB = 1024 * 1024;

/** How the client speaks to the proxy, and what leads to the origin; or the playback port, where there is none. */
const ROADS = [
  { name: 'in a TLS tunnel', tls: true },
  { name: 'by a SOCKS proxy', by: 'socksProxy' },
  { name: 'by a SOCKS proxy for .onion, in a TLS tunnel', by: 'onionTorSocksProxy', tls: true },
] as const satisfies readonly Road[];
const PLAYBACK: readonly Road[] = [
  { name: 'on the playback port', playback: true },
  { name: 'in a TLS tunnel of the playback port', playback: true, tls: true },
];

interface Road {
  readonly name: string;
  readonly tls?: boolean;
  readonly by?: 'socksProxy' | 'onionTorSocksProxy';
  readonly playback?: boolean;
}

interface Walk {
  readonly proxy: TestProxy;
  readonly origin: Origin;
  /** `http://host:port/path` as the archive has it */
  readonly url: (path: string) => string;
  /** a GET on this road; each field with its CRLF */
  readonly get: (path: string, fields?: string) => string;
  readonly connect: () => Promise<RawClient>;
}

/** One attack on each road; afterwards somebody else is served and archived. */
function onEveryRoad(
  what: string,
  options: WarctapOptions,
  answer: (path: string, socket: Socket) => void,
  act: (walk: Walk) => Promise<void>,
  roads: readonly Road[] = ROADS,
) {
  describe(what, { concurrency: roads.length }, () => {
    for (const road of roads)
      void test(road.name, async () => {
        const { tls = false } = road;
        await using origin = await startOrigin(
          ({ path, socket }) => (path === '/others' ? socket.write(ok('others')) : answer(path, socket)),
          { tls },
        );
        await using socks = await startSocks();
        await using proxy = await startProxy({
          ...options,
          ...(road.by && { [road.by]: `127.0.0.1:${socks.port}` }),
          ...(road.playback && { playbackPort: 0 }),
        });
        const host = `${road.by === undefined ? '127.0.0.1' : 'abc.onion'}:${origin.port}`;
        const url = (path: string) => `${tls ? 'https' : 'http'}://${host}${path}`;
        const get = (path: string, fields = '') => `GET ${tls ? path : url(path)} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
        const connectTo = (port: number) => (tls ? RawClient.tunnel(port, host, { ca: proxy.ca }) : RawClient.connect(port));
        const attacked = road.playback === true ? Number(new URL(proxy.proxy.playbackUrl ?? 'none:').port) : proxy.port;
        await act({ proxy, origin, url, get, connect: () => connectTo(attacked) });
        using other = await connectTo(proxy.port);
        other.send(get('/others'));
        assert.equal((await other.response()).body.toString(), 'others');
        const { kind } = await proxy.captureOf(url('/others'));
        assert.equal(kind, 'exchange');
        if (road.by !== undefined) assert.ok(socks.asked.every(({ type }) => type === 'name') && socks.asked.length > 0);
      });
  });
}

/** Write without end, as fast as it is taken. */
function flood(socket: Socket, piece: string | Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.writable) if (!socket.write(piece)) return;
  };
  socket.on('drain', more);
  more();
}

const HINT = `HTTP/1.1 103 Early Hints\r\nLink: </${'x'.repeat(1000)}>\r\n\r\n`;
onEveryRoad(
  'interim answers without end are an invalid answer after 4 MiB',
  {},
  (_path, socket) => flood(socket, HINT),
  async ({ proxy, url, get, connect }) => {
    using client = await connect();
    client.send(get('/hints', 'Connection: close\r\n'));
    const line = 'invalid response: heads of an answer together larger than 4194304 bytes';
    const received = (await client.rest()).toString();
    assert.ok(received.endsWith(refusal('502 Bad Gateway', line)), received.slice(-300));
    assert.equal((await proxy.captureOf(url('/hints'))).kind, 'failure');
  },
);

onEveryRoad(
  'heads of origins that find no room among all are invalid answers',
  { maxHeadMemory: MIB },
  (_path, socket) => flood(socket, `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`),
  async ({ get, connect }) => {
    const line = 'invalid response: heads of all connections together larger than 1048576 bytes (--max-head-memory)';
    await Promise.all(
      Array.from({ length: 5 }, async (_, nth) => {
        using client = await connect();
        client.send(get(`/${nth}`));
        const { status, body } = await client.response();
        assert.deepEqual([status, body.toString()], [502, `${line}\n`]);
      }),
    );
  },
);

onEveryRoad(
  'heads of clients that find no room among all are answered 431',
  { maxHeadMemory: MIB },
  () => undefined,
  async ({ origin, connect }) => {
    const line = 'heads of all connections together larger than 1048576 bytes (--max-head-memory)';
    const clients = await Promise.all(Array.from({ length: 5 }, connect));
    for (const { socket } of clients) flood(socket, `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`);
    for (const client of clients) {
      const { status, body } = await client.response();
      assert.deepEqual([status, body.toString()], [431, `${line}\n`]);
      client[Symbol.dispose]();
    }
    assert.equal(origin.requests.length, 0);
  },
  [...ROADS, ...PLAYBACK],
);

onEveryRoad(
  'a client that does not take its answer is closed, and its origin held back until then',
  { socketTimeout: 1, minRate: 1_000_000, finishAbandoned: 'never' },
  (_path, socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    flood(socket, Buffer.alloc(MIB));
  },
  async ({ proxy, origin, url, get, connect }) => {
    using client = await connect();
    client.send(get('/slow'));
    await client.head();
    client.socket.pause();
    const capture = await proxy.captureOf(url('/slow'));
    assert.ok(capture.kind === 'exchange' && capture.response.truncated === 'disconnect');
    assert.ok(capture.response.bytes.size < 64 * MIB, `${capture.response.bytes.size} bytes were fetched for it`);
    while (origin.open > 0) await new Promise(setImmediate);
  },
);

onEveryRoad(
  'a download whose client has left goes on for a little, and its origin is cut off',
  {},
  (_path, socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    flood(socket, Buffer.alloc(MIB));
  },
  async ({ proxy, origin, url, get, connect }) => {
    using client = await connect();
    client.send(get('/left'));
    await client.head();
    client.socket.destroy();
    const capture = await proxy.captureOf(url('/left'));
    assert.ok(capture.kind === 'exchange' && capture.response.truncated === 'disconnect');
    assert.ok(capture.response.payloadSize < 64 * MIB);
    while (origin.open > 0) await new Promise(setImmediate);
  },
);

onEveryRoad(
  'a client that is refused can send to its end and read why',
  {},
  () => undefined,
  async ({ origin, connect }) => {
    using client = await connect();
    client.send('not HTTP\r\n\r\n');
    for (let sent = 0; sent < 4; sent++) if (!client.socket.write(Buffer.alloc(MIB))) await once(client.socket, 'drain');
    client.socket.end();
    assert.match((await client.rest()).toString(), /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.equal(origin.requests.length, 0);
  },
  [...ROADS, ...PLAYBACK],
);

const skip = process.platform !== 'linux' && 'looks for open files in /proc';
test('a client that does not take what is played back is closed, and its file let go of', { skip }, async () => {
  const attack = async (tls: boolean) => {
    const size = 32 * MIB;
    await using origin = await startOrigin(({ socket }) => socket.write(ok('x'.repeat(size))), { tls });
    await using proxy = await startProxy({ socketTimeout: 1, minRate: 1_000_000, playbackPort: 0 });
    const host = `127.0.0.1:${origin.port}`;
    const target = tls ? '/large' : `http://${host}/large`;
    const connectTo = (port: number) => (tls ? RawClient.tunnel(port, host, { ca: proxy.ca }) : RawClient.connect(port));
    const request = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    using client = await connectTo(proxy.port);
    client.socket.removeAllListeners('data').resume();
    client.send(request);
    await proxy.captured(1);
    using slow = await connectTo(Number(new URL(proxy.proxy.playbackUrl ?? 'none:').port));
    slow.send(request);
    assert.match(await slow.head(), /^HTTP\/1\.1 200 /);
    slow.socket.pause();
    while (openWarcs(proxy.dir) > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    let taken = 0;
    slow.socket.removeAllListeners('data').on('data', ({ length }: Buffer) => (taken += length));
    slow.socket.resume();
    await slow.rest();
    assert.ok(taken < size, `${taken} bytes`);
  };
  await Promise.all([false, true].map(attack));
});

test('own pages are not to be had by a tunnel, nor on the playback port', async () => {
  await using proxy = await startProxy({ playbackPort: 0 });
  const playbackPort = Number(new URL(proxy.proxy.playbackUrl ?? 'none:').port);
  for (const port of [proxy.port, playbackPort]) {
    for (const host of [`127.0.0.1:${proxy.port}`, `localhost:${playbackPort}`]) {
      using tunnel = await RawClient.tunnel(port, host, { ca: proxy.ca });
      tunnel.send(`GET /status HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const { status, body } = await tunnel.response();
      assert.ok(status >= 400, `${host}: ${status}`);
      assert.doesNotMatch(body.toString(), /"role"/);
    }
  }
  for (const host of ['localhost', 'evil.example']) {
    using client = await RawClient.connect(playbackPort);
    client.send(`GET /status HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.equal((await client.response()).status, 400);
  }
});

test('a CDX server that hangs, drips, never ends or closes: all is served and archived, and told once', async () => {
  const servers: Readonly<Record<string, (socket: Socket) => void>> = {
    hangs: () => undefined,
    drips: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 100);
      socket.once('close', () => clearInterval(timer));
    },
    'never ends': (socket) => flood(socket, `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1000)}`),
    'never ends its head': (socket) => flood(socket, `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1000)}`),
    closes: (socket) => socket.destroy(),
  };
  const attack = async (misbehave: (socket: Socket) => void) => {
    const log = keptLog();
    await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
    await using cdx = await startOrigin(({ socket }) => misbehave(socket));
    await using proxy = await startProxy({ cdxserverDedup: `${cdx.url}/cdx`, log });
    using client = await RawClient.connect(proxy.port);
    for (let nth = 0; nth < 20; nth++) {
      client.send(get(`${origin.url}/${nth}`));
      assert.equal((await client.response()).status, 200);
    }
    await proxy.captured(20);
    const records = await proxy.records();
    assert.equal(records.filter(({ type }) => type === 'response').length, 20);
    assert.equal(log.lines.filter((line) => line.startsWith('warn the CDX server cannot be asked')).length, 1);
  };
  await Promise.all(Object.values(servers).map(attack));
});

/** WARC files that this process has open. */
function openWarcs(dir: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir) && readlinkSync(`/proc/self/fd/${fd}`).includes('.warc');
    } catch {
      return false;
    }
  }).length;
}

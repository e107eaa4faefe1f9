/** What ends a session of HTTP/2 and nothing else: other clients are served meanwhile, and afterwards. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http2Client, startHttp2Origin, type Http2Origin } from '../support/http2.ts';
import { fieldBlock, FLAG, frame, FrameClient, TYPE, uint32 } from '../support/http2-frames.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

let origin: Http2Origin;
let proxy: TestProxy;
let authority: string;
const SIZE = 100_000;

before(async () => {
  origin = await startHttp2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end(Buffer.alloc(SIZE));
  });
  authority = `127.0.0.1:${origin.port}`;
  proxy = await startProxy();
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const usual = () =>
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', authority],
    [':path', '/'],
  ] as const;
const connect = (settings?: Buffer) => FrameClient.connect(proxy.port, authority, proxy.ca, settings);
const many = (count: number, each: (n: number) => Buffer) => Buffer.concat(Array.from({ length: count }, (_, n) => each(n)));

/** Send it again and again until the other side has had enough. */
async function flood(client: FrameClient, bytes: (round: number) => Buffer): Promise<void> {
  for (let round = 0; !client.closed; round++) {
    if (client.socket.destroyed || client.socket.writableEnded) break;
    const flowing = client.socket.write(bytes(round));
    if (!flowing) await new Promise((resolve) => client.socket.once('drain', resolve).once('close', resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const FLOODS: Readonly<Record<string, (client: FrameClient) => Promise<void> | void>> = {
  PING: (client) => flood(client, () => many(500, () => frame(TYPE.ping, 0, 0, Buffer.alloc(8)))),
  SETTINGS: (client) => flood(client, () => many(500, () => frame(TYPE.settings, 0, 0, settings(4, 65_535)))),
  PRIORITY: (client) => flood(client, () => many(500, () => frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 0, 16])))),
  'WINDOW_UPDATE by one': (client) => flood(client, () => many(500, () => frame(TYPE.window, 0, 0, uint32(1)))),
  'streams opened and reset': (client) =>
    flood(client, (round) =>
      many(100, (n) => {
        const stream = 2 * (100 * round + n) + 1;
        const headers = frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, stream, fieldBlock(usual()));
        return Buffer.concat([headers, frame(TYPE.reset, 0, stream, uint32(8))]);
      }),
    ),
  'CONTINUATION without end': async (client) => {
    client.send(frame(TYPE.headers, 0, 1, fieldBlock(usual())));
    await flood(client, () => many(10, () => frame(TYPE.continuation, 0, 1, fieldBlock([['x', 'y'.repeat(1000)]]))));
  },
  'empty CONTINUATION': async (client) => {
    client.send(frame(TYPE.headers, 0, 1, fieldBlock(usual())));
    await flood(client, () => many(500, () => frame(TYPE.continuation, 0, 1)));
  },
  'empty DATA': async (client) => {
    client.headers(1, [[':method', 'POST'], ...usual().slice(1)], false);
    await flood(client, () => many(500, () => frame(TYPE.data, 0, 1)));
  },
  'a window past its end': (client) => client.send(frame(TYPE.window, 0, 0, uint32(0x7fffffff))),
  'a window that grows by nothing': (client) => client.send(frame(TYPE.window, 0, 0, uint32(0))),
  'a window of SETTINGS past its end': (client) => client.send(frame(TYPE.settings, 0, 0, settings(4, 0x80000000))),
  'a frame larger than was said': (client) => client.send(frame(TYPE.data, 0, 1, Buffer.alloc(20_000))),
  'HPACK that makes no sense': (client) =>
    client.send(frame(TYPE.headers, FLAG.endHeaders, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))),
  'a stream more than there may be': (client) => {
    client.send(frame(TYPE.settings, 0, 0, settings(4, 0)));
    for (let n = 0; n <= 100; n++) client.headers(2 * n + 1, usual());
  },
  'no HTTP/2 at all': (client) => client.send(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100))),
};

function settings(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, id]), uint32(value)]);
}

describe('the session ends, and another client is served', () => {
  for (const [name, begin] of Object.entries(FLOODS)) {
    test(name, async () => {
      using client = await connect();
      using other = await http2Client(proxy.port, authority, proxy.ca);
      const sent = begin(client);
      assert.equal((await other.get('/during')).body.length, SIZE);
      await sent;
      await client.until(({ type }) => type === TYPE.goaway);
      assert.equal((await other.get('/after')).body.length, SIZE);
    });
  }
});

describe('the stream ends, and its session goes on', () => {
  const bombs: Readonly<Record<string, () => Buffer>> = {
    // One field of 4,000 bytes in the table, named again and again by one byte.
    'an HPACK bomb': () =>
      Buffer.concat([
        fieldBlock(usual()),
        Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]),
        Buffer.alloc(4000, 'y'),
        Buffer.alloc(4000, 0xbe),
      ]),
    'thousands of fields': () => Buffer.concat([fieldBlock(usual()), ...Array.from({ length: 8000 }, () => Buffer.from([0x81]))]),
  };
  for (const [name, block] of Object.entries(bombs)) {
    test(name, async () => {
      const before = origin.asked.length;
      using client = await connect();
      client.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, block()));
      assert.match(await client.outcome(1), /^(reset|status|goaway|closed)/);
      assert.equal(origin.asked.length, before);
      using other = await http2Client(proxy.port, authority, proxy.ca);
      assert.equal((await other.get('/')).status, 200);
    });
  }

  test('a window of nothing holds its own stream back, and no other', async () => {
    using client = await connect(settings(4, 0));
    client.headers(1, usual());
    assert.equal(await client.outcome(1), 'status 200');
    client.headers(3, usual());
    assert.equal(await client.outcome(3), 'status 200');
    client.send(frame(TYPE.window, 0, 3, uint32(1000)));
    const data = await client.until(({ type, stream }) => type === TYPE.data && stream === 3);
    assert.equal(data?.payload.length, 1000);
    assert.ok(!client.frames.some(({ type, stream }) => type === TYPE.data && stream === 1));
  });
});

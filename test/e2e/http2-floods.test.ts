/** What ends a session of HTTP/2 and nothing else: other clients are served meanwhile, and afterwards. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http2Client, startHttp2Origin, type Http2Origin } from '../support/http2.ts';
import { FLOODS, settings, usual } from '../support/http2-floods.ts';
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

const connect = (settings?: Buffer) => FrameClient.connect(proxy.port, authority, proxy.ca, settings);
describe('the session ends, and another client is served', () => {
  for (const [name, begin] of Object.entries(FLOODS)) {
    test(name, async () => {
      using client = await connect();
      using other = await http2Client(proxy.port, authority, proxy.ca);
      const sent = begin(client, authority);
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
        fieldBlock(usual(authority)),
        Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]),
        Buffer.alloc(4000, 'y'),
        Buffer.alloc(4000, 0xbe),
      ]),
    'thousands of fields': () => Buffer.concat([fieldBlock(usual(authority)), ...Array.from({ length: 8000 }, () => Buffer.from([0x81]))]),
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
    client.headers(1, usual(authority));
    assert.equal(await client.outcome(1), 'status 200');
    client.headers(3, usual(authority));
    assert.equal(await client.outcome(3), 'status 200');
    client.send(frame(TYPE.window, 0, 3, uint32(1000)));
    const data = await client.until(({ type, stream }) => type === TYPE.data && stream === 3);
    assert.equal(data?.payload.length, 1000);
    assert.ok(!client.frames.some(({ type, stream }) => type === TYPE.data && stream === 1));
  });
});

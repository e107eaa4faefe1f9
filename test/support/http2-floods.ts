/** Floods of HTTP/2: what clients send without end, or once and wrongly, until they are thrown out. */
import { fieldBlock, FLAG, frame, TYPE, uint32, type FrameClient } from './http2-frames.ts';

/** Of a GET. */
export const usual = (authority: string) =>
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', authority],
    [':path', '/'],
  ] as const;
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

export type Flood = (client: FrameClient, authority: string) => Promise<void> | void;

export const FLOODS: Readonly<Record<string, Flood>> = {
  PING: (client) => flood(client, () => many(500, () => frame(TYPE.ping, 0, 0, Buffer.alloc(8)))),
  SETTINGS: (client) => flood(client, () => many(500, () => frame(TYPE.settings, 0, 0, settings(4, 65_535)))),
  PRIORITY: (client) => flood(client, () => many(500, () => frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 0, 16])))),
  'WINDOW_UPDATE by one': (client) => flood(client, () => many(500, () => frame(TYPE.window, 0, 0, uint32(1)))),
  'streams opened and reset': (client, authority) =>
    flood(client, (round) =>
      many(100, (n) => {
        const stream = 2 * (100 * round + n) + 1;
        const headers = frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, stream, fieldBlock(usual(authority)));
        return Buffer.concat([headers, frame(TYPE.reset, 0, stream, uint32(8))]);
      }),
    ),
  'CONTINUATION without end': async (client, authority) => {
    client.send(frame(TYPE.headers, 0, 1, fieldBlock(usual(authority))));
    await flood(client, () => many(10, () => frame(TYPE.continuation, 0, 1, fieldBlock([['x', 'y'.repeat(1000)]]))));
  },
  'empty CONTINUATION': async (client, authority) => {
    client.send(frame(TYPE.headers, 0, 1, fieldBlock(usual(authority))));
    await flood(client, () => many(500, () => frame(TYPE.continuation, 0, 1)));
  },
  'empty DATA': async (client, authority) => {
    client.headers(1, [[':method', 'POST'], ...usual(authority).slice(1)], false);
    await flood(client, () => many(500, () => frame(TYPE.data, 0, 1)));
  },
  'a window past its end': (client) => client.send(frame(TYPE.window, 0, 0, uint32(0x7fffffff))),
  'a window that grows by nothing': (client) => client.send(frame(TYPE.window, 0, 0, uint32(0))),
  'a window of SETTINGS past its end': (client) => client.send(frame(TYPE.settings, 0, 0, settings(4, 0x80000000))),
  'a frame larger than was said': (client) => client.send(frame(TYPE.data, 0, 1, Buffer.alloc(20_000))),
  'HPACK that makes no sense': (client) =>
    client.send(frame(TYPE.headers, FLAG.endHeaders, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))),
  'a stream more than there may be': (client, authority) => {
    client.send(frame(TYPE.settings, 0, 0, settings(4, 0)));
    for (let n = 0; n <= 100; n++) client.headers(2 * n + 1, usual(authority));
  },
  'no HTTP/2 at all': (client) => client.send(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100))),
};

export function settings(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, id]), uint32(value)]);
}

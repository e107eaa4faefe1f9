/** --ssl-context over HTTP/2: how an origin sees sessions begin, by the fingerprint that servers take. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders, type Settings } from 'node:http2';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { startAkamaiOrigin, type AkamaiOrigin } from '../support/akamai.ts';
import { frame, fieldBlock, FLAG, FrameClient, TYPE, uint32 } from '../support/http2-frames.ts';
import { answered, tunnelTls } from '../support/http2.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

interface Manner {
  readonly settings: Settings;
  /** of the session */
  readonly window: number;
  readonly order: readonly string[];
}

const CHROME: Manner = {
  settings: { headerTableSize: 65536, enablePush: false, initialWindowSize: 6291456, maxHeaderListSize: 262144 },
  window: 15728640,
  order: [':method', ':authority', ':scheme', ':path'],
};
const CHROME_SEEN = '1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p';
const FIREFOX_SEEN = '1:65536;2:0;4:131072;5:16384|12517377|0|m,p,a,s';
const OURS_SEEN = '2:0;4:1048576;6:4194304|16711681|0|m,a,s,p';

/** What each client says: that of the browsers is what is known of them, the others are made up. */
const CLIENTS: Readonly<Record<string, Manner>> = {
  Chromium: CHROME,
  'one of Apple': {
    settings: { enablePush: false, maxConcurrentStreams: 100, initialWindowSize: 2097152 },
    window: 65535 + 10420225,
    order: [':method', ':scheme', ':authority', ':path'],
  },
  'one with small windows and large frames': {
    settings: { headerTableSize: 8192, enablePush: false, initialWindowSize: 32768, maxFrameSize: 65536 },
    window: 65535,
    order: [':path', ':scheme', ':method', ':authority'],
  },
};

/** Begin a session in this manner, and ask once. */
async function ask(socket: TLSSocket, { settings, window, order }: Manner, port: number): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { createConnection: () => socket, settings });
  session.on('error', () => undefined);
  session.setLocalWindowSize(window);
  try {
    await askAgain(session, order, port);
  } catch (error) {
    // Otherwise the proxy would wait for it.
    session.destroy();
    throw error;
  }
  return session;
}

async function askAgain(session: ClientHttp2Session, order: readonly string[], port: number): Promise<void> {
  const said: OutgoingHttpHeaders = { ':method': 'GET', ':authority': `127.0.0.1:${port}`, ':scheme': 'https', ':path': '/' };
  const headers = Object.fromEntries(order.map((name) => [name, said[name]]));
  assert.equal((await answered(session.request({ ...headers, 'x-a': 'b' }))).status, 204);
}

/** Straight to the origin. */
async function saidBy(manner: Manner, origin: AkamaiOrigin): Promise<string | undefined> {
  const socket = connectTls({ host: '127.0.0.1', port: origin.port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  (await ask(socket, manner, origin.port)).destroy();
  return origin.seen.at(-1);
}

async function throughProxy(proxy: TestProxy, manner: Manner, { port }: AkamaiOrigin): Promise<ClientHttp2Session> {
  return ask(await tunnelTls(proxy.port, `127.0.0.1:${port}`, proxy.ca, ['h2']), manner, port);
}

for (const [name, manner] of Object.entries(CLIENTS)) {
  test(`mirror: an origin sees the settings, the window and the order of ${name}`, async () => {
    await using origin = await startAkamaiOrigin();
    await using proxy = await startProxy({ sslContext: 'mirror' });
    const said = await saidBy(manner, origin);
    if (manner === CHROME) assert.equal(said, CHROME_SEEN);
    (await throughProxy(proxy, manner, origin)).destroy();
    assert.deepEqual(origin.seen, [said, said]);
  });
}

test('mirror: what costs memory, or would stand still, is kept within bounds, and nothing is pushed', async () => {
  await using origin = await startAkamaiOrigin();
  await using proxy = await startProxy({ sslContext: 'mirror' });
  const settings: Settings = {
    headerTableSize: 2 ** 32 - 1,
    enablePush: true,
    initialWindowSize: 2 ** 31 - 1,
    maxFrameSize: 2 ** 24 - 1,
    maxHeaderListSize: 2 ** 30,
  };
  (await throughProxy(proxy, { ...CHROME, settings, window: 2 ** 31 - 1 }, origin)).destroy();
  (await throughProxy(proxy, { ...CHROME, settings: { initialWindowSize: 0, maxHeaderListSize: 0 } }, origin)).destroy();
  assert.deepEqual(origin.seen, [
    '1:65536;2:0;4:6291456;5:1048576;6:4194304|2147418112|0|m,a,s,p',
    '4:16384;6:16384;2:0|15663105|0|m,a,s,p',
  ]);
});

test('mirror: clients that begin alike share a session, others have one of their own', async () => {
  await using origin = await startAkamaiOrigin();
  await using proxy = await startProxy({ sslContext: 'mirror' });
  const other = { ...CHROME, order: [...CHROME.order].reverse() };
  const sessions = [await throughProxy(proxy, CHROME, origin), await throughProxy(proxy, other, origin)];
  sessions.push(await throughProxy(proxy, CHROME, origin));
  assert.deepEqual(origin.seen, [CHROME_SEEN, CHROME_SEEN.replace('m,a,s,p', 'p,s,a,m')]);
  // A session goes on as it has begun, whatever is asked by it.
  await askAgain(sessions[0]!, other.order, origin.port);
  assert.equal(origin.seen.length, 2);
  for (const session of sessions) session.destroy();
});

test('mirror: settings are said again in the order of the client, also one that is the default', async () => {
  await using origin = await startAkamaiOrigin();
  await using proxy = await startProxy({ sslContext: 'mirror' });
  const setting = (id: number, value: number) => Buffer.concat([Buffer.from([0, id]), uint32(value)]);
  const authority = `127.0.0.1:${origin.port}`;
  using client = await FrameClient.connect(
    proxy.port,
    authority,
    proxy.ca,
    Buffer.concat([setting(5, 16384), setting(4, 131072), setting(2, 0), setting(1, 65536)]),
  );
  client.send(frame(TYPE.window, 0, 0, uint32(12517377)));
  const head = fieldBlock([
    [':method', 'GET'],
    [':path', '/'],
    [':authority', authority],
    [':scheme', 'https'],
  ]);
  client.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, head));
  await client.until(({ type, stream }) => type === TYPE.headers && stream === 1);
  assert.deepEqual(origin.seen, [`5:16384;4:131072;2:0;1:65536${FIREFOX_SEEN.slice(FIREFOX_SEEN.indexOf('|'))}`]);
});

for (const [sslContext, expected] of [
  ['chrome', CHROME_SEEN],
  ['firefox', FIREFOX_SEEN],
  [undefined, OURS_SEEN],
] as const) {
  test(`${sslContext ?? 'without it'}: an origin sees the same of every client`, async () => {
    await using origin = await startAkamaiOrigin();
    await using proxy = await startProxy(sslContext === undefined ? {} : { sslContext });
    const apple = CLIENTS['one of Apple']!;
    for (const manner of [CHROME, apple]) (await throughProxy(proxy, manner, origin)).destroy();
    assert.deepEqual(origin.seen, [expected]);
  });
}

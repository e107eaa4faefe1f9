/**
 * WebSockets of Chromium and of Python's `websockets` through the proxy, and what they hear when these are played back.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { browserTool, findTool } from '../support/tools.ts';
import { logLines, messagesIn, openThrough, startSocketOrigin } from '../support/websocket.ts';

const browser = browserTool();
const python = findTool({
  commands: ['python3'],
  ask: ['-c', 'import websockets; print("websockets", websockets.__version__)'],
  says: /^websockets (1[5-9]|[2-9]\d)\./m,
  needs: "Python's websockets 15 or later",
});
const ARGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

const LONG = 'lorem ipsum '.repeat(5000);

/** Says all back, with a ping in between, compressed. */
const echo = (tls: boolean) =>
  startSocketOrigin(
    (socket) => {
      socket.ping('hm?');
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    },
    { tls, perMessageDeflate: { threshold: 0 }, handleProtocols: () => 'chat' },
  );

/** In the page: what it hears, and how it ended. */
const IN_PAGE = `(url) => new Promise((resolve) => {
  const heard = [];
  const socket = new WebSocket(url, ['chat']);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => { socket.send('Grüße'); socket.send(new Uint8Array([0, 1, 255])); socket.send('lorem ipsum '.repeat(5000)); };
  socket.onmessage = ({ data }) => {
    heard.push(typeof data === 'string' ? data : [...new Uint8Array(data)].join());
    if (heard.length === 3) socket.close(3001, 'enough');
  };
  socket.onclose = ({ code, reason, wasClean }) => resolve({ heard, protocol: socket.protocol, extensions: socket.extensions, code, reason, wasClean });
})`;

interface InPage {
  readonly heard: string[];
  readonly protocol: string;
  readonly extensions: string;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

async function inChromium(proxyPort: number, url: string): Promise<InPage> {
  const chrome = await chromium.launch({
    executablePath: browser.command,
    args: ARGS.split(' '),
    proxy: { server: `http://127.0.0.1:${proxyPort}`, bypass: '<-loopback>' },
  });
  try {
    const context = await chrome.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    return await page.evaluate<InPage>(`(${IN_PAGE})(${JSON.stringify(url)})`);
  } finally {
    await chrome.close();
  }
}

async function assertVerified(proxy: TestProxy): Promise<void> {
  const dir = join(proxy.dir, 'warcs');
  const files = (await readdir(dir)).map((name) => join(dir, name));
  const faults: string[] = [];
  const [report] = await verifyFiles(files, { allowUnresolved: false, onFault: ({ problem }) => faults.push(problem) });
  assert.deepEqual(faults, []);
  assert.ok((report?.digests ?? 0) >= 3);
}

for (const tls of [true, false]) {
  test(
    `Chromium, ${tls ? 'wss' : 'ws'}: text, binary, a long compressed message, a ping and a clean close`,
    { skip: browser.skip },
    async () => {
      await using origin = await echo(tls);
      await using proxy = await startProxy({ playbackPort: 0 });
      const url = `${origin.url}/page`;
      const result = await inChromium(proxy.port, url);
      assert.deepEqual(result, {
        heard: ['Grüße', '0,1,255', LONG],
        protocol: 'chat',
        extensions: 'permessage-deflate',
        code: 3001,
        reason: 'enough',
        wasClean: true,
      });
      const capture = await proxy.captureOf(url);
      assert.ok(capture.kind === 'websocket');
      assert.ok(capture.receivedBytes < 2000, 'it was compressed on its way');
      const again = await inChromium(Number(new URL(proxy.proxy.playbackUrl ?? '').port), url);
      assert.deepEqual(again, { ...result, extensions: '' });
      const [messages] = await proxy.records();
      const said = messagesIn(messages);
      assert.deepEqual(
        said.filter((line) => /^(sent|received) [12] /.test(line)).sort(),
        ['Grüße', LONG]
          .flatMap((text) => [`received 1 ${text}`, `sent 1 ${text}`])
          .concat('received 2 AAH/', 'sent 2 AAH/')
          .sort(),
      );
      assert.ok(said.includes('received 9 hm?') && said.includes('sent 10 hm?'));
      assert.equal(said.at(-1), 'closed 3001 by client');
      await assertVerified(proxy);
    },
  );
}

test("Python's websockets by the proxy that it is given", { skip: python.skip }, async () => {
  await using origin = await echo(false);
  await using proxy = await startProxy();
  const script = `
import asyncio, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], proxy=sys.argv[2], subprotocols=['chat']) as ws:
        for message in ('text', b'\\x00\\xff', 'long ' * 20000):
            await ws.send(message)
            assert await ws.recv() == message
        await (await ws.ping('still there'))
        await ws.send(['in ', 'frag', 'ments'])
        assert await ws.recv() == 'in fragments'
asyncio.run(main())
print('fine')
`;
  const child = spawn(python.command, ['-c', script, `${origin.url}/py`, `http://127.0.0.1:${proxy.port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await once(child, 'close');
  assert.equal(output, 'fine\n');
  await proxy.captureOf(`${origin.url}/py`);
  const [messages] = await proxy.records();
  const said = messagesIn(messages);
  for (const line of [
    'sent 1 text',
    'received 2 AP8=',
    `sent 1 ${'long '.repeat(20000)}`,
    'sent 9 still there',
    'received 10 still there',
    'sent 1 in fragments',
  ])
    assert.ok(said.includes(line), line.slice(0, 50));
  assert.equal(said.at(-1), 'closed 1000 by client');
  await assertVerified(proxy);
});

for (const noContextTakeover of [true, false]) {
  test(`ws with permessage-deflate, ${noContextTakeover ? 'each message by itself' : 'with context'}: what it sends is what stands there`, async () => {
    const sentByOrigin: string[] = [];
    await using origin = await startSocketOrigin(
      (socket) =>
        socket.on('message', (data: Buffer) => {
          const answer = `${data.length} ${data.toString('utf8').slice(0, 3000)}`;
          sentByOrigin.push(answer);
          socket.send(answer);
        }),
      { perMessageDeflate: { threshold: 0, serverNoContextTakeover: noContextTakeover, clientNoContextTakeover: noContextTakeover } },
    );
    await using proxy = await startProxy();
    const client = await openThrough(proxy, `${origin.url}/`, { perMessageDeflate: { threshold: 0 } });
    const sent = Array.from({ length: 200 }, (_, i) => `message ${i} ${'abc äöü 😀 '.repeat((i * i) % 977)}`);
    for (const [i, text] of sent.entries()) {
      // In fragments now and then, each compressed.
      if (i % 7 === 0) {
        client.send(text.slice(0, 5), { fin: false });
        client.send(text.slice(5), { fin: true });
      } else client.send(text);
      if (i % 10 === 0) client.ping(`p${i}`);
    }
    while (sentByOrigin.length < sent.length) await once(client, 'message');
    client.close();
    await proxy.captureOf(`${origin.url}/`);
    const [messages] = await proxy.records();
    const lines = logLines(messages);
    const texts = (type: string) => lines.filter((line) => line.type === type && line.opcode === 1).map(({ payloadData }) => payloadData);
    assert.deepEqual(texts('sent'), sent);
    assert.deepEqual(texts('received'), sentByOrigin);
    assert.equal(lines.at(-1)?.error, undefined);
  });
}

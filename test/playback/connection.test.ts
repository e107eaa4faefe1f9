/** What a client may do with its connection to the playback proxy, and what becomes of it when something goes wrong. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { IncompleteError } from '../../src/warc/read/message.ts';
import { playbackHandler } from '../../src/playback/handler.ts';
import type { Playback, PlaybackAnswer } from '../../src/playback/answer.ts';
import { fieldOf, Fields } from '../../src/http/fields.ts';
import type { Framing } from '../../src/http/message.ts';
import { Listener, type ListenerOptions } from '../../src/serve/listener.ts';
import { silentLog } from '../../src/util/log.ts';
import { RawClient } from '../support/client.ts';
import { recordingLog } from '../ca/support.ts';
import { exchange } from '../warc/support.ts';
import { posted, startPlayback } from './support.ts';

function ask(url: string, fields = ''): string {
  return `GET ${url} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
}

/** A listener in front of answers that a test makes up. */
async function listen(t: TestContext, playback: Playback, changes: Partial<ListenerOptions> = {}) {
  const secureContexts = () => assert.fail('no tunnel expected');
  const bounds = { socketTimeoutMs: 10_000, headTimeoutMs: 10_000, minRate: { bytesPerSecond: 0, windowMs: 1000 }, maxConnections: 10 };
  const options = { secureContexts, ...bounds, log: silentLog, ...changes };
  const listener = new Listener({ handler: playbackHandler({ playback, log: options.log }).handler, ...options });
  t.after(() => listener.close());
  return { listener, port: (await listener.listen(0, '127.0.0.1')).port };
}

/** Answers with these pieces; `released` resolves when the connection is done with them. */
function answerOf(framing: Framing, pieces: () => AsyncGenerator<Buffer>): { playback: Playback; released: Promise<void> } {
  let done = (): void => undefined;
  const released = new Promise<void>((resolve) => (done = resolve));
  const release = () => Promise.resolve(done());
  const fields = new Fields(framing.kind === 'length' ? [fieldOf('Content-Length', String(framing.length))] : []);
  const body = async function* () {
    for await (const bytes of pieces()) yield { bytes, payload: [bytes] };
  };
  const answer: PlaybackAnswer = { head: { status: 200, reason: 'OK', minor: 1, fields }, framing, last: false, body: body(), release };
  return { playback: () => Promise.resolve(answer), released };
}

const ofLength = (length: number): Framing => ({ kind: 'length', length });

test('inside of CONNECT the client speaks TLS, verified by our authority, and asks for https', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    exchange({ url: 'https://a.example/x', body: 'secure' }),
    exchange({ url: 'http://a.example/x', body: 'plain' }),
    exchange({ url: 'https://a.example:8443/x', body: 'other port' }),
  );
  using client = await RawClient.tunnel(running.port, 'a.example:443', { ca: running.ca });
  for (const target of ['/x', '/x', 'https://a.example/x']) {
    client.send(ask(target));
    assert.equal((await client.response()).body.toString(), 'secure');
  }
  client.send(ask('/none'));
  assert.equal((await client.response()).body.toString(), '404 Not in Archive\n');
  using other = await RawClient.tunnel(running.port, 'a.example:8443', { ca: running.ca });
  other.send(ask('/x'));
  assert.equal((await other.response()).body.toString(), 'other port');
});

test('inside of CONNECT the client may speak plain HTTP', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: 'http://a.example:8080/x', body: 'plain' }));
  using client = await RawClient.tunnel(running.port, 'a.example:8080');
  client.send(ask('/x') + ask('/x'));
  for (let i = 0; i < 2; i++) assert.equal((await client.response()).body.toString(), 'plain');
});

test('pipelined requests, some with bodies, are answered in order', async (t) => {
  const running = await startPlayback(t);
  const urls = Array.from({ length: 20 }, (_, index) => `http://a.example/${index}`);
  const archived = (url: string, index: number) => (index % 3 === 0 ? { url, body: url } : posted(url, 'GET ', { body: url }));
  await running.archive(...urls.map((url, index) => exchange(archived(url, index))));
  using client = await RawClient.connect(running.port);
  const chunked = (url: string) => `POST ${url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET \r\n0\r\n\r\n`;
  const withLength = (url: string) => `POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET `;
  client.send(urls.map((url, index) => [ask, chunked, withLength][index % 3]!(url)).join(''));
  for (const url of urls) assert.equal((await client.response()).body.toString(), url);
});

test('a client that waits to be asked for the body of a GET gets its answer instead', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: 'http://a.example/', body: 'answer' }));
  using client = await RawClient.connect(running.port);
  client.send('GET http://a.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
  assert.match((await client.rest()).toString(), /^HTTP\/1.1 200 OK\r\n.*Connection: close\r\n\r\nanswer$/s);
});

test('a client that waits to be asked for the body of a POST is asked: its answer depends on it', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange(posted('http://a.example/', 'q=1', { body: 'answer' })));
  using client = await RawClient.connect(running.port);
  client.send('POST http://a.example/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
  assert.equal(await client.head(), 'HTTP/1.1 100 Continue\r\n\r\n');
  client.send('q=1' + ask('http://a.example/none'));
  assert.equal((await client.response()).body.toString(), 'answer');
  assert.equal((await client.response()).status, 404);
});

test('a client that asks for the end of its connection gets it, and one that closes its side still gets its answer', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: 'http://a.example/', body: 'answer' }));
  using asking = await RawClient.connect(running.port);
  asking.send(ask('http://a.example/', 'Connection: close\r\n'));
  assert.match((await asking.rest()).toString(), /Connection: close\r\n\r\nanswer$/);
  using closing = await RawClient.connect(running.port);
  closing.socket.end(ask('http://a.example/'));
  assert.match((await closing.rest()).toString(), /\r\n\r\nanswer$/);
});

for (const [what, request, status, reason] of [
  ['a path without a host', ask('/status'), 400, 'request target not understood, expected http://host[:port]/path: "/status"'],
  ['no request', 'hello\r\n\r\n', 400, 'malformed request line: "hello"'],
  ['another version', 'GET http://a/ HTTP/2.0\r\n\r\n', 505, 'HTTP version not supported, expected HTTP/1.1: "HTTP/2.0"'],
  ['CONNECT without a port', 'CONNECT a.example HTTP/1.1\r\n\r\n', 400, 'CONNECT target not understood, expected host:port: "a.example"'],
  [
    'a body of unknown length',
    ask('http://a/', 'Transfer-Encoding: x\r\n'),
    400,
    'Transfer-Encoding not understood, expected "chunked": "x"',
  ],
] as const) {
  test(`${what} is refused in one line, and the connection closed`, async (t) => {
    const running = await startPlayback(t);
    using client = await RawClient.connect(running.port);
    client.send(request);
    const [head = '', body] = (await client.rest()).toString().split('\r\n\r\n');
    assert.ok(head.startsWith(`HTTP/1.1 ${status} `));
    assert.ok(head.endsWith('\r\nConnection: close'));
    assert.equal(body, `${reason}\n`);
  });
}

test('CONNECT inside of a tunnel is refused', async (t) => {
  const running = await startPlayback(t);
  using client = await RawClient.tunnel(running.port, 'a.example:80');
  client.send('CONNECT b.example:80 HTTP/1.1\r\n\r\n');
  assert.match((await client.rest()).toString(), /^HTTP\/1.1 400 .+CONNECT inside of a tunnel: "b.example:80"\n$/s);
});

test('a client that does not read holds the archive back, and nobody else', async (t) => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const pieces = 500;
  let given = 0;
  const big = answerOf(ofLength(pieces * piece.length), async function* () {
    for (; given < pieces; given++) yield await Promise.resolve(piece);
  });
  const { port } = await listen(t, (request) =>
    request.url === 'http://big/' ? big.playback(request) : answerOf(ofLength(2), small).playback(request),
  );
  using slow = await RawClient.connect(port);
  slow.socket.pause();
  slow.send(ask('http://big/'));
  using quick = await RawClient.connect(port);
  for (let i = 0; i < 50; i++) {
    quick.send(ask('http://small/'));
    assert.equal((await quick.response()).body.toString(), 'ok');
  }
  assert.ok(given < 100, `${given} MiB were read ahead`);
  let received = 0;
  slow.socket.removeAllListeners('data').on('data', (bytes: Buffer) => (received += bytes.length));
  slow.socket.resume();
  await big.released;
  slow.socket.end();
  await slow.rest();
  assert.ok(received > pieces * piece.length);
});

async function* small(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from('ok'));
}

test('when a client goes away in the middle of an answer the files are let go of', async (t) => {
  const endless = answerOf({ kind: 'close' }, async function* () {
    for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
  });
  const { port } = await listen(t, endless.playback);
  using client = await RawClient.connect(port);
  client.send(ask('http://a/'));
  await client.bytes(100_000);
  client.socket.destroy();
  await endless.released;
});

test('an answer that breaks off cuts the connection: quietly when no more is archived, with a word in the log otherwise', async (t) => {
  const { log, lines } = recordingLog();
  for (const [error, logged] of [
    [new IncompleteError('not whole'), []],
    [new Error('disk on fire'), ['playback broke off']],
  ] as const) {
    const broken = answerOf(ofLength(10), async function* () {
      yield await Promise.resolve(Buffer.from('half'));
      throw error;
    });
    const { port } = await listen(t, broken.playback, { log });
    using client = await RawClient.connect(port);
    client.send(ask('http://a/') + ask('http://a/'));
    assert.equal((await client.rest()).toString(), 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await broken.released;
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error').map(({ message }) => message),
      logged,
    );
  }
});

test('an archive that cannot be read is 500', async (t) => {
  const { log, lines } = recordingLog();
  const { port } = await listen(t, () => Promise.reject(new Error('EMFILE')), { log });
  using client = await RawClient.connect(port);
  client.send(ask('http://a/'));
  assert.match((await client.rest()).toString(), /^HTTP\/1.1 500 Internal Server Error\r\n.+\r\n\r\nthe archive cannot be read\n$/s);
  assert.equal(lines.at(-1)!.message, 'playback of a request failed');
});

test('a connection on which nothing happens is closed', async (t) => {
  const running = await startPlayback(t, { socketTimeoutMs: 50 });
  using silent = await RawClient.connect(running.port);
  assert.equal((await silent.rest()).length, 0);
  using begun = await RawClient.connect(running.port);
  begun.send('GET http://a/ HT');
  assert.match((await begun.rest()).toString(), /^HTTP\/1.1 408 .+request head not complete within the idle time-out\n$/s);
});

test('closing cuts what is under way, in tunnels too, and waits until its files are let go of', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: 'https://a.example/', body: Buffer.alloc(20_000_000) }));
  using client = await RawClient.tunnel(running.port, 'a.example:443', { ca: running.ca });
  client.socket.pause();
  client.send(ask('/'));
  using idle = await RawClient.connect(running.port);
  idle.send(ask('http://a.example/none'));
  await idle.response();
  await running.close();
  await running.closeFiles();
  assert.equal(openIn(running.dir), 0);
  assert.equal((await idle.rest()).length, 0);
  await assert.rejects(RawClient.connect(running.port), { code: 'ECONNREFUSED' });
});

test('no file stays open once it was played back', async (t) => {
  const running = await startPlayback(t, { gzip: true });
  await running.archive(exchange({ url: 'http://a.example/', body: Buffer.alloc(1_000_000) }));
  await running.closeFiles();
  using client = await RawClient.connect(running.port);
  for (const request of [ask('http://a.example/'), 'HEAD http://a.example/ HTTP/1.1\r\n\r\n', ask('http://a.example/none')]) {
    client.send(request);
    await client.response(request.split(' ')[0]);
  }
  await running.close();
  assert.equal(openIn(running.dir), 0);
});

/** Files of a folder that this process holds open. */
function openIn(dir: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the one that listed the folder
    }
  });
  return targets.filter((target) => target.startsWith(`${dir}/`)).length;
}

for (const [what, options, sent] of [
  ['the head of its request', { headTimeoutMs: 100 }, ''],
  ['a body', { minRate: { bytesPerSecond: 1000, windowMs: 100 } }, 'POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n'],
] as const) {
  test(`a client that drips ${what} is let go`, async (t) => {
    const { port } = await listen(t, () => assert.fail('nothing was asked'), options);
    using client = await RawClient.connect(port);
    client.send(sent);
    const drip = setInterval(() => client.send('x'), 10);
    t.after(() => clearInterval(drip));
    assert.match((await client.rest()).toString(), /^HTTP\/1.1 408 /);
  });
}

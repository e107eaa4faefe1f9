/** A core without a listener: what a program fetches goes through the gate into the archive, as what clients of a proxy ask for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCore, FetchError, MessageError, RefusedError, type Core, type CoreOptions } from '../../src/index.ts';
import { ok } from '../support/messages.ts';
import { startOrigin, type Origin, type OriginRequest } from '../support/origin.ts';
import { readFolder } from '../support/proxy.ts';

interface Running {
  readonly core: Core;
  readonly origin: Origin;
  readonly url: (path: string) => string;
  /** Close the core. @returns `type url` of what it has written, but for warcinfo */
  readonly written: () => Promise<string[]>;
}

async function start(
  t: TestContext,
  answer: (request: OriginRequest) => unknown = ({ path, socket }) => socket.write(ok(path)),
  { tls = false, ...options }: CoreOptions & { tls?: boolean } = {},
): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-core-'));
  const origin = await startOrigin(answer, { tls });
  const database = join(folder, 'db');
  const dir = join(folder, 'warcs');
  const core = await createCore({ dir, dedupDbFile: database, statsDbFile: database, allowLocalhost: true, ...options });
  t.after(async () => {
    await core.close();
    await origin[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return {
    core,
    origin,
    url: (path) => `${tls ? 'https' : 'http'}://127.0.0.1:${origin.port}${path}`,
    async written() {
      await core.close();
      return (await readFolder(dir)).filter(({ type }) => type !== 'warcinfo').map(({ type, url }) => `${type} ${url}`);
    },
  };
}

for (const tls of [false, true]) {
  test(`a page ${tls ? 'over TLS' : 'over HTTP'} is answered, and its records stand where they are said to`, async (t) => {
    const { core, url, written } = await start(t, undefined, { tls });
    const response = await core.fetch(url('/a?b=ä "c"#part'));
    const path = '/a?b=%C3%A4%20%22c%22';
    assert.deepEqual([response.status, response.reason, response.header('CONTENT-length')], [200, 'OK', String(path.length)]);
    assert.equal(response.url, url(path));
    assert.equal((await response.bytes()).toString(), path);
    const { archive, records = [] } = await response.archived;
    assert.equal(archive, true);
    assert.deepEqual(
      records.map(({ type }) => type),
      ['response', 'request', ...(tls ? ['metadata', 'metadata'] : [])],
    );
    const evidence = `metadata ${url('').replace('https://', 'tls:')}`;
    assert.deepEqual(await written(), [`response ${url(path)}`, `request ${url(path)}`, ...(tls ? [evidence, evidence] : [])]);
  });
}

test('the request says who asks, and what the caller adds', async (t) => {
  const { core, origin, url } = await start(t);
  await (await core.fetch(url('/'), { method: 'PUT', headers: { 'X-Own': 'ä', accept: 'text/html' }, body: 'body' })).bytes();
  const [request] = origin.requests;
  assert.match(
    request?.bytes.toString('latin1') ?? '',
    /^PUT \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nX-Own: \xc3\xa4\r\naccept: text\/html\r\nUser-Agent: warctap\/\S+\r\nContent-Length: 4\r\n\r\nbody$/,
  );
});

test('a body of unknown length is sent in chunks', async (t) => {
  const { core, origin, url } = await start(t);
  const body = async function* () {
    for (const text of ['one', '', 'two']) yield await Promise.resolve(Buffer.from(text));
  };
  await (await core.fetch(url('/'), { method: 'POST', body: body() })).bytes();
  assert.match(String(origin.requests[0]?.bytes), /\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/);
});

test('the same payload is a revisit, counted in the buckets and limited by them', async (t) => {
  const { core, url, written } = await start(t, ({ socket }) => socket.write(ok('the same')));
  const meta = { stats: { buckets: ['job'] }, limits: { 'job/total/urls': 2 } };
  for (const path of ['/1', '/2']) await (await core.fetch(url(path), { meta })).bytes();
  await assert.rejects(core.fetch(url('/3'), { meta }), (error) => error instanceof RefusedError && error.status === 420);
  assert.deepEqual(await written(), [`response ${url('/1')}`, `request ${url('/1')}`, `revisit ${url('/2')}`, `request ${url('/2')}`]);
});

test('a fetch without an answer is a FetchError, and its capture a failure', async (t) => {
  const { core, url, written } = await start(t, ({ socket }) => socket.destroy());
  const captured = once(core, 'capture');
  await assert.rejects(core.fetch(url('/')), (error) => error instanceof FetchError && error.code === 'empty-response');
  const [capture] = (await captured) as [{ kind: string }];
  assert.equal(capture.kind, 'failure');
  assert.deepEqual(await written(), []);
});

test('a body that breaks off throws, and what has come is archived', async (t) => {
  const { core, url, written } = await start(t, ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  const response = await core.fetch(url('/'));
  await assert.rejects(response.bytes(), { name: 'FetchError', message: 'response cut short (disconnect)' });
  assert.equal((await response.archived).archive, true);
  assert.deepEqual(await written(), [`response ${url('/')}`, `request ${url('/')}`]);
});

for (const [what, url, init, message] of [
  ['another scheme', 'ftp://a/', {}, /expected one that begins with http/],
  ['no host', 'http:///', {}, /host not understood/],
  ['a bad method', 'http://a/', { method: 'GE T' }, /method not understood/],
  ['a header that would be two', 'http://a/', { headers: { A: 'b\r\nC: d' } }, /header that cannot be sent/],
  ['framing of its own', 'http://a/', { headers: { 'Content-Length': '3' } }, /how the body is framed/],
] as const) {
  test(`${what} is refused before anything is sent`, async (t) => {
    const { core } = await start(t);
    await assert.rejects(core.fetch(url, init), (error) => error instanceof MessageError && message.test(error.message));
  });
}

test('an unread body holds the origin back, and lets go of it when it is cancelled', async (t) => {
  const size = 20_000_000;
  const answer = ({ socket }: OriginRequest) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size));
  };
  const { core, url } = await start(t, answer, { finishAbandoned: 'always' });
  const response = await core.fetch(url('/'));
  for await (const piece of response.body) {
    assert.ok(piece.length > 0);
    break;
  }
  const { records = [] } = await response.archived;
  assert.ok((records[0]?.length ?? 0) > size);
});

test('who gives up waiting is told so at once, and the page is archived all the same', async (t) => {
  const { core, origin, url, written } = await start(t, () => undefined);
  const giveUp = new AbortController();
  const fetching = core.fetch(url('/'), { signal: giveUp.signal });
  await origin.requested(1);
  giveUp.abort(new Error('enough'));
  await assert.rejects(fetching, { message: 'enough' });
  const captured = once(core, 'capture');
  origin.requests[0]?.socket.write(ok('late'));
  await captured;
  assert.deepEqual(await written(), [`response ${url('/')}`, `request ${url('/')}`]);
});

test('closing cuts what runs, keeps what has come, and refuses what comes', async (t) => {
  const { core, url, written } = await start(t, ({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  const response = await core.fetch(url('/'));
  const [records] = await Promise.all([written(), assert.rejects(response.bytes(), FetchError)]);
  assert.deepEqual(records, [`response ${url('/')}`, `request ${url('/')}`]);
  await assert.rejects(core.fetch(url('/')), { code: 'shutting-down' });
});

test('nothing listens', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
  const { core } = await start(t);
  // The origin is the only one.
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length, before + 1);
  await core.close();
});

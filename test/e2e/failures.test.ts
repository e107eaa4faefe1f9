/** Fetches without an answer as records (--record-failures): every kind that a proxy meets, by real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../src/util/log.ts';
import { rebuild } from '../../src/programs/rebuild.ts';
import { startApi, type Api } from '../support/api.ts';
import { RawClient } from '../support/client.ts';
import type { OriginRequest } from '../support/origin.ts';

function fieldsIn(block: Buffer): Record<string, string> {
  const lines = block.toString().trimEnd().split('\r\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(': ') + 2)]));
}

/** The one failure in the files: what is said of it, and the request record if there is one. */
async function failureOf(api: Api, url: string) {
  const records = await api.proxy.records();
  const [metadata, request, ...more] = records;
  assert.ok(metadata);
  assert.deepEqual(more, []);
  assert.deepEqual([metadata.type, metadata.url, metadata.fields.get('content-type')], ['metadata', url, 'application/warc-fields']);
  if (request !== undefined) {
    assert.deepEqual([request.type, request.url], ['request', url]);
    assert.equal(request.fields.get('warc-concurrent-to'), metadata.fields.get('warc-record-id'));
  }
  const { durationMs = '', ...said } = fieldsIn(metadata.block);
  assert.match(durationMs, /^\d+$/);
  return { said, request, metadata };
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const ANSWERED: Readonly<Record<string, readonly [answer: (request: OriginRequest) => unknown, status: string, message: RegExp]>> = {
  'empty-response': [({ socket }) => socket.end(), '-404', /^origin closed the connection without an answer$/],
  'invalid-response': [({ socket }) => socket.end('What?\r\n\r\n'), '-404', /^invalid response: /],
  'response-timeout': [() => undefined, '-2', /^no answer from the origin within the idle time-out$/],
};

for (const [code, [answer, status, message]] of Object.entries(ANSWERED)) {
  test(`${code}: the request that was sent, and why it has no answer`, async () => {
    await using api = await startApi('over HTTP', { recordFailures: true, answer, socketTimeout: code === 'response-timeout' ? 0.3 : 60 });
    assert.equal((await api.ask('/page', { more: 'X-Mine: 1\r\n' })).status, 502);
    await api.proxy.captured(1);
    const { said, request } = await failureOf(api, api.url('/page'));
    assert.deepEqual([said.fetchStatus, said.fetchError, said.ip], [status, code, '127.0.0.1']);
    assert.match(said.fetchErrorMessage ?? '', message);
    assert.deepEqual(request?.block, api.origin.requests[0]?.bytes);
    assert.equal(request?.fields.get('warc-truncated'), undefined);
    assert.equal(request?.fields.get('warc-protocol'), 'http/1.1');
  });
}

test('not-connected, and failed-before: nothing was sent, the address is named', async () => {
  await using api = await startApi('over HTTP', { recordFailures: true });
  const url = `http://127.0.0.1:${await closedPort()}/`;
  for (let nth = 0; nth < 2; nth++) assert.equal((await api.ask(url)).status, 502);
  await api.proxy.captured(2);
  const records = await api.proxy.records();
  assert.deepEqual(
    records.map(({ type }) => type),
    ['metadata', 'metadata'],
  );
  const said = records.map(({ block }) => fieldsIn(block));
  assert.deepEqual(
    said.map(({ fetchStatus, fetchError, ip }) => [fetchStatus, fetchError, ip]),
    [
      ['-2', 'not-connected', '127.0.0.1'],
      ['-404', 'failed-before', '127.0.0.1'],
    ],
  );
});

test('tls-failed: an origin that speaks no TLS', async () => {
  await using api = await startApi('over HTTP', { recordFailures: true });
  const plain = createServer((socket) => void socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
    0,
    '127.0.0.1',
  );
  await once(plain, 'listening');
  const host = `127.0.0.1:${(plain.address() as AddressInfo).port}`;
  {
    using client = await RawClient.tunnel(api.proxy.port, host, { ca: api.proxy.ca });
    client.send(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.equal((await client.response()).status, 502);
  }
  plain.close();
  await api.proxy.captured(1);
  const { said, request } = await failureOf(api, `https://${host}/x`);
  assert.deepEqual([said.fetchStatus, said.fetchError, said.ip], ['-404', 'tls-failed', '127.0.0.1']);
  assert.equal(request, undefined);
});

test('a certificate that is refused leaves its reason', async () => {
  await using api = await startApi('in a TLS tunnel', { recordFailures: true, originCertificates: 'refuse' });
  assert.equal((await api.ask('/')).status, 502);
  await api.proxy.captured(1);
  const { said, request } = await failureOf(api, api.url('/'));
  assert.deepEqual([said.fetchError, request], ['certificate-refused', undefined]);
});

test('request-aborted: as much of the request as was sent, marked', async () => {
  let began: () => void = () => undefined;
  const sent = new Promise<void>((resolve) => (began = resolve));
  const { startOrigin } = await import('../support/origin.ts');
  await using origin = await startOrigin(() => undefined, { onHead: () => began() });
  await using api = await startApi('over HTTP', { recordFailures: true });
  const url = `http://127.0.0.1:${origin.port}/up`;
  {
    using client = await RawClient.connect(api.proxy.port);
    client.send(`PUT ${url} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf`);
    await sent;
  }
  await api.proxy.captured(1);
  const { said, request } = await failureOf(api, url);
  assert.equal(said.fetchError, 'request-aborted');
  assert.equal(request?.fields.get('warc-truncated'), 'disconnect');
  assert.ok(request);
  assert.match(request.block.toString('latin1'), /^PUT \/up HTTP\/1\.1\r\n[^]*\r\n\r\nhalf$/);
});

test('forbidden-address: nobody was asked', async () => {
  await using api = await startApi('over HTTP', { recordFailures: true, allowLocalhost: false });
  assert.equal((await api.ask('/')).status, 400);
  await api.proxy.captured(1);
  const { said, request } = await failureOf(api, api.url('/'));
  assert.deepEqual([said.fetchError, said.ip, request], ['forbidden-address', undefined, undefined]);
});

test('they are no captures for playback, deduplication and statistics, and indexes made again pass them over', async () => {
  await using api = await startApi('over HTTP', { recordFailures: true, answer: ({ socket }) => socket.end() });
  assert.equal((await api.ask('/')).status, 502);
  await api.proxy.captured(1);
  assert.deepEqual(
    api.proxy.captures.map(({ kind, outcome }) => [kind, outcome.archive, outcome.records?.map(({ type }) => type)]),
    [['failure', false, ['metadata', 'request']]],
  );
  assert.equal((await api.status()).urls_processed, 0);
  await api.proxy.proxy.close();
  const again = { folder: join(api.proxy.dir, 'again'), from: join(api.proxy.dir, 'warcs'), bucket: '', log: silentLog };
  const added = await rebuild({ ...again, onFault: (_file, problem) => assert.fail(problem) });
  assert.deepEqual([added.records, added.playback, added.dedup], [3, 0, 0]);
});

test('without --record-failures nothing is written of them', async () => {
  await using api = await startApi('over HTTP', { answer: ({ socket }) => socket.end() });
  assert.equal((await api.ask('/')).status, 502);
  await api.proxy.captured(1);
  assert.deepEqual(await api.proxy.records(), []);
});

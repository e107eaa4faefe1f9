/** How HTTP/2 ends when the proxy does: what has come is kept and marked, and no client takes a part of an answer for all of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answered, http2Client, startHttp2Origin, type Http2Client } from '../support/http2.ts';
import { testCaFile } from '../support/certificate.ts';
import { startProgram } from '../support/program.ts';
import { readFolder, startProxy, type TestRecord } from '../support/proxy.ts';

const NO_ERROR = 0;

/** `/begun` gets the beginning of an answer, `/silent` none, everything else all of it. */
function startEndlessOrigin() {
  return startHttp2Origin((stream, headers) => {
    if (headers[':path'] === '/silent') return;
    stream.respond({ ':status': 200 });
    if (headers[':path'] === '/begun') stream.write('the beginning');
    else stream.end('whole');
  });
}

/** Two streams that never end, of which one has an answer, once both have reached the origin. */
async function openStreams(client: Http2Client, origin: { readonly asked: readonly unknown[] }) {
  assert.equal((await client.get('/whole')).body.toString(), 'whole');
  const begun = client.session.request({ ':path': '/begun' });
  const cut = answered(begun);
  await once(begun, 'data');
  const silent = client.get('/silent');
  while (origin.asked.length < 3) await new Promise(setImmediate);
  return { cut, silent };
}

function assertKept(records: readonly TestRecord[]): void {
  const response = (path: string) => records.find(({ type, url }) => type === 'response' && url.endsWith(path));
  assert.match(response('/begun')?.block.toString() ?? '', /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nthe beginning$/);
  assert.equal(response('/begun')?.fields.get('warc-truncated'), 'disconnect');
  assert.equal(response('/whole')?.fields.get('warc-truncated'), undefined);
  assert.equal(response('/silent'), undefined);
}

test('close() with open streams: an answer that has begun is kept, marked and reset; the others are answered 503', async () => {
  await using origin = await startEndlessOrigin();
  await using proxy = await startProxy({ maxThreads: 2 });
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const { cut, silent } = await openStreams(client, origin);
  const waiting = client.get('/waits-for-its-turn');
  // Frames of one connection come in their order: the one before is known when this is answered.
  await new Promise<void>((resolve) => client.session.ping(() => resolve()));
  const records = await proxy.records();
  const { status, body, rstCode } = await cut;
  assert.deepEqual([status, body.toString()], [200, 'the beginning']);
  assert.notEqual(rstCode, NO_ERROR);
  for (const answer of [silent, waiting]) {
    const { status, body, rstCode } = await answer;
    assert.deepEqual([status, body.toString(), rstCode], [503, 'proxy is shutting down\n', NO_ERROR]);
  }
  assert.equal(origin.asked.length, 3);
  assertKept(records);
});

test('close() does not wait for a client that takes nothing', async () => {
  await using origin = await startHttp2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end(Buffer.alloc(8 * 1024 * 1024));
  });
  await using proxy = await startProxy();
  using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
  const slow = client.session.request({ ':path': '/' });
  const gone = new Promise((resolve) => slow.on('error', () => undefined).once('close', resolve));
  await once(slow, 'response');
  await proxy.proxy.close();
  await gone;
  assert.equal(proxy.captures[0]?.kind, 'exchange');
});

test('SIGTERM with open streams: the program ends by itself, with the same', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await using origin = await startEndlessOrigin();
  await using program = await startProgram(dir);
  const ca = await readFile(await testCaFile(), 'utf8');
  using client = await http2Client(program.port, `127.0.0.1:${origin.port}`, ca.slice(ca.indexOf('-----BEGIN CERTIFICATE-----')));
  const { cut, silent } = await openStreams(client, origin);
  program.child.kill('SIGTERM');
  assert.deepEqual(await program.ended, [0, null]);
  assert.notEqual((await cut).rstCode, NO_ERROR);
  assert.equal((await silent).status, 503);
  assertKept(await readFolder(join(dir, 'warcs')));
});

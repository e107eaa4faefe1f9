/** What the events of an exchange lead to where no socket can be made to behave so. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlockRecorder, type RecordingOptions } from '../../src/capture/recorder.ts';
import type { Capture } from '../../src/capture/capture.ts';
import { releaseCapture } from '../../src/capture/kinds.ts';
import { NO_META } from '../../src/meta/meta.ts';
import type { ExchangeClient } from '../../src/http/sides.ts';
import type { Connector } from '../../src/fetch/connector.ts';
import { FetchError } from '../../src/http/fetch-error.ts';
import { Exchange } from '../../src/fetch/exchange.ts';
import { UpstreamPool } from '../../src/fetch/pool.ts';
import type { UpstreamConnection } from '../../src/fetch/http1-origin.ts';

/** A POST whose recording goes to a temporary file at once; a megabyte is more than may wait for the disk. */
function upload(dir: string, client: ExchangeClient, upstream: UpstreamConnection, sink: (capture: Capture) => void): Exchange {
  return new Exchange(
    {
      connector: { connect: () => Promise.resolve(upstream) } as unknown as Connector,
      pool: new UpstreamPool(1),
      recording: recordingTo(dir),
      now: () => new Date(),
      newRecordId: () => '<urn:uuid:0>',
      sink: (capture) => {
        sink(capture);
        return undefined;
      },
      maxResourceBytes: 0,
      minRate: { bytesPerSecond: 0, windowMs: 1000 },
    },
    {
      method: 'POST',
      target: { scheme: 'http', host: 'a', port: 80, path: '/', url: 'http://a/' },
      servername: undefined,
      head: Buffer.from('POST / HTTP/1.1\r\n\r\n'),
      hasBody: true,
      expectsContinue: false,
      persistent: true,
      referer: undefined,
      meta: NO_META,
      warcPrefix: 'X',
    },
    client,
    () => {},
  );
}

const recordingTo = (dir: string): RecordingOptions => ({
  digest: { algorithm: 'sha1', base32: false },
  spool: { maxMemoryBytes: 0, dir },
});

/** A recorder of the same kind that began later is on the disk, or has failed, later. */
async function recordedBefore(dir: string, size: number): Promise<void> {
  const later = new BlockRecorder(recordingTo(dir));
  later.write(Buffer.alloc(size));
  await later.bytes.flushed();
  later.bytes.release();
}

test('an upload goes on only when both the origin and the disk of its recording have kept up', async () => {
  let resumed = 0;
  let wake = () => {};
  const client = { fail() {}, resumeRequest: () => (resumed++, wake()) } as unknown as ExchangeClient;
  const socket = { write: () => originReady, writableNeedDrain: false, cork() {}, uncork() {} };
  let originReady = true;
  const upstream = { socket, ipAddress: '127.0.0.1', attach() {}, resume() {}, destroy() {} } as unknown as UpstreamConnection;
  const exchange = upload(tmpdir(), client, upstream, releaseCapture);
  const resumption = () => new Promise<void>((resolve) => (wake = resolve));

  const connected = resumption();
  exchange.start();
  await connected;
  assert.equal(resumed, 1);

  // The disk is behind, the origin is not: its event alone must not let the client go on.
  const written = resumption();
  assert.equal(exchange.write(Buffer.alloc(2 * 1024 * 1024)), false);
  exchange.onDrain();
  assert.equal(resumed, 1);
  await written;
  assert.equal(resumed, 2);

  // The origin is behind, the disk soon is not: nor must the disk.
  originReady = false;
  assert.equal(exchange.write(Buffer.alloc(2 * 1024 * 1024)), false);
  await recordedBefore(tmpdir(), 4 * 1024 * 1024);
  assert.equal(resumed, 2);
  const drained = resumption();
  originReady = true;
  exchange.onDrain();
  await drained;
  assert.equal(resumed, 3);
  exchange.shutDown(new FetchError('shutting-down', 'proxy is shutting down'));
});

for (const when of ['before its end', 'at its end'] as const) {
  test(`an upload whose temporary file fails ${when} is a failure, and no answer of the origin is passed on`, async () => {
    const dir = join(tmpdir(), 'warctap-not-there');
    const told: string[] = [];
    const captures: Capture[] = [];
    let connected = () => {};
    const client = {
      head: () => told.push('head'),
      flush() {},
      end: () => told.push('end'),
      fail: ({ code }: FetchError) => told.push(code),
      resumeRequest: () => connected(),
    } as unknown as ExchangeClient;
    const socket = { write: () => true, writableNeedDrain: false };
    const upstream = { socket, ipAddress: '127.0.0.1', attach() {}, resume() {}, destroy() {} } as unknown as UpstreamConnection;
    const exchange = upload(dir, client, upstream, (capture) => captures.push(capture));
    const connection = new Promise<void>((resolve) => (connected = resolve));
    exchange.start();
    await connection;
    exchange.write(Buffer.from('a'));
    if (when === 'at its end') exchange.endRequest();
    await recordedBefore(dir, 1);
    assert.deepEqual(told, []);
    if (when === 'at its end') {
      exchange.onData(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    } else {
      exchange.write(Buffer.from('b'));
      // The client is in the middle of its own work.
      assert.deepEqual(told, []);
      await Promise.resolve();
    }
    assert.deepEqual(told, ['recording-failed']);
    assert.deepEqual(
      captures.map(({ kind }) => kind),
      ['failure'],
    );
    exchange.write(Buffer.from('c'));
    exchange.onData(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    await Promise.resolve();
    assert.equal(told.length, 1);
  });
}

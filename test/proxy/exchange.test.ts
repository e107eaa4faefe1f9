/** What the events of an exchange lead to where no socket can be made to behave so. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { BlockRecorder } from '../../src/capture/recorder.ts';
import { releaseCapture } from '../../src/capture/capture.ts';
import { NO_META } from '../../src/meta/meta.ts';
import type { ExchangeClient } from '../../src/proxy/client-side.ts';
import type { Connector } from '../../src/proxy/connector.ts';
import { Exchange } from '../../src/proxy/exchange.ts';
import { UpstreamPool } from '../../src/proxy/pool.ts';
import type { UpstreamConnection } from '../../src/proxy/upstream-connection.ts';

test('an upload goes on only when both the origin and the disk of its recording have kept up', async () => {
  let resumed = 0;
  let wake = () => {};
  const client = { fail() {}, resumeRequest: () => (resumed++, wake()) } as unknown as ExchangeClient;
  const socket = { write: () => originReady, writableNeedDrain: false, cork() {}, uncork() {} };
  let originReady = true;
  const upstream = { socket, ipAddress: '127.0.0.1', attach() {}, resume() {}, destroy() {} } as unknown as UpstreamConnection;
  const exchange = new Exchange(
    {
      connector: { connect: () => Promise.resolve(upstream) } as unknown as Connector,
      pool: new UpstreamPool(1),
      // Everything goes to the disk at once, and a megabyte is more than may wait for it.
      recording: { digest: { algorithm: 'sha1', base32: false }, spool: { maxMemoryBytes: 0, dir: tmpdir() } },
      now: () => new Date(),
      newRecordId: () => '<urn:uuid:0>',
      sink: (capture) => {
        releaseCapture(capture);
        return undefined;
      },
      maxResourceBytes: 0,
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
  // A recorder of the same kind that began later is on the disk later.
  const later = new BlockRecorder({ digest: { algorithm: 'sha1', base32: false }, spool: { maxMemoryBytes: 0, dir: tmpdir() } });
  later.write(Buffer.alloc(4 * 1024 * 1024));
  await later.bytes.flushed();
  later.bytes.release();
  assert.equal(resumed, 2);
  const drained = resumption();
  originReady = true;
  exchange.onDrain();
  await drained;
  assert.equal(resumed, 3);
  exchange.shutDown();
});

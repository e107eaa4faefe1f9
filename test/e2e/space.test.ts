/** A disk that is nearly full: requests are turned away before anything is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

test('with too little space left, requests and records are answered 503, nothing reaches the origin, and /status goes on', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  await using proxy = await startProxy({ minFreeSpace: Number.MAX_SAFE_INTEGER });
  using client = await RawClient.connect(proxy.port);
  client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);
  const { status, body } = await client.response();
  assert.equal(status, 503);
  assert.match(
    body.toString(),
    /^too little space is left on the disk of the WARC files \([\d.]+[kMGT] free, --min-free-space is 8192T\)\n$/,
  );
  client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal((await client.response()).status, 200);
  client.send('WARCPROX_WRITE_RECORD urn:a HTTP/1.1\r\nWARC-Type: resource\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx');
  assert.equal((await client.response()).status, 503);
  assert.equal(origin.connections, 0);
  assert.deepEqual(await proxy.records(), []);
});

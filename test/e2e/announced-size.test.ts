/**
 * What is announced to be larger than temporary files may be is refused before it is read.
 *
 * Source: docs/reliability.md (bounds).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { refusal } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

const MAX_SPOOL = 2 * 1024 * 1024;
const RECORD = 'WARCPROX_WRITE_RECORD urn:test:record HTTP/1.1\r\nWARC-Type: resource\r\nContent-Type: text/plain\r\nContent-Length: ';

test('an upload and a record: 413 by their heads, and the origin hears of neither', async () => {
  await using origin = await startOrigin(() => assert.fail('nothing is sent on'));
  await using proxy = await startProxy({ maxSpool: MAX_SPOOL });
  const told = 'larger than temporary files may be (--max-spool)';
  for (const [head, line] of [
    [`POST ${origin.url}/upload HTTP/1.1\r\nHost: ${new URL(origin.url).host}\r\nContent-Length: `, `body is ${told}`],
    [RECORD, `record not written: it is ${told}`],
  ] as const) {
    using client = await RawClient.connect(proxy.port);
    client.send(`${head}${MAX_SPOOL + 1}\r\n\r\n`);
    assert.equal((await client.rest()).toString(), refusal('413 Payload Too Large', line));
  }
  assert.equal(origin.connections, 0);
});

test('what is exactly as large as they may be is taken', async () => {
  await using proxy = await startProxy({ maxSpool: MAX_SPOOL });
  using client = await RawClient.connect(proxy.port);
  client.send(`${RECORD}${MAX_SPOOL}\r\n\r\n${'x'.repeat(MAX_SPOOL)}`);
  assert.equal((await client.response()).status, 204);
});

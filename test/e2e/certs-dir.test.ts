/** Names that clients make up leave nothing in the folder of certificates. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

const INVENTED = 20;

test('a certificate is kept when its origin has been reached; for one that is not, the client is told why, and nothing is kept', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()), { tls: true });
  const { port: nobody, [Symbol.asyncDispose]: stop } = await startOrigin(() => undefined);
  await stop();
  await using proxy = await startProxy();
  const status = async (authority: string, servername?: string) => {
    using client = await RawClient.tunnel(proxy.port, authority, { ca: proxy.ca, ...(servername === undefined ? {} : { servername }) });
    client.send(`GET / HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    return (await client.response()).status;
  };
  for (let index = 0; index < INVENTED; index++) {
    assert.equal(await status(`127.0.0.1:${nobody}`, `www.sni-${index}.com`), 502);
    assert.equal(await status(`host-${index}.localhost:${nobody}`), 502);
  }
  assert.equal(await status(`127.0.0.1:${origin.port}`, 'www.there.com'), 200);
  await proxy.proxy.close();
  assert.deepEqual((await readdir(join(proxy.dir, 'certs'))).sort(), ['127.0.0.1.pem', 'leaf.key', 'there.com.pem']);
});

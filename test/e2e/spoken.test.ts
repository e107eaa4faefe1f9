/** WARC-Protocol and WARC-Cipher-Suite: what the records say was spoken with an origin is what was spoken. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startApi, WAYS } from '../support/api.ts';
import { testCertificate } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

/** The heads of the records of all files, as they stand there. */
async function heads(proxy: TestProxy): Promise<string[]> {
  await proxy.proxy.close();
  const dir = join(proxy.dir, 'warcs');
  const texts = await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name), 'latin1')));
  return texts.flatMap((text) => [...text.matchAll(/^WARC\/1\.1\r\n[^]*?\r\n\r\n/gm)].map(([head]) => head));
}

const typeOf = (head: string) => /^WARC-Type: (.*)\r$/m.exec(head)?.[1];
const spoken = (head: string) => [...head.matchAll(/^WARC-(?:Protocol|Cipher-Suite): .*(?=\r$)/gm)].map(([line]) => line);

test('over HTTP the version of the answer, in all three kinds of records', async () => {
  await using api = await startApi('over HTTP', {
    answer: ({ path, socket }) =>
      socket.end(`HTTP/${path === '/old' ? '1.0' : '1.1'} 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nyes`),
  });
  for (const path of ['/new', '/old']) assert.equal((await api.ask(path)).status, 200);
  const found = (await heads(api.proxy)).filter((head) => typeOf(head) !== 'warcinfo');
  assert.deepEqual(
    found.map((head) => [typeOf(head), spoken(head)]),
    [
      ['response', ['WARC-Protocol: http/1.1']],
      ['request', ['WARC-Protocol: http/1.1']],
      // The same payload once more.
      ['revisit', ['WARC-Protocol: http/1.0']],
      ['request', ['WARC-Protocol: http/1.0']],
    ],
  );
});

const SUITES: readonly (readonly [TlsOptions, version: string, suite: string])[] = [
  [{}, 'tls/1.3', 'TLS_AES_256_GCM_SHA384'],
  [{ ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }, 'tls/1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
  [{ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'tls/1.2', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
  [{ maxVersion: 'TLSv1.2', ciphers: 'AES256-SHA' }, 'tls/1.2', 'TLS_RSA_WITH_AES_256_CBC_SHA'],
  [{ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' }, 'tls/1.0', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
];

for (const [options, version, suite] of SUITES) {
  test(`TLS with an origin is named as IANA does: ${version} ${suite}`, async () => {
    const server = createTlsServer({ ...(await testCertificate()), ...options }, (socket) => {
      socket.on('error', () => undefined).on('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await using proxy = await startProxy();
    {
      using client = await RawClient.tunnel(proxy.port, `127.0.0.1:${(server.address() as AddressInfo).port}`, { ca: proxy.ca });
      // The second by a kept connection.
      for (const path of ['/1', '/2']) {
        client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
        assert.equal((await client.response()).status, 204);
      }
    }
    await proxy.captured(2);
    server.close();
    const found = (await heads(proxy)).filter((head) => typeOf(head) !== 'warcinfo');
    assert.equal(found.length, 4);
    for (const head of found)
      assert.deepEqual(spoken(head), ['WARC-Protocol: http/1.1', `WARC-Protocol: ${version}`, `WARC-Cipher-Suite: ${suite}`]);
  });
}

for (const way of WAYS) {
  test(`--no-warc-protocol leaves both fields out, ${way}`, async () => {
    await using api = await startApi(way, { noWarcProtocol: true });
    assert.equal((await api.ask('/')).status, 200);
    const found = await heads(api.proxy);
    assert.deepEqual(found.map(typeOf), ['warcinfo', 'response', 'request']);
    for (const head of found) assert.deepEqual(spoken(head), []);
  });
}

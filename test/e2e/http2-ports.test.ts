/** HTTP/2 beside what is not of one exchange: log-in at the proxy, and the playback port. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashPassword } from '../../src/auth/password-hash.ts';
import { http2Client, startHttp2Origin, tunnelTls } from '../support/http2.ts';
import { startOrigin } from '../support/origin.ts';
import { filesIn, startProxy } from '../support/proxy.ts';

const startSmall = () =>
  startHttp2Origin((stream, headers) => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end(headers[':path']);
  });

test('log-in: CONNECT is asked; streams within the tunnel are not, and what was meant for the proxy goes no further', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const proxyAuthFile = join(folder, 'users');
  await writeFile(proxyAuthFile, `alice:${await hashPassword('secret')}\n`, { mode: 0o600 });
  await using origin = await startSmall();
  await using proxy = await startProxy({ proxyAuthFile });
  const authority = `127.0.0.1:${origin.port}`;
  const word = Buffer.from('alice:secret').toString('base64');
  await assert.rejects(http2Client(proxy.port, authority, proxy.ca), /answered HTTP\/1\.1 407 /);
  using client = await http2Client(proxy.port, authority, proxy.ca, {}, `Proxy-Authorization: Basic ${word}\r\n`);
  const own = { authorization: 'mine' };
  for (const fields of [own, { ...own, 'proxy-authorization': `Basic ${word}` }, { ...own, 'proxy-authorization': 'Basic wrong' }])
    assert.equal((await client.get('/in', fields)).status, 200);
  assert.deepEqual(
    origin.asked.map(({ headers }) => [headers.authorization, headers['proxy-authorization']]),
    Array.from({ length: 3 }, () => ['mine', undefined]),
  );
  await proxy.captured(3);
  await proxy.proxy.close();
  for (const [name, bytes] of await filesIn(join(proxy.dir, 'warcs'))) assert.ok(!bytes.includes(word), name);
});

test('the playback port plays by HTTP/2 and by HTTP/1.1 what came by either', async () => {
  await using origin = await startSmall();
  const chunked = 'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  await using older = await startOrigin(({ socket }) => socket.write(chunked), { tls: true });
  await using proxy = await startProxy({ playbackPort: 0 });
  const port = Number(new URL(proxy.proxy.playbackUrl ?? '').port);
  for (const [{ port: of }, body] of [
    [origin, '/played'],
    [older, 'abc'],
  ] as const) {
    const authority = `127.0.0.1:${of}`;
    using client = await http2Client(proxy.port, authority, proxy.ca);
    assert.equal((await client.get('/played')).body.toString(), body);
    await proxy.captureOf(`https://${authority}/played`);
    using player = await http2Client(port, authority, proxy.ca);
    const played = await player.get('/played');
    assert.deepEqual([played.status, played.body.toString(), played.rstCode], [200, body, 0]);
    assert.ok(played.headers['memento-datetime']);
    const head = await player.get('/played', { ':method': 'HEAD' });
    assert.deepEqual([head.status, head.body.length, head.rstCode], [200, 0, 0]);
    assert.equal((await player.get('/never')).status, 404);
    const socket = await tunnelTls(port, authority, proxy.ca, ['http/1.1']);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    socket.write(`GET /played HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`);
    await once(socket, 'close');
    assert.match(answer, /^HTTP\/1\.1 200 (OK|Fine)\r\n/);
    assert.ok(answer.includes(body));
  }
  assert.equal(origin.asked.length + older.requests.length, 2);
});

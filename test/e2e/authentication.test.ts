/**
 * A proxy that asks who its clients are: on the wire, in the archive and in the logs.
 *
 * Source: spec/warcprox.md §9; RFC 9110 §11.7, RFC 7617.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { hashPassword } from '../../src/auth/password-hash.ts';
import { createProxy, OptionError } from '../../src/index.ts';
import type { Log } from '../../src/util/log.ts';
import { RawClient } from '../support/client.ts';
import { get, ok, received } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { tool } from '../support/tools.ts';

const PASSWORD = 'hunter2 pässword';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const GOOD = basic(`alice:${PASSWORD}`);
const WITH = `Proxy-Authorization: ${GOOD}\r\n`;

function asksFor(status: '401 Unauthorized' | '407 Proxy Authentication Required', line: string, close = ''): string {
  const name = status.startsWith('401') ? 'WWW-Authenticate' : 'Proxy-Authenticate';
  return (
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: ${line.length + 1}\r\n` +
    `${name}: Basic realm="warctap", charset="UTF-8"\r\n${close}\r\n${line}\n`
  );
}
const ASKED = asksFor('407 Proxy Authentication Required', 'proxy authentication required');
const ASKED_AND_CLOSED = asksFor('407 Proxy Authentication Required', 'proxy authentication required', 'Connection: close\r\n');
const ASKED_FOR_PAGE = asksFor('401 Unauthorized', 'authentication required');

const logged: string[] = [];
const keep = (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`);
const log: Log = { debug: keep, info: keep, warn: keep, error: keep };

let folder: string;
let file: string;
let hash: string;
let origin: Origin;
let proxy: TestProxy;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warctap-auth-'));
  file = join(folder, 'users');
  hash = await hashPassword(PASSWORD);
  await writeFile(file, `# people\nalice:${hash}\n`, { mode: 0o600 });
  origin = await startOrigin(({ socket }) => socket.write(ok()));
  proxy = await startProxy({ proxyAuthFile: file, playbackPort: 0, log });
});
after(async () => {
  await origin[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const whole = async (client: RawClient, method?: string) => {
  const { head, body } = await client.response(method);
  return head + body.toString();
};

test('a client is asked, answers on the same connection, and need not be asked again', async () => {
  using client = await RawClient.connect(proxy.port);
  const url = `${origin.url}/plain`;
  client.send(get(url));
  assert.equal(await whole(client), ASKED);
  client.send(get(url, `Proxy-Authorization: ${basic('alice:wrong')}\r\n`));
  assert.equal(await whole(client), ASKED);
  for (let i = 0; i < 2; i++) {
    client.send(get(url, WITH));
    assert.equal((await client.response()).status, 200);
  }
  client.send(get(url));
  assert.equal(await whole(client), ASKED);
  assert.deepEqual(
    origin.requests.filter(({ path }) => path === '/plain').map(({ bytes }) => bytes.toString()),
    [received(url), received(url)],
  );
});

test('CONNECT is asked, answers on the same connection, and within the tunnel nobody is asked, nor passed on what was meant for us', async () => {
  using client = await RawClient.connect(proxy.port);
  const authority = `127.0.0.1:${origin.port}`;
  client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  assert.equal(await whole(client), ASKED);
  // What is inside comes at once with the head of CONNECT.
  client.send(
    `CONNECT ${authority} HTTP/1.1\r\n${WITH}\r\nGET /inside HTTP/1.1\r\nHost: ${authority}\r\nAuthorization: mine\r\n${WITH}\r\n`,
  );
  assert.match(await client.head(), /^HTTP\/1\.1 200 Connection established\r\n\r\n$/);
  assert.equal((await client.response()).status, 200);
  const inside = origin.requests.find(({ path }) => path === '/inside');
  assert.equal(inside?.bytes.toString(), `GET /inside HTTP/1.1\r\nHost: ${authority}\r\nAuthorization: mine\r\n\r\n`);
});

test('pages of ours ask for Authorization, not for Proxy-Authorization', async () => {
  using client = await RawClient.connect(proxy.port);
  for (const [request, answer] of [
    ['GET /status HTTP/1.1\r\n\r\n', ASKED_FOR_PAGE],
    [`GET /status HTTP/1.1\r\n${WITH}\r\n`, ASKED_FOR_PAGE],
    ['GET /nothing HTTP/1.1\r\n\r\n', ASKED_FOR_PAGE],
  ] as const) {
    client.send(request);
    assert.equal(await whole(client), answer);
  }
  client.send(`GET /status HTTP/1.1\r\nAuthorization: ${GOOD}\r\n\r\n`);
  const { status, body } = await client.response();
  assert.equal(status, 200);
  assert.equal((JSON.parse(body.toString()) as { role: string }).role, 'warcprox');
});

test('the playback port asks as well, also for tunnels, and goes on on the same connection', async () => {
  const port = Number(new URL(proxy.proxy.playbackUrl ?? '').port);
  using client = await RawClient.connect(port);
  client.send(get('http://nowhere.example/'));
  assert.equal(await whole(client), ASKED);
  client.send('CONNECT nowhere.example:80 HTTP/1.1\r\n\r\n');
  assert.equal(await whole(client), ASKED);
  client.send(`POST http://nowhere.example/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc${get('http://nowhere.example/', WITH)}`);
  assert.equal(await whole(client), ASKED);
  assert.equal((await client.response()).status, 404);
  client.send(`CONNECT nowhere.example:80 HTTP/1.1\r\n${WITH}\r\n`);
  assert.match(await client.head(), /^HTTP\/1\.1 200 /);
  client.send('GET / HTTP/1.1\r\n\r\n');
  assert.equal((await client.response()).status, 404);
});

test('records of clients are refused without credentials, before anything else is looked at', async () => {
  using client = await RawClient.connect(proxy.port);
  const record = (more: string) =>
    `PUTMETA x:y HTTP/1.1\r\nContent-Type: text/plain\r\nWarcprox-Meta: nonsense\r\n${more}Content-Length: 1\r\n\r\nz`;
  client.send(record(''));
  assert.equal(await whole(client), ASKED);
  client.send(record(WITH));
  assert.equal((await client.response()).status, 400);
});

test('a refused body is read past if it is short; else the connection ends', async () => {
  const post = (more: string, body: string) => `POST ${origin.url}/post HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n${more}\r\n${body}`;
  using client = await RawClient.connect(proxy.port);
  client.send(post('Content-Length: 65536\r\n', 'x'.repeat(65_536)) + post(`${WITH}Content-Length: 1\r\n`, 'y'));
  assert.equal(await whole(client), ASKED);
  assert.equal((await client.response()).status, 200);
  assert.deepEqual(
    origin.requests.filter(({ path }) => path === '/post').map(({ bytes }) => bytes.toString().slice(-5)),
    ['\r\n\r\ny'],
  );
  for (const more of [
    'Content-Length: 65537\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\nContent-Length: 5\r\n',
    `Proxy-Authorization: ${basic('alice:wrong')}\r\nTransfer-Encoding: chunked\r\n`,
  ]) {
    using closing = await RawClient.connect(proxy.port);
    closing.send(post(more, ''));
    assert.equal((await closing.rest()).toString(), ASKED_AND_CLOSED, more);
  }
});

test('requests that come in a row are answered in order, while a password is looked at', async () => {
  await using fresh = await startProxy({ proxyAuthFile: file });
  using client = await RawClient.connect(fresh.port);
  const url = `${origin.url}/row`;
  client.send(get(url, WITH) + get(url) + get(url, `Proxy-Authorization: ${basic('bob:x')}\r\n`) + get(url, WITH));
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await client.response()).status);
  assert.deepEqual(statuses, [200, 407, 407, 200]);
});

test('a client that leaves while its password is looked at, or that has no more to say, harms nobody', async () => {
  await using fresh = await startProxy({ proxyAuthFile: file });
  const leaving = await RawClient.connect(fresh.port);
  leaving.send(get(`${origin.url}/left`, WITH));
  leaving[Symbol.dispose]();
  using half = await RawClient.connect(fresh.port);
  half.send(`CONNECT 127.0.0.1:${origin.port} HTTP/1.1\r\n${WITH}\r\n`);
  half.socket.end();
  assert.equal((await half.rest()).toString().replace('HTTP/1.1 200 Connection established\r\n\r\n', ''), '');
  using client = await RawClient.connect(fresh.port);
  client.send(get(`${origin.url}/stays`, WITH));
  assert.equal((await client.response()).status, 200);
});

test('HEAD is asked without a body, HTTP/1.0 and then closed', async () => {
  using client = await RawClient.connect(proxy.port);
  client.send(`HEAD ${origin.url}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.equal(await whole(client, 'HEAD'), ASKED.slice(0, ASKED.indexOf('\r\n\r\n') + 4));
  using old = await RawClient.connect(proxy.port);
  old.send(`GET ${origin.url}/ HTTP/1.0\r\n\r\n`);
  assert.equal((await old.rest()).toString(), ASKED_AND_CLOSED);
});

const { command: CURL, skip } = tool('curl');

test('curl answers the challenge, for plain requests and for tunnels', { skip }, async () => {
  const curl = async (...args: string[]) => {
    const common = ['--silent', '--noproxy', '', '--cacert', join(folder, 'ca.pem'), '--write-out', '%{http_code} %{num_connects}'];
    const proxied = ['--proxy', `http://127.0.0.1:${proxy.port}`, '--proxy-anyauth', ...args];
    const { stdout } = await promisify(execFile)(CURL, [...common, ...proxied, '--output', '/dev/null']).catch(
      (error: unknown) => error as { stdout: string },
    );
    return stdout;
  };
  await writeFile(join(folder, 'ca.pem'), proxy.ca);
  await using secure = await startOrigin(({ socket }) => socket.write(ok()), { tls: true });
  const me = ['--proxy-user', `alice:${PASSWORD}`];
  assert.equal(await curl(...me, `${origin.url}/curl`), '200 1');
  assert.equal(await curl(...me, `${secure.url}/curl`), '200 1');
  assert.equal(await curl('--proxy-user', 'alice:wrong', `${origin.url}/curl`), '407 1');
  assert.equal(await curl(`${origin.url}/curl`), '407 1');
});

test('nothing of this is in the archive or the log, and requests that were refused are no captures', async () => {
  await using own = await startProxy({ proxyAuthFile: file, log });
  using client = await RawClient.connect(own.port);
  client.send(get(`${origin.url}/refused`) + get(`${origin.url}/kept`, WITH) + `GET /status HTTP/1.1\r\nAuthorization: ${GOOD}\r\n\r\n`);
  assert.deepEqual([(await client.response()).status, (await client.response()).status, (await client.response()).status], [407, 200, 200]);
  client.send(`WARCPROX_WRITE_RECORD x:y HTTP/1.1\r\nWARC-Type: metadata\r\nContent-Type: text/plain\r\n${WITH}Content-Length: 1\r\n\r\nz`);
  assert.equal((await client.response()).status, 204);
  await own.captured(2);
  assert.deepEqual(
    own.captures.map(({ url }) => url),
    [`${origin.url}/kept`, 'x:y'],
  );
  await own.proxy.close();
  let bytes = '';
  for (const name of await readdir(join(own.dir, 'warcs'))) bytes += await readFile(join(own.dir, 'warcs', name), 'latin1');
  assert.ok(bytes.includes('/kept'));
  const all = bytes + logged.join('\n');
  assert.match(all, /client not let in \{"status":407,"client":"127\.0\.0\.1"\}/);
  for (const secret of [PASSWORD, 'hunter2', GOOD.slice(6), hash.slice(20)]) assert.ok(!all.includes(secret), secret);
  assert.doesNotMatch(bytes, /authorization/i);
});

test('a file that will not do is an OptionError of one line that does not show it', async () => {
  const bad = join(folder, 'bad');
  await writeFile(bad, `alice:${hash}\nbob:hunter2\n`, { mode: 0o600 });
  const refused = async (path: string) => {
    let message = '';
    await assert.rejects(createProxy({ proxyAuthFile: path, port: 0 }), (error) => {
      assert.ok(error instanceof OptionError && error.option === 'proxyAuthFile');
      ({ message } = error);
      return true;
    });
    return message;
  };
  assert.equal(
    await refused(bad),
    `option proxyAuthFile: expected lines USER:$scrypt$… as "warctap passwd USER" makes them (line 2 is none), got ${JSON.stringify(bad)}`,
  );
  assert.match(await refused(join(folder, 'nowhere')), /expected a file that can be read \(ENOENT\), got /);
  await chmod(bad, 0o666);
  assert.match(await refused(bad), /only its owner may write to \(its mode is 666; run chmod 600\)/);
});

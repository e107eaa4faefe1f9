/** What is given at `/`, `/ca/…`, `/proxy.pac` and by our own names, over real sockets. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { pacScript } from '../../../src/web/pac.ts';
import { hashPassword } from '../../../src/auth/password-hash.ts';
import { openssl, opensslIsMissing, temporaryFolder } from '../../ca/support.ts';
import { RawClient } from '../../support/client.ts';
import { startProxy, type TestProxy } from '../../support/proxy.ts';

const ask = (target: string, host: string, more = '', method = 'GET') => `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;

interface Said {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/** What the proxy answers to one request on a connection of its own. */
async function said({ port }: TestProxy, request: string): Promise<Said> {
  using client = await RawClient.connect(port);
  client.send(request);
  return await client.response();
}

describe('our own names', () => {
  test('are answered through the proxy, over plain HTTP and TLS, and nothing of it is archived', async () => {
    await using proxy = await startProxy();
    for (const url of ['http://warctap.test/', 'http://WarcTap.Test', 'http://warctap.test:8000/?a#b', 'http://warctap.test.?x']) {
      const { status, body } = await said(proxy, ask(url, 'somebody.example'));
      assert.equal(status, 200, url);
      assert.match(body.toString(), /<title>warctap<\/title>/);
    }
    using inside = await RawClient.tunnel(proxy.port, 'warctap.test:443', { ca: proxy.ca });
    inside.send(ask('/about.json', 'warctap.test'));
    const about = JSON.parse((await inside.response()).body.toString()) as Record<string, unknown>;
    assert.deepEqual([about.through, about.proxy, about.login], [true, `127.0.0.1:${proxy.port}`, false]);
    assert.deepEqual(await proxy.records(), []);
  });

  test('a page that is not there is 404, another method 405, and both are answered by nobody else', async () => {
    await using proxy = await startProxy();
    assert.equal((await said(proxy, ask('http://warctap.test/nothing', 'x'))).status, 404);
    const { status, head } = await said(proxy, ask('http://warctap.test/', 'x', 'Content-Length: 0\r\n', 'POST'));
    assert.deepEqual([status, /^Allow: .*$/m.exec(head)?.[0].trim()], [405, 'Allow: GET, HEAD']);
  });

  test('one is known from elsewhere, and leads to ours', async () => {
    await using proxy = await startProxy();
    const { status, head } = await said(proxy, ask('http://mitm.it/ca/warctap-ca.pem?x', 'mitm.it'));
    assert.equal(status, 307);
    assert.match(head, /^Location: http:\/\/warctap\.test\/ca\/warctap-ca\.pem\?x\r$/m);
    using inside = await RawClient.tunnel(proxy.port, 'mitm.it:443', { ca: proxy.ca });
    inside.send(ask('/', 'mitm.it'));
    assert.match((await inside.response()).head, /^Location: https:\/\/warctap\.test\/\r$/m);
  });

  test('are no way past the check of hosts: asked for directly they are 421, as all that is not of this machine', async () => {
    await using proxy = await startProxy();
    for (const host of ['warctap.test', 'mitm.it', 'mitm.it:8000', 'evil.example'])
      for (const path of ['/', '/about.json', '/proxy.pac', '/ca/warctap-ca.pem'])
        assert.equal((await said(proxy, ask(path, host))).status, 421, `${host} ${path}`);
    assert.equal((await said(proxy, ask('/', hostname()))).status, 200);
  });

  test('only our own pages are let read that this proxy is there', async () => {
    await using proxy = await startProxy();
    const allowed = async (origin: string) => {
      const { head } = await said(proxy, ask('http://warctap.test/via.json', 'x', `Origin: ${origin}\r\n`));
      return /^Access-Control-Allow-Origin: (.*)\r$/im.exec(head)?.[1];
    };
    for (const ours of [`http://127.0.0.1:${proxy.port}`, 'http://localhost:1', 'https://warctap.test', 'http://warctap.test'])
      assert.equal(await allowed(ours), ours);
    for (const other of ['https://evil.example', 'null', 'http://mitm.it', 'http://warctap.test.evil.example'])
      assert.equal(await allowed(other), undefined, other);
  });
});

describe('the certificate', () => {
  test('is given in four forms, which openssl reads, and never with the key', { skip: opensslIsMissing }, async () => {
    await using proxy = await startProxy();
    const folder = temporaryFolder();
    const file = async (name: string, type: string) => {
      const { status, head, body } = await said(proxy, ask(`/ca/${name}`, 'localhost'));
      assert.equal(status, 200, name);
      assert.ok(head.includes(`\r\nContent-Type: ${type}\r\n`), head);
      assert.ok(!body.includes('PRIVATE'), name);
      const path = join(folder, name);
      writeFileSync(path, body);
      return { path, body };
    };
    const expected = new X509Certificate(proxy.ca).fingerprint256;
    const fingerprint = (...args: string[]) =>
      openssl('x509', '-noout', '-fingerprint', '-sha256', ...args)
        .split('=')[1]
        ?.trim();

    const pem = await file('warctap-ca.pem', 'application/x-x509-ca-cert');
    assert.equal(fingerprint('-in', pem.path), expected);
    const der = await file('warctap-ca.cer', 'application/x-x509-ca-cert');
    assert.equal(fingerprint('-inform', 'DER', '-in', der.path), expected);
    const p12 = await file('warctap-ca.p12', 'application/x-pkcs12');
    const listed = openssl('pkcs12', '-in', p12.path, '-passin', 'pass:changeit');
    assert.doesNotMatch(listed, /PRIVATE KEY/);
    assert.equal(new X509Certificate(listed.slice(listed.indexOf('-----BEGIN'))).fingerprint256, expected);
    const profile = await file('warctap-ca.mobileconfig', 'application/x-apple-aspen-config');
    const [, data = ''] = /<data>([^<]*)<\/data>/.exec(profile.body.toString()) ?? [];
    writeFileSync(join(folder, 'from-profile.cer'), Buffer.from(data, 'base64'));
    assert.equal(fingerprint('-inform', 'DER', '-in', join(folder, 'from-profile.cer')), expected);
  });
});

describe('the PAC file', () => {
  const answer = (script: string, url: string) => {
    const { hostname: host } = new URL(url);
    return runInNewContext(`${script}; FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(host)})`) as string;
  };

  test('leads everything through the proxy, and what is of the browser’s own machine past it', () => {
    const script = pacScript('192.0.2.7:8000');
    for (const url of [
      'http://example.com/',
      'https://example.com/a?b',
      'ws://example.com/',
      'http://10.0.0.1/',
      'http://[2001:db8::1]/',
      'http://127.example.com/',
    ])
      assert.equal(answer(script, url), 'PROXY 192.0.2.7:8000', url);
    for (const url of [
      'http://localhost:3000/',
      'http://LOCALHOST/',
      'http://127.0.0.1/',
      'http://127.1.2.3:80/',
      'http://[::1]:8080/',
      'http://a.localhost/',
    ])
      assert.equal(answer(script, url), 'DIRECT', url);
  });

  test('names the proxy as the one who asks has reached it', async () => {
    await using proxy = await startProxy({ address: '::' });
    for (const [host, place] of [
      ['192.0.2.9:8123', '192.0.2.9:8123'],
      ['localhost', 'localhost:80'],
      ['[::1]:8000', '[::1]:8000'],
    ] as const) {
      const { head, body } = await said(proxy, ask('/proxy.pac', host));
      assert.match(head, /^Content-Type: application\/x-ns-proxy-autoconfig\r$/m);
      assert.equal(answer(body.toString(), 'http://example.com/'), `PROXY ${place}`);
    }
    // Through the proxy, which listens on all addresses: some address of it, and never the name by which it is asked.
    const { body } = await said(proxy, ask('http://warctap.test/proxy.pac', 'x'));
    const found = answer(body.toString(), 'http://example.com/');
    assert.ok(found.startsWith('PROXY ') && found.endsWith(`:${proxy.port}`) && !found.includes('warctap.test'), found);
  });
});

test('with a log-in all of it is for those who have one, but for the PAC file, to which nobody can log in', async () => {
  const users = join(temporaryFolder(), 'users');
  await writeFile(users, `alice:${await hashPassword('secret')}\n`, { mode: 0o600 });
  await using proxy = await startProxy({ proxyAuthFile: users });
  const basic = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
  for (const path of ['/', '/about.json', '/ca/warctap-ca.pem', '/web/start/main.js', '/status', '/proxy.pac?x']) {
    assert.equal((await said(proxy, ask(path, 'localhost'))).status, 401, path);
    assert.equal((await said(proxy, ask(`http://warctap.test${path}`, 'x'))).status, 407, path);
    assert.equal((await said(proxy, ask(path, 'localhost', `Authorization: ${basic}\r\n`))).status, 200, path);
    assert.equal((await said(proxy, ask(`http://warctap.test${path}`, 'x', `Proxy-Authorization: ${basic}\r\n`))).status, 200, path);
  }
  assert.equal((await said(proxy, ask('/proxy.pac', 'localhost'))).status, 200);
  assert.equal((await said(proxy, ask('/proxy.pac', 'evil.example'))).status, 421);
});

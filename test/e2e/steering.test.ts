/**
 * Who may steer the archive: pages write no records, Warcprox-Meta counts with its secret only, and own pages answer to own names only.
 *
 * Source: docs/access.md.
 */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { findTool } from '../support/tools.ts';

const SECRET = 'correct-horse-battery';
const META = 'Warcprox-Meta: {"warc-prefix":"job"}\r\n';

const browser = findTool({
  commands: process.env.WARCTAP_CHROMIUM === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [process.env.WARCTAP_CHROMIUM],
  ask: ['--version'],
  says: /^(Chromium|Google Chrome) \d/m,
  needs: 'chromium on PATH (or WARCTAP_CHROMIUM)',
});

async function ask(port: number, request: string): Promise<{ status: number; body: Buffer }> {
  using client = await RawClient.connect(port);
  client.send(request);
  return await client.response();
}

/** @param fields each with its CRLF */
function record(method: string, fields = ''): string {
  const own = 'WARC-Type: resource\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n';
  return `${method} http://forged.example/ HTTP/1.1\r\nHost: forged.example\r\n${own}${fields}\r\nhello`;
}

async function ignoredBy({ port }: TestProxy): Promise<number> {
  const { body } = await ask(port, 'GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return (JSON.parse(body.toString()) as { warcprox_meta_ignored: number }).warcprox_meta_ignored;
}

test('a record from a page is refused by what only pages send, and one from a program is taken', async () => {
  await using proxy = await startProxy();
  for (const method of ['WARCPROX_WRITE_RECORD', 'PUTMETA']) {
    for (const sign of ['Origin: http://forged.example', 'origin: null', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: cors']) {
      const { status, body } = await ask(proxy.port, record(method, `${sign}\r\n`));
      const [name] = sign.split(':');
      assert.deepEqual([status, body.toString()], [403, `${method} is not for pages in a browser, whose requests have ${name}\n`]);
    }
    assert.equal((await ask(proxy.port, record(method))).status, 204);
  }
  const urls = (await proxy.records()).map(({ url }) => url).filter((url) => url !== '');
  assert.deepEqual(urls, Array(2).fill('http://forged.example/'));
});

test(
  'a page in a real browser cannot write a record, nor, with a secret, choose a prefix',
  { skip: browser.skip, timeout: 60_000 },
  async () => {
    await using origin = await startOrigin(({ socket }) => socket.write(ok('<!doctype html><title>a page</title>')));
    await using proxy = await startProxy({ metaSecret: SECRET });
    const chrome = await chromium.launch({
      executablePath: browser.command,
      proxy: { server: proxy.proxy.url, bypass: '<-loopback>' },
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    });
    try {
      const page = await chrome.newPage();
      await page.goto(`${origin.url}/page`);
      const statuses = await page.evaluate(async () => {
        const headers = { 'WARC-Type': 'resource', 'Content-Type': 'text/plain' };
        const asked = await Promise.all([
          fetch('/forged', { method: 'WARCPROX_WRITE_RECORD', headers, body: 'forged' }),
          fetch('/forged', { method: 'PUTMETA', headers, body: 'forged' }),
          fetch('/meant', { headers: { 'Warcprox-Meta': '{"warc-prefix":"-"}', 'Warcprox-Meta-Secret': 'guessed-guessed' } }),
        ]);
        return asked.map(({ status }) => status);
      });
      assert.deepEqual(statuses, [403, 403, 200]);
    } finally {
      await chrome.close();
    }
    assert.equal(await ignoredBy(proxy), 1);
    const records = await proxy.records();
    assert.equal(records.filter(({ url }) => url.endsWith('/forged')).length, 0);
    assert.deepEqual(
      records.filter(({ url }) => url.endsWith('/meant')).map(({ type }) => type),
      ['revisit', 'request'],
    );
  },
);

test('with a secret Warcprox-Meta counts beside it, and is otherwise ignored and counted', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('hello')));
  await using proxy = await startProxy({ metaSecret: SECRET });
  const prefixOf = async (path: string, fields: string): Promise<string | undefined> => {
    assert.equal((await ask(proxy.port, get(`${origin.url}${path}`, fields))).status, 200);
    return (await proxy.captureOf(`${origin.url}${path}`)).warcPrefix;
  };
  const secret = `Warcprox-Meta-Secret: ${SECRET}\r\n`;
  assert.equal(await prefixOf('/right', META + secret), 'job');
  assert.equal(await ignoredBy(proxy), 0);
  assert.equal(await prefixOf('/none', META), 'WARCPROX');
  assert.equal(await prefixOf('/wrong', `${META}Warcprox-Meta-Secret: ${SECRET}x\r\n`), 'WARCPROX');
  assert.equal(await prefixOf('/twice', META + secret + secret), 'WARCPROX');
  assert.equal(await prefixOf('/malformed', 'Warcprox-Meta: nonsense\r\n'), 'WARCPROX');
  assert.equal(await ignoredBy(proxy), 4);
  assert.equal(await prefixOf('/nothing', secret), 'WARCPROX');
  assert.equal(await ignoredBy(proxy), 4);
  const malformed = await ask(proxy.port, get(`${origin.url}/bad`, `Warcprox-Meta: nonsense\r\n${secret}`));
  assert.equal(malformed.status, 400);
  // Neither field leaves the proxy, nor is it archived.
  for (const { bytes } of origin.requests) assert.doesNotMatch(bytes.toString(), /warcprox-meta/i);
  for (const { block } of await proxy.records()) assert.doesNotMatch(block.toString(), /warcprox-meta/i);
});

test('without a secret in force its field goes no further either', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('hello')));
  await using proxy = await startProxy();
  assert.equal((await ask(proxy.port, get(`${origin.url}/a`, `${META}Warcprox-Meta-Secret: anything\r\n`))).status, 200);
  assert.equal((await proxy.captureOf(`${origin.url}/a`)).warcPrefix, 'job');
  assert.doesNotMatch(origin.requests[0]!.bytes.toString(), /warcprox-meta/i);
});

test('the secret may stand in a file, and what cannot be used is refused in one line that does not show it', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-secret-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'secret');
  await writeFile(file, `${SECRET}\n`, { mode: 0o600 });
  await using origin = await startOrigin(({ socket }) => socket.write(ok('hello')));
  {
    await using proxy = await startProxy({ metaSecretFile: file });
    await ask(proxy.port, get(`${origin.url}/a`, `${META}Warcprox-Meta-Secret: ${SECRET}\r\n`));
    assert.equal((await proxy.captureOf(`${origin.url}/a`)).warcPrefix, 'job');
  }
  await assert.rejects(
    startProxy({ metaSecretFile: file, metaSecret: SECRET }),
    /metaSecretFile: expected only one of --meta-secret and --meta-secret-file/,
  );
  await assert.rejects(startProxy({ metaSecretFile: join(dir, 'nowhere') }), /metaSecretFile: expected a file that can be read \(ENOENT\)/);
  await writeFile(file, 'hunter2\n');
  await assert.rejects(startProxy({ metaSecretFile: file }), (error: Error) => {
    assert.match(error.message, /metaSecretFile: expected a file with one line of 8 or more printable ASCII characters without spaces/);
    return !error.message.includes('hunter2');
  });
  await chmod(file, 0o666);
  if (process.platform !== 'win32') await assert.rejects(startProxy({ metaSecretFile: file }), /only its owner may write to/);
});

test('own pages answer to addresses, localhost and own names, and to no other', async () => {
  await using proxy = await startProxy({ pageHost: ['warctap.svc'] });
  const statusOf = (host: string) => ask(proxy.port, `GET /status HTTP/1.1\r\n${host}\r\n`);
  for (const host of ['', 'Host: localhost:8000\r\n', 'Host: 127.0.0.1\r\n', 'Host: [::1]:80\r\n', 'Host: warctap.svc:8000\r\n']) {
    assert.equal((await statusOf(host)).status, 200, host);
  }
  const { status, body } = await statusOf('Host: evil.example:8000\r\n');
  assert.deepEqual(
    [status, body.toString()],
    [421, 'this page is not asked for by the host "evil.example:8000"; use an IP address, or --page-host\n'],
  );
});

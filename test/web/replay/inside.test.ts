/** ReplayWeb.page inside `/replay/`, where it is installed: found, sent as it is, and kept away from the pages of the proxy. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { findReplayWebPage } from '../../../src/web/replaywebpage.ts';
import { browser, openBrowser, picture } from '../browser.ts';
import { page as captured, startDated, type Dated } from './dated.ts';

/** Folder of the real package, of which nothing is here: `npm pack replaywebpage` and its `package`. */
const REAL = process.env.WARCTAP_REPLAYWEBPAGE ?? '';
const skip =
  browser.skip === false ? !existsSync(join(REAL, 'sw.js')) && 'WARCTAP_REPLAYWEBPAGE names no folder of the package' : browser.skip;

const HOME = 'http://news.example/';
const style = gzipSync('p { color: rgb(1, 2, 3) }');
const SITE: readonly Dated[] = [
  captured(HOME, '2020-03-04T05:06:07Z', '<title>Old</title><link rel="stylesheet" href="//cdn.example/style.css"><p>the first'),
  {
    url: 'http://cdn.example/style.css',
    date: '2020-03-04T05:06:09Z',
    head: `HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Encoding: gzip\r\nContent-Length: ${style.length}\r\nSet-Cookie: a=b\r\n\r\n`,
    body: style,
  },
  captured(HOME, '2024-03-04T05:06:07Z', '<title>New</title><p>the second'),
  {
    url: `${HOME}moved`,
    date: '2020-03-04T05:06:07Z',
    head: `HTTP/1.1 302 Found\r\nLocation: ${HOME}\r\nContent-Length: 0\r\n\r\n`,
    body: '',
  },
];

async function standIn(t: TestContext, folder: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-rwp-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, folder, 'sw.js'), '// sw.js');
  return dir;
}

test('the package is looked for above the folder that warctap was started in, and beside Node', async (t) => {
  const dir = await standIn(t, 'node_modules/replaywebpage');
  const nowhere = { env: {}, execPath: '/nowhere/bin/node' };
  assert.equal(findReplayWebPage(undefined, { ...nowhere, cwd: join(dir, 'a/b') })?.toString(), '// sw.js');
  const other = await standIn(t, 'lib/node_modules/replaywebpage');
  assert.ok(findReplayWebPage(undefined, { ...nowhere, cwd: '/nowhere', execPath: join(other, 'bin/node') }));
  assert.ok(findReplayWebPage(undefined, { ...nowhere, cwd: '/nowhere', env: { npm_config_prefix: other } }));
  assert.equal(findReplayWebPage(undefined, { ...nowhere, cwd: '/nowhere' }), undefined);
  await assert.rejects(startDated(t, [], { replaywebpage: dir }), {
    name: 'OptionError',
    message: new RegExp(
      `^option replaywebpage: expected the folder of the package, no sw\\.js of ReplayWeb\\.page in it .*, got "${dir}"$`,
    ),
  });
});

test('its files are of the playback listener alone, what was archived is for scripts there and for nobody else', async (t) => {
  const dir = await standIn(t, '.');
  const { proxy } = await startDated(t, SITE, { replaywebpage: dir });
  const at = proxy.playbackUrl ?? '';
  const ask = (path: string, headers: Record<string, string> = {}) => fetch(at + path, { headers, redirect: 'manual' });
  assert.equal(await (await ask('/replay/web/sw.js')).text(), '// sw.js');
  assert.match(
    (await ask('/replay/web/')).headers.get('content-security-policy') ?? '',
    new RegExp(`frame-ancestors 'self' ${proxy.url}$`),
  );
  for (const path of ['/replay/web/', '/replay/web/sw.js', `/replay/raw/2020id_/${HOME}`])
    assert.equal((await fetch(proxy.url + path)).status, 404, path);

  const first = await ask(`/replay/raw/20200101000000id_/${HOME}`);
  assert.match(await first.text(), /the first/);
  assert.equal(first.headers.get('memento-datetime'), 'Wed, 04 Mar 2020 05:06:07 GMT');
  assert.match(await (await ask(`/replay/raw/2026id_/${HOME}`)).text(), /the second/);
  const part = await ask(`/replay/raw/2026id_/${HOME}`, { range: 'bytes=1-5' });
  assert.deepEqual([part.status, await part.text()], [206, 'title']);
  const moved = await ask(`/replay/raw/2020id_/${HOME}moved`);
  assert.deepEqual([moved.status, moved.headers.get('x-redirect-status'), moved.headers.get('x-orig-location')], [200, '302', HOME]);
  const css = await ask('/replay/raw/2020id_/http://cdn.example/style.css');
  assert.deepEqual([css.headers.get('set-cookie'), await css.text()], [null, 'p { color: rgb(1, 2, 3) }']);
  assert.match(css.headers.get('content-security-policy') ?? '', /^sandbox/);

  assert.equal((await ask(`/replay/raw/2020id_/${HOME}none`)).status, 404);
  assert.equal((await ask(`/replay/raw/2020id_/${HOME}`, { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' })).status, 404);
  assert.equal((await ask(`/replay/raw/2020id_/${HOME}`, { 'sec-fetch-site': 'same-site' })).status, 403);
  assert.equal((await fetch(`${at}/replay/raw/2020id_/${HOME}`, { method: 'HEAD' })).status, 200);
});

test('without it the page says in one line how to get it', { skip: browser.skip }, async (t) => {
  const { proxy } = await startDated(t, SITE);
  const context = await openBrowser(t, { args: ['--host-resolver-rules=MAP *.test ~NOTFOUND'], mayFail: /via\.json/ });
  const page = await context.newPage();
  await page.goto(`${proxy.url}/replay/20200304050607/${HOME}`);
  const about = (await (await fetch(`${proxy.url}/about.json`)).json()) as { inPage: boolean };
  const line = about.inPage
    ? 'ReplayWeb.page shows it here'
    : 'npm install --global replaywebpage (ReplayWeb.page, AGPL-3.0), and start warctap again.';
  await page.getByText(line).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Show it here' }).isVisible(), about.inPage);
});

test('the real one shows captures of two dates inside the page, with what they had', { skip }, async (t) => {
  const { proxy } = await startDated(t, SITE, { replaywebpage: REAL });
  const context = await openBrowser(t, { args: ['--host-resolver-rules=MAP *.test ~NOTFOUND, MAP *.example ~NOTFOUND'], mayFail: /./ });
  const page = await context.newPage();
  for (const [stamp, text, color] of [
    ['20200304050607', 'the first', 'rgb(1, 2, 3)'],
    ['20240304050607', 'the second', 'rgb(0, 0, 0)'],
  ] as const) {
    await page.goto(`${proxy.url}/replay/${stamp}/${HOME}`);
    await page.getByRole('button', { name: 'Show it here' }).click();
    const shown = page.frameLocator('#frame iframe').frameLocator('iframe').locator('p');
    await shown.getByText(text).waitFor();
    assert.equal(await shown.evaluate('(element) => getComputedStyle(element).color'), color);
  }
  await picture(page, 'replay-inside');
});

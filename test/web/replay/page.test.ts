/** The page `/replay/` in a real browser: search, calendar, captures, and one that is opened out of the archive. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { RawClient } from '../../support/client.ts';
import { get, ok } from '../../support/messages.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy, type TestProxy } from '../../support/proxy.ts';
import { browser, fits, openBrowser, picture } from '../browser.ts';

const { skip } = browser;
/** A name that leads nowhere is what it looks for. */
const mayFail = /warctap\.test\/replay\/via\.json/;

async function archive(proxy: TestProxy, urls: readonly string[]): Promise<void> {
  using client = await RawClient.connect(proxy.port);
  for (const url of urls) {
    client.send(get(url));
    await client.response();
  }
  await proxy.captured(urls.length);
}

const playbackPort = ({ proxy }: TestProxy) => new URL(proxy.playbackUrl ?? '').port;

async function search(page: Page, text: string): Promise<string[]> {
  await page.getByLabel('URL, or how it begins').fill(text);
  await page.keyboard.press('Enter');
  await page.locator('#urls td').first().waitFor();
  return page.locator('#urls td.url').allInnerTexts();
}

test('what was archived is found, counted and shown in a calendar, by keyboard and on any screen', { skip }, async (t) => {
  let visits = 0;
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(`${path} ${visits++}`, 'Content-Type: text/html\r\n')));
  await using proxy = await startProxy({ playbackPort: 0 });
  const page1 = `${origin.url}/a?x=1`;
  await archive(proxy, [page1, `${origin.url}/b`, page1, `${origin.url}/c/<script>`]);
  const context = await openBrowser(t, { args: ['--host-resolver-rules=MAP *.test ~NOTFOUND'], mayFail });
  const page = await context.newPage();
  await page.goto(`${proxy.proxy.url}/replay/`);
  await page.getByText('This browser does not come through it').waitFor();
  await page.locator('#urls a').first().waitFor();
  assert.equal(await page.locator('#urls tr').count(), 3);
  assert.deepEqual(await search(page, page1.slice(0, -3)), [page1]);
  assert.equal(await page.locator('#urls td.number').innerText(), '2');
  await page.locator('#urls a').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: page1 }).waitFor();
  assert.match(page.url(), /\/replay\/\?url=http/);
  const today = new Date(proxy.captures[0]!.startedAt).toISOString().slice(0, 10);
  assert.equal(await page.getByRole('button', { name: `${today}, 2 captures` }).getAttribute('aria-pressed'), 'true');
  assert.equal(await page.locator('#day button').count(), 2);
  await page.locator('#day button').first().click();
  await page.getByRole('heading', { name: `Captured ${today}` }).waitFor();
  assert.match(
    await page.locator('#curl').innerText(),
    new RegExp(`^curl --proxy http://127\\.0\\.0\\.1:${playbackPort(proxy)} .*Accept-Datetime: `),
  );
  assert.ok(await page.locator('#open').isHidden());
  assert.match(page.url(), new RegExp(`/replay/\\d{14}/${page1.replace('?', '\\?')}$`));
  await picture(page, 'replay');
  // The address leads back to it.
  await page.reload();
  await page.getByRole('heading', { name: `Captured ${today}` }).waitFor();
  for (const width of [360, 1100]) await fits(page, width);
  await page.setViewportSize({ width: 360, height: 800 });
  await picture(page, 'replay-narrow');
  await page.setViewportSize({ width: 1100, height: 900 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, 'replay-dark');
  await search(page, 'nothing.example');
  await page.getByText('Nothing with this beginning was archived.').waitFor();
});

test('a browser that comes through the playback proxy opens captures out of the archive', { skip }, async (t) => {
  await using proxy = await startProxy({ playbackPort: 0 });
  let url: string;
  {
    await using origin = await startOrigin(({ socket }) => socket.write(ok('<title>kept</title>as it was', 'Content-Type: text/html\r\n')));
    url = `${origin.url}/page`;
    await archive(proxy, [url]);
  }
  // The origin is gone.
  const args = [`--proxy-server=http://127.0.0.1:${playbackPort(proxy)}`, '--proxy-bypass-list=<-loopback>'];
  const context = await openBrowser(t, { args, mayFail: /favicon/ });
  const page = await context.newPage();
  await page.goto('http://warctap.test/replay/');
  await page.getByText('links lead into the archive').waitFor();
  await page.getByRole('link', { name: url }).click();
  await page.locator('#day button').click();
  await page.getByRole('link', { name: 'Open the newest' }).click();
  await page.getByText('as it was').waitFor();
  assert.equal(page.url(), url);
  const asked = await fetch(proxy.proxy.playbackUrl ?? '', { redirect: 'manual' });
  assert.deepEqual([asked.status, asked.headers.get('location')], [307, '/replay/']);
});

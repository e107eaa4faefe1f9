/** Captures of one page on several dates: each can be opened in a browser that comes through the playback proxy, with what it had at the time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { RawClient } from '../../support/client.ts';
import { browser, openBrowser, picture } from '../browser.ts';
import { page as captured, startDated, type Dated } from './dated.ts';

const { skip } = browser;
const URL_ = 'http://news.example/?q=1';
const OF = '<title>News</title><link rel="stylesheet" href="//cdn.example/style.css"><p>';

/** The browser may keep everything, it says. */
const SITE: readonly Dated[] = [
  cacheable(captured(URL_, '2020-03-04T05:06:07Z', `${OF}the first`)),
  cacheable(captured('http://cdn.example/style.css', '2020-03-04T05:06:08Z', 'p { color: rgb(1, 1, 1) }', 'text/css')),
  cacheable(captured(URL_, '2022-03-04T05:06:07Z', `${OF}the second`)),
  cacheable(captured('http://cdn.example/style.css', '2022-03-04T05:06:06Z', 'p { color: rgb(2, 2, 2) }', 'text/css')),
  cacheable(captured(URL_, '2024-03-04T05:06:07Z', `${OF}the third`)),
  cacheable(captured('http://cdn.example/style.css', '2024-03-04T05:06:07Z', 'p { color: rgb(3, 3, 3) }', 'text/css')),
];

function cacheable(dated: Dated): Dated {
  return { ...dated, head: dated.head.replace('\r\n\r\n', '\r\nCache-Control: max-age=31536000, immutable\r\n\r\n') };
}

/** What is on the page, and its color. */
async function seen(page: Page): Promise<string> {
  await page.locator('p').waitFor();
  return page.evaluate("document.querySelector('p').innerText + ' ' + getComputedStyle(document.querySelector('p')).color");
}

test('each capture of a page is opened as it was, and the newest again', { skip }, async (t) => {
  const { proxy } = await startDated(t, SITE);
  const args = [`--proxy-server=${proxy.playbackUrl}`, '--proxy-bypass-list=<-loopback>'];
  const context = await openBrowser(t, { args, mayFail: /favicon/ });
  const page = await context.newPage();
  // What the browser keeps of the newest is not taken for another.
  await page.goto(URL_);
  assert.equal(await seen(page), 'the third rgb(3, 3, 3)');
  for (const [year, expected] of [
    ['2020', 'the first rgb(1, 1, 1)'],
    ['2022', 'the second rgb(2, 2, 2)'],
    ['2020', 'the first rgb(1, 1, 1)'],
  ] as const) {
    await page.goto(`http://warctap.test/replay/?url=${encodeURIComponent(URL_)}`);
    await page.getByLabel('Year').selectOption(year);
    await page.getByRole('button', { name: `${year}-03-04, 1 capture` }).click();
    await page.locator('#day button').click();
    await page.getByRole('link', { name: 'Open this capture' }).click();
    await page.waitForURL(URL_);
    assert.equal(await seen(page), expected);
  }
  await page.goto('http://warctap.test/replay/');
  await page.getByText('This browser sees the archive as it was at 2020-03-04 05:06:07 UTC.').waitFor();
  await picture(page, 'replay-at');
  await page.getByRole('link', { name: 'See the newest' }).click();
  await page.getByText('links lead into the archive, to the newest captures').waitFor();
  await page.goto(URL_);
  assert.equal(await seen(page), 'the third rgb(3, 3, 3)');
});

test('a moment is that of one browser: of others, and of who says a date, it changes nothing', async (t) => {
  const { proxy } = await startDated(t, SITE);
  const { port } = new URL(proxy.playbackUrl ?? '');
  const ask = async (target: string, fields: Record<string, string> = {}) => {
    using client = await RawClient.connect(Number(port));
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\n${lines.join('')}\r\n`);
    return await client.response();
  };
  const mine = { 'User-Agent': 'mine' };
  const chosen = await ask(`http://warctap.test/replay/open/20200304050607/${URL_}`, mine);
  assert.match(chosen.head, new RegExp(`^HTTP/1.1 303 [^]*Location: ${URL_.replace('?', '\\?')}\r\n`));
  assert.match((await ask(URL_, mine)).body.toString(), /the first/);
  assert.match((await ask(URL_, { 'User-Agent': 'another' })).body.toString(), /the third/);
  assert.match((await ask(URL_)).body.toString(), /the third/);
  assert.match((await ask(URL_, { ...mine, 'Accept-Datetime': 'Fri, 04 Mar 2022 05:06:07 GMT' })).body.toString(), /the second/);
  const via = JSON.parse((await ask('http://warctap.test/replay/via.json', mine)).body.toString()) as unknown;
  assert.deepEqual(via, { playback: true, at: '2020-03-04T05:06:07.000Z' });
  for (const wrong of ['20201304', '202', 'soon'])
    assert.equal((await ask(`http://warctap.test/replay/open/${wrong}/${URL_}`, mine)).status, 404, wrong);
  assert.equal((await ask('http://warctap.test/replay/open/newest/', mine)).status, 303);
  assert.match((await ask(URL_, mine)).body.toString(), /the third/);
});

test('who does not come through the playback proxy is led to the page about the capture, never to the live web', async (t) => {
  const { proxy } = await startDated(t, SITE);
  for (const own of [proxy.url, proxy.playbackUrl]) {
    const led = async (path: string) => (await fetch(`${own}/replay/open/${path}`, { redirect: 'manual' })).headers.get('location');
    assert.equal(await led(`20200304050607/${URL_}`), `/replay/20200304050607/${URL_}`);
    assert.equal(await led(`newest/${URL_}`), `/replay/?url=${encodeURIComponent(URL_)}`);
  }
});

/** The page at `/`, in a real browser: whether it knows what comes through the proxy and trusts it, and what it gives. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { startOrigin } from '../../support/origin.ts';
import { ok } from '../../support/messages.ts';
import { startProxy } from '../../support/proxy.ts';
import { browser, certutil, fits, openBrowser, picture } from '../browser.ts';

/** A name that leads nowhere, and a certificate that is not trusted, are what it looks for. */
const mayFail = /warctap\.test\/via\.json/;
const { skip } = browser;

/** What the two lines say, once they say something. */
async function checks(page: Page): Promise<string[]> {
  await page.locator('#via:is(.yes, .no)').waitFor();
  await page.locator('#trust:is(.yes, .no, .open)').waitFor();
  return Promise.all(['#via', '#trust'].map((id) => page.locator(`${id} span`).first().innerText()));
}

test('a browser that does not come through the proxy is told so, and how it would', { skip }, async (t) => {
  await using proxy = await startProxy();
  // No name is looked up anywhere.
  const context = await openBrowser(t, { args: ['--host-resolver-rules=MAP *.test ~NOTFOUND'], mayFail });
  const page = await context.newPage();
  await page.goto(proxy.proxy.url);
  assert.deepEqual(await checks(page), [
    'It does not come through this proxy.',
    'Whether it trusts the certificate is seen only through the proxy.',
  ]);
  assert.equal(await page.getByRole('button', { name: 'Linux', exact: true }).getAttribute('aria-pressed'), 'true');
  assert.match(await page.locator('#steps').innerText(), new RegExp(`--proxy-server=http://127\\.0\\.0\\.1:${proxy.port}`));
  await page.getByRole('button', { name: 'Java' }).focus();
  await page.keyboard.press('Enter');
  assert.match(
    await page.locator('#steps').innerText(),
    new RegExp(`-Dhttps\\.proxyPort=${proxy.port} .*trustStorePassword=changeit`, 's'),
  );
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'PEM' }).click()]);
  assert.equal(await readFile(await download.path(), 'utf8'), proxy.ca);
});

test('one that comes through, and does not trust the certificate', { skip }, async (t) => {
  await using proxy = await startProxy();
  const context = await openBrowser(t, { args: [`--proxy-server=${proxy.proxy.url}`], mayFail });
  const page = await context.newPage();
  for (const url of ['http://warctap.test/', 'http://mitm.it/', proxy.proxy.url]) {
    await page.goto(url);
    assert.deepEqual(await checks(page), ['It comes through this proxy.', 'It does not trust the certificate.'], url);
  }
  // Browsers ask elsewhere of their own accord.
  assert.deepEqual(
    proxy.captures.map(({ url }) => url).filter((url) => /warctap|mitm|127\.0/.test(url)),
    [],
  );
});

test('one that trusts it, also by TLS, on any screen', { skip: skip || certutil.skip }, async (t) => {
  await using proxy = await startProxy();
  const context = await openBrowser(t, { args: [`--proxy-server=${proxy.proxy.url}`], trusted: proxy.ca });
  const page = await context.newPage();
  for (const url of ['http://warctap.test/', 'https://warctap.test/', 'https://mitm.it/', proxy.proxy.url]) {
    await page.goto(url);
    assert.deepEqual(await checks(page), ['It comes through this proxy.', 'It trusts the certificate.'], url);
  }
  await page.goto('http://warctap.test/');
  await checks(page);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 1100, height: 900 });
    await picture(page, `start-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  for (const width of [360, 768]) await fits(page, width);
  for (const name of await page.locator('#systems button').allInnerTexts()) {
    await page.getByRole('button', { name, exact: true }).click();
    await fits(page, 360);
  }
  await page.getByRole('button', { name: 'Linux' }).click();
  await picture(page, 'start-narrow');
});

test('the PAC file leads a browser through the proxy, but not to its own machine', { skip }, async (t) => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('<title>it</title>', 'Content-Type: text/html\r\n')));
  await using proxy = await startProxy();
  const context = await openBrowser(t, {
    args: [`--proxy-pac-url=${proxy.proxy.url}/proxy.pac`],
    mayFail: /warctap\.test|site\.test|favicon/,
  });
  const page = await context.newPage();
  await page.goto('http://warctap.test/');
  assert.equal((await checks(page))[0], 'It comes through this proxy.');
  await page.goto(origin.url);
  await page.goto('http://site.test/').catch(() => undefined);
  assert.equal((await proxy.captureOf('http://site.test/')).kind, 'failure');
  assert.deepEqual(
    proxy.captures.filter(({ url }) => url.startsWith(origin.url)),
    [],
  );
});

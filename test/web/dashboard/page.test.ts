/** The dashboard in a real browser: what comes is seen as it comes, found, and opened; and nothing that was archived runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { browser, fits, openBrowser, picture } from '../browser.ts';
import { busyProxy, type Busy } from './support.ts';

const { skip } = browser;
/** A failed fetch has no body, and the browser tells of each answer that is no success. */
const mayFail = / 40[04] .*\/dashboard\//;

async function open(t: Parameters<typeof openBrowser>[0], { proxy }: Busy): Promise<Page> {
  const context = await openBrowser(t, { mayFail });
  const page = await context.newPage();
  await page.goto(`${proxy.proxy.url}/dashboard`);
  await page.locator('#connection', { hasText: 'as of' }).waitFor();
  return page;
}

const line = (page: Page, path: string) => page.locator('#list [role=option]', { hasText: path });

test('captures are shown as they come, and how many of what', { skip }, async (t) => {
  await using busy = await busyProxy(['/before']);
  await using page = await open(t, busy);
  await line(page, '/before').waitFor();
  await busy.get('/now');
  await line(page, '/now').waitFor();
  await busy.get('/drop');
  await line(page, '/drop').locator('.bad', { hasText: 'failed' }).waitFor();
  assert.match(await page.locator('#list [role=option]').first().innerText(), /drop/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await busy.get('/while-paused');
  await page.getByText('1 wait').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await line(page, '/while-paused').waitFor();
  await page.locator('#failures', { hasText: 'empty-response' }).waitFor();
  await page.getByRole('button', { name: 'Show them' }).click();
  await line(page, '/now').waitFor({ state: 'detached' });
  assert.equal(await page.locator('#list [role=option]').count(), 1);
});

test('a capture opens by keyboard, with heads, digests, places and its body, and nothing of it runs', { skip }, async (t) => {
  await using busy = await busyProxy(['/markup', '/pixel.png', '/again'], { playbackPort: 0 });
  await using page = await open(t, busy);
  await line(page, '/markup').waitFor();
  await page.getByRole('listbox').focus();
  for (const key of ['End', 'Home', 'ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
  const dialog = page.getByRole('dialog');
  await dialog.locator('pre.body').waitFor();
  const text = await dialog.innerText();
  for (const part of [
    'GET /markup HTTP/1.1',
    'X-Marked: <b>bold</b>',
    '<script>document.title="run"</script>',
    'sha1:',
    'from byte',
    'curl --proxy',
  ])
    assert.ok(text.includes(part), part);
  await dialog.getByText(/^Record response /).click();
  assert.match(await dialog.innerText(), /WARC-Payload-Digest: sha1:/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await line(page, '/pixel.png').click();
  await dialog.getByRole('img').waitFor();
  assert.equal(await page.evaluate("document.querySelector('#capture img').naturalWidth"), 1);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await line(page, '/again').click();
  await dialog.getByText('Duplicate of').waitFor();
  await dialog.locator('pre.body').waitFor();
  assert.equal(await page.title(), 'Dashboard · warctap');
});

test('by filters, and in all that was archived', { skip }, async (t) => {
  await using busy = await busyProxy(['/a', '/markup', '/pixel.png'], { playbackPort: 0 });
  await using page = await open(t, busy);
  await line(page, '/a').waitFor();
  await page.getByLabel('Type').fill('image/');
  await page.keyboard.press('Enter');
  await line(page, '/markup').waitFor({ state: 'detached' });
  await line(page, '/pixel.png').waitFor();
  await page.getByLabel('Status').fill('what');
  await page.keyboard.press('Enter');
  await page.getByText('status "what": expected such as 404').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await line(page, '/a').waitFor();
  await page.getByLabel('URL has').fill(`${busy.site}/m`);
  await page.getByRole('button', { name: 'All that was archived' }).click();
  await line(page, '/a').waitFor({ state: 'detached' });
  await line(page, '/markup').click();
  await page.getByRole('dialog').locator('pre.body').waitFor();
});

test('thousands are kept as few elements, and scrolling finds them all', { skip }, async (t) => {
  await using busy = await busyProxy(Array.from({ length: 450 }, (_, number) => `/page/${number}`));
  await using page = await open(t, busy);
  await line(page, '/page/449').waitFor();
  for (const scrolled of [200, 400]) {
    await page.locator('#said', { hasText: `${scrolled} shown` }).waitFor();
    await page.getByRole('listbox').focus();
    await page.keyboard.press('End');
  }
  await page.locator('#said', { hasText: '450 shown' }).waitFor();
  await page.keyboard.press('End');
  await line(page, '/page/0').waitFor();
  assert.ok((await page.locator('#list [role=option]').count()) < 60);
  // Who looks at older ones keeps them in sight.
  const top = await page.evaluate("document.getElementById('list').scrollTop");
  await busy.get('/late');
  await page.locator('#said', { hasText: '451 shown' }).waitFor();
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
  assert.ok(Number(await page.evaluate("document.getElementById('list').scrollTop")) > Number(top));
  await line(page, '/page/0').waitFor();
});

test('it fits any screen, in light and dark', { skip }, async (t) => {
  const pages = Array.from(
    { length: 40 },
    (_, number) => `/articles/2026/${number}/${'a-long-name-'.repeat(number % 7)}end?page=${number}`,
  );
  await using busy = await busyProxy(['/markup', ...pages, '/again', '/pixel.png', '/drawn.svg', '/latin', '/drop', '/packed'], {
    playbackPort: 0,
  });
  const meta = '{"warc-prefix":"city-news","stats":{"buckets":["city-news"]},"limits":{"city-news/total/urls":1000}}';
  for (const path of ['/news/1', '/news/2', '/news/3']) await busy.get(path, meta);
  await using page = await open(t, busy);
  await line(page, '/news/3').waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `dashboard-${colorScheme}`);
  }
  await line(page, '/news/2').click();
  await page.locator('#capture pre.body').waitFor();
  await picture(page, 'dashboard-capture', false);
  await page.emulateMedia({ colorScheme: 'light' });
  await fits(page, 360);
  await picture(page, 'dashboard-capture-narrow', false);
  await page.keyboard.press('Escape');
  for (const width of [360, 600, 900]) await fits(page, width);
  await page.setViewportSize({ width: 360, height: 800 });
  await page.locator('#list [role=option]').first().waitFor();
  await picture(page, 'dashboard-narrow');
});

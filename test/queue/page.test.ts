/** The page for people, in a real browser: log-in, what it shows, what can be done by keyboard, and that it fits a telephone. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findTool } from '../support/tools.ts';
import { add, ADMIN, ask, done, report, startQueue, take, type TestQueue } from './support.ts';

const browser = findTool({
  commands: process.env.WARCTAP_CHROMIUM === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [process.env.WARCTAP_CHROMIUM],
  ask: ['--version'],
  says: /Chrom/,
  needs: 'chromium on PATH (or WARCTAP_CHROMIUM)',
});

describe('the page for people', { skip: browser.skip }, () => {
  let running: Browser;
  let queue: TestQueue;
  const strangers: string[] = [];
  const complaints: string[] = [];

  before(async () => {
    running = await chromium.launch({ executablePath: browser.command, args: ['--no-sandbox'] });
    queue = await startQueue();
    await add(
      queue,
      ...Array.from(
        { length: 30 },
        (_, index) => `http://host-${index}.example/a/long/path/of/some/page/that/has/a/long/name?number=${index}`,
      ),
    );
    const [first] = await take(queue.boris, 5);
    await report(queue.boris, done(first!, { 'content-body': '<b>x</b>'.repeat(400) }));
    await report(queue.boris, { url: 'http://markup.example/', status_code: null, result: '<img src=x onerror=alert(1)>' });
  });
  after(async () => {
    await running.close();
    await queue.close();
    assert.deepEqual(strangers, []);
    assert.deepEqual(complaints, []);
  });

  async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const page = await running.newPage({ viewport: { width: 1100, height: 900 }, ...options });
    page.on('request', (request) => request.url().startsWith(queue.url) || strangers.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && !/ 40[013] /.test(message.text()) && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(queue.url);
    return page;
  }

  async function logIn(page: Page): Promise<void> {
    await page.getByLabel("Administrator's key").fill(ADMIN);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Last reports' }).waitFor();
  }

  test('asks for the key, says when it is wrong, and forgets it', async () => {
    const page = await open();
    await page.getByLabel("Administrator's key").fill('boris:foo-bar-long-key');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText("This is not the administrator's key.").waitFor();
    await logIn(page);
    await page.reload();
    await page.getByRole('heading', { name: 'Last reports' }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel("Administrator's key").waitFor();
    await page.reload();
    await page.getByLabel("Administrator's key").waitFor();
    await page.close();
  });

  test('shows counts, workers, reports and hosts, as text whatever they hold', async () => {
    const page = await open();
    await logIn(page);
    const counts = page.locator('#counts');
    await counts.getByText('31', { exact: true }).waitFor();
    assert.match((await counts.innerText()).replace(/\s+/g, ' '), /known 31 waiting 25 handed out 4 visited 2 given up 0/);
    const reports = await page.locator('#reports').innerText();
    assert.ok(reports.includes('<img src=x onerror=alert(1)>'), reports);
    assert.match(reports, /200 OK/);
    assert.match(await page.locator('#workers').innerText(), /boris[^]*inga/);
    assert.match(await page.locator('#hosts').innerText(), /host-10\.example:80/);
    await page.close();
  });

  test('holds workers back, looks URLs up and adds some, by keyboard alone', async () => {
    const page = await open();
    await logIn(page);
    await page.getByRole('button', { name: 'Hold back: boris' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Let go on: boris' }).waitFor();
    assert.deepEqual((await queue.boris('/worker')).json, { control: 'suspend', 'recheck-interval': 90 });
    await page.getByRole('button', { name: 'Let go on: boris' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Hold back: boris' }).waitFor();
    await page.getByLabel('A URL, or a host').fill('markup.example');
    await page.keyboard.press('Enter');
    await page.locator('#found').getByText('http://markup.example/').first().waitFor();
    await page.getByLabel('One a line; what was visited is due at once').fill('http://added.example/\nnonsense');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('1 added, 0 known. No URLs: nonsense').waitFor();
    assert.equal((await ask(queue.url, '/urls?url=http://added.example/', { key: ADMIN })).status, 200);
    await page.close();
  });

  test('lets workers in, releases what they have and keeps them out, and tells what was reported when', async () => {
    const page = await open();
    page.on('dialog', (dialog) => void dialog.accept());
    await logIn(page);
    await page.getByLabel('Let a worker in').fill('short');
    await page.keyboard.press('Enter');
    await page.getByText(/^a key must have \d+ to \d+ characters, got 5$/).waitFor();
    await page.getByLabel('Let a worker in').fill('nadia:a-long-key-of-hers');
    await page.keyboard.press('Enter');
    await page.getByText('nadia is let in.').waitFor();
    await page.getByRole('button', { name: 'Remove: nadia' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Remove: admin' }).count(), 0);
    await page.getByRole('button', { name: 'Release what it has: boris' }).click();
    await page.locator('#counts').getByText(/^0$/).first().waitFor();
    assert.deepEqual((await ask(queue.url, '/active', { key: ADMIN })).json, []);
    await page.getByRole('button', { name: 'Remove: nadia' }).click();
    await page.getByRole('button', { name: 'Remove: nadia' }).waitFor({ state: 'detached' });
    assert.match(await page.locator('#statistics').innerText(), /boris\s+2\s+2/);
    await page.getByLabel('Days (UTC) from').fill('2001-01-01');
    await page.getByLabel('to', { exact: true }).fill('2001-12-31');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText(/In all 0 reports/).waitFor();
    await page.getByLabel('One a line').fill('http://urgent.example/');
    await page.getByLabel('Priority').fill('7');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('1 added, 0 known.').waitFor();
    const { json } = await ask(queue.url, '/urls?url=http://urgent.example/', { key: ADMIN });
    assert.equal((json as { urls: { priority: number }[] }).urls[0]?.priority, 7);
    await page.getByText('Added, and not reported yet').click();
    await page.locator('#unreported-links').getByText('http://host-29.example').waitFor();
    await page.close();
  });

  test('fits a window of 360 pixels, in light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open({ viewport: { width: 360, height: 740 }, colorScheme });
      await logIn(page);
      const { wide, ground } = await page.evaluate<{ wide: number; ground: string }>(
        '({ wide: document.documentElement.scrollWidth, ground: getComputedStyle(document.body).backgroundColor })',
      );
      assert.ok(wide <= 360, String(wide));
      assert.equal(ground, colorScheme === 'light' ? 'rgb(246, 247, 247)' : 'rgb(20, 24, 26)');
      if (process.env.WARCTAP_SCREENSHOTS !== undefined) {
        await page.screenshot({ path: `${process.env.WARCTAP_SCREENSHOTS}/queue-360-${colorScheme}.png`, fullPage: true });
        await page.setViewportSize({ width: 1100, height: 900 });
        await page.screenshot({ path: `${process.env.WARCTAP_SCREENSHOTS}/queue-1100-${colorScheme}.png`, fullPage: true });
      }
      await page.close();
    }
  });
});

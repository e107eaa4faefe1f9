/** The page for people in a real browser, its server with real jobs, and a site for them. */
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import type { TestContext } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findTool } from '../../support/tools.ts';
import { startSite, type Site } from '../jobs/support.ts';
import { goodPolicy } from '../support/policies.ts';
import { crawlServer, type TestServer } from '../support/server.ts';

export const browser = findTool({
  commands: process.env.WARCTAP_CHROMIUM === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [process.env.WARCTAP_CHROMIUM],
  ask: ['--version'],
  says: /Chrom/,
  needs: 'chromium on PATH (or WARCTAP_CHROMIUM)',
});

/** Where pictures of the page are put, for people to look at. */
export const PICTURES = process.env.WARCTAP_SCREENSHOTS;

export interface House {
  readonly server: TestServer;
  readonly url: string;
  readonly site: Site;
  /** A window on the page, not logged in. */
  open(options?: Parameters<Browser['newPage']>[0]): Promise<Page>;
  /** Log in there. */
  logIn(page: Page, place?: string): Promise<void>;
  /** A window that has logged in, at a place such as `/policies`. */
  enter(place?: string, options?: Parameters<Browser['newPage']>[0]): Promise<Page>;
}

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
export const MARKUP = '<!doctype html><title>x</title><img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>';

/** `/` leads to a few pages of each kind; `/endless/N` to further ones for ever. */
const answer: RequestListener = (request, response) => {
  const path = request.url ?? '';
  const html = (body: string, status = 200) => response.writeHead(status, { 'Content-Type': 'text/html;charset=utf-8' }).end(body);
  const number = /^\/endless\/(\d+)$/.exec(path)?.[1];
  if (number !== undefined) {
    setTimeout(
      () => html(`page ${number} <a href="/endless/${Number(number) + 1}">next</a> <a href="/endless/${Number(number) + 2}">2</a>`),
      30,
    );
  } else if (path === '/')
    html('<a href="/markup">m</a> <a href="/pixel">p</a> <a href="/gone">g</a> <a href="/latin">l</a> <a href="/large">large</a>');
  else if (path === '/markup') html(MARKUP);
  else if (path === '/pixel') response.writeHead(200, { 'Content-Type': 'image/png' }).end(PIXEL);
  else if (path === '/latin')
    response.writeHead(200, { 'Content-Type': 'text/plain;charset=iso-8859-1' }).end(Buffer.from('caf\xe9', 'latin1'));
  else if (path === '/large') response.writeHead(200, { 'Content-Type': 'text/plain' }).end('a line of it\n'.repeat(60_000));
  else html('nothing here', 404);
};

/** With a policy `Endless`. Closed with the test, which fails if a page has complained, or asked somebody else. */
export async function openHouse(t: TestContext): Promise<House> {
  const strangers: string[] = [];
  const complaints: string[] = [];
  t.after(() => {
    assert.deepEqual(strangers, []);
    assert.deepEqual(complaints, []);
  });
  const site = await startSite(t, answer);
  const server = await crawlServer(t, 'real', {
    given: { allowLocalhost: true, minFreeSpace: 0, replayUrl: 'https://replay.example/all/{TIMESTAMP}/{URL}' },
  });
  const client = await server.client();
  await client.get({ case: 'setPolicy', value: { policy: goodPolicy({ name: 'Endless' }) } }, 'newPolicy');
  const running = await chromium.launch({
    executablePath: browser.command,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'],
  });
  t.after(() => running.close());
  const { url } = server.program;

  const open = async (options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> => {
    const page = await running.newPage({ viewport: { width: 1100, height: 900 }, ...options });
    page.on(
      'request',
      (request) => /^(?:blob:)?http:/.test(request.url()) && !request.url().includes(url) && strangers.push(request.url()),
    );
    page.on('console', (message) => message.type() === 'error' && !message.text().includes(' 401 ') && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(url);
    return page;
  };
  const logIn = async (page: Page, place = '/jobs'): Promise<void> => {
    await page.goto(`${url}/#${place}`);
    await page.getByLabel('User').fill('admin');
    await page.getByLabel('Password').fill('a password');
    await page.keyboard.press('Enter');
    await page.locator('#view h2').first().waitFor();
  };
  const enter = async (place = '/jobs', options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> => {
    const page = await open(options);
    await logIn(page, place);
    return page;
  };
  return { server, url, site, open, logIn, enter };
}

/** A picture, for people to look at, where they are wanted. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

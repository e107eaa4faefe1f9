/** The proxy's pages in a real browser, which complains to nobody and asks nobody but the proxy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { browserTool, tool } from '../support/tools.ts';

export const browser = browserTool();
export const certutil = tool('certutil');

/** Where pictures of the pages are put, for people to look at. */
const PICTURES = process.env.WARCTAP_SCREENSHOTS;

export interface BrowserWish {
  /** what leads it, such as `--proxy-server=…` */
  readonly args?: readonly string[];
  /** certificate of an authority that it trusts */
  readonly trusted?: string;
  readonly user?: { readonly username: string; readonly password: string };
  /** what it may be refused without a word: its script asks by names that may not be there */
  readonly mayFail?: RegExp;
}

/** A browser with a home of its own, that is closed with the test; which fails if a page has complained. */
export async function openBrowser(t: TestContext, { args = [], trusted, user, mayFail }: BrowserWish = {}): Promise<BrowserContext> {
  const home = await mkdtemp(join(tmpdir(), 'warctap-browser-'));
  if (trusted !== undefined) {
    const store = join(home, '.pki/nssdb');
    mkdirSync(store, { recursive: true });
    writeFileSync(join(home, 'ca.pem'), trusted);
    execFileSync(certutil.command, ['-d', `sql:${store}`, '-N', '--empty-password']);
    execFileSync(certutil.command, ['-d', `sql:${store}`, '-A', '-n', 'ca', '-t', 'C,,', '-i', join(home, 'ca.pem')]);
  }
  const context = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath: browser.command,
    env: { PATH: process.env.PATH ?? '', HOME: home },
    viewport: { width: 1100, height: 900 },
    acceptDownloads: true,
    ...(user && { httpCredentials: user }),
    args: [
      ...args,
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
    ],
  });
  const complaints: string[] = [];
  const listen = (page: Page) => {
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      const text = `${message.text()} ${message.location().url}`;
      if (message.type() === 'error' && mayFail?.test(text) !== true) complaints.push(text);
    });
  };
  context.on('page', listen);
  for (const page of context.pages()) listen(page);
  t.after(async () => {
    await context.close();
    await rm(home, { recursive: true, force: true });
    assert.deepEqual(complaints, []);
  });
  return context;
}

/** A picture, for people to look at, where they are wanted. */
export async function picture(page: Page, name: string, fullPage = true): Promise<void> {
  if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage });
}

/** The page does not scroll sideways, in a window this wide. */
export async function fits(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 800 });
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
}

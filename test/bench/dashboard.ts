/**
 * Somebody who looks: the dashboard of a proxy in a real browser, for as long as this runs.
 *
 * `node --import tsx test/bench/dashboard.ts PORT`. Prints `open` when captures are shown as they come.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { browserTool } from '../support/tools.ts';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

const browser = browserTool();
if (browser.skip !== false) throw new Error(`the dashboard cannot be opened: ${browser.skip}`);
const profile = await mkdtemp(join(tmpdir(), 'warctap-bench-browser-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: browser.command,
  args: [...ARGS, '--disable-component-update', '--disable-sync'],
  timeout: 120_000,
});
process.once('SIGTERM', () => {
  void context
    .close()
    .then(() => rm(profile, { recursive: true, force: true }))
    .then(() => process.exit());
});
const page = await context.newPage();
await page.goto(`http://127.0.0.1:${process.argv[2]}/dashboard`, { timeout: 120_000 });
await page.locator('#list').waitFor({ timeout: 120_000 });
console.log('open');
setInterval(() => undefined, 60_000);

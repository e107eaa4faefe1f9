/** The web page in real Chromium: several files, transformations with options, progress, log, errors, two languages, keyboard. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { browserTool } from '../support/tools.ts';
import { startService, Workplace } from './support.ts';

const { command: executablePath, skip } = browserTool();
const options = { skip, timeout: 100_000 };

const place = new Workplace();
place.write(
  'page.mjs',
  `import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
export function upper_case(dir, logger, { suffix, note }) {
  for (const name of readdirSync(dir).filter((each) => each.endsWith('.txt'))) {
    writeFileSync(dir + '/' + name + suffix, readFileSync(dir + '/' + name, 'utf8').toUpperCase() + note);
    logger.info({ message: 'upper case', file: name });
  }
}
upper_case.description = { label: 'Upper case', help: 'Makes text loud.', options: [
  { id: 'suffix', label: 'Ending', values: { '.up': 'up', '.loud': 'loud' }, default: '.loud' },
  { id: 'note', label: 'Note', values: { '!': 'with a mark' }, default: '', free_input: true },
] };
export function breaks() { throw new Error('no paper left'); }
`,
);
const FILES = ['a.txt', 'b.txt', 'c d é.txt'].map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(`text of ${name}\n`) }));
const VARIABLES = {
  CIRCE_ENABLE_WEB_UI: '1',
  CIRCE_WEB_UI_CRYPT_KEY: 'key',
  CIRCE_WEB_UI_SECURE_COOKIE: '0',
  CIRCE_TRANSFORMATIONS_MODULE: 'page',
};

async function openPage(url: string, locale: string): Promise<AsyncDisposable & { readonly page: Page; readonly faults: string[] }> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await (await browser.newContext({ locale, acceptDownloads: true })).newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('request', (request) => new URL(request.url()).origin === url || faults.push(`asked ${request.url()}`));
  await page.goto(`${url}/`);
  return { page, faults, [Symbol.asyncDispose]: () => browser.close() };
}

async function shoot(page: Page, name: string): Promise<void> {
  const dir = process.env.WARCTAP_SCREENSHOTS;
  if (dir !== undefined) await page.screenshot({ path: join(dir, `${name}.png`), fullPage: true });
}

test('several files are uploaded, converted and downloaded, and the log is shown', options, async () => {
  await using service = await startService(place, ['run'], VARIABLES);
  await using opened = await openPage(service.url, 'en-GB');
  const { page, faults } = opened;
  assert.equal(page.url(), `${service.url}/ui/`);
  const convert = page.getByRole('button', { name: 'Convert' });
  assert.ok(await convert.isDisabled());
  await page.getByLabel('choose files').setInputFiles(FILES);
  await page.locator('#transformation').selectOption('donothing');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.locator('#transformation').selectOption('upper_case');
  assert.equal(await page.locator('#help').textContent(), 'Makes text loud.');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('button', { name: 'Move Upper case up' }).click();
  assert.deepEqual(await page.locator('#steps .name').allTextContents(), ['Upper case', 'Do nothing']);
  assert.equal(await page.getByLabel('Ending').inputValue(), '.loud');
  await page.getByLabel('Note').fill('!!');
  await shoot(page, 'en-before');
  await convert.click();
  await page.getByText('Done.').waitFor();
  await page.locator('#log-box summary').click();
  await shoot(page, 'en-after');
  const lines = await page.locator('#log tr').allTextContents();
  assert.ok(
    lines.some((line) => line.includes('Executing transformation upper_case')),
    lines.join('\n'),
  );
  assert.ok(
    lines.some((line) => line.includes('upper case') && line.includes('"c_d_e.txt"')),
    lines.join('\n'),
  );
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  const zip = readFileSync(await download.path()).toString('latin1');
  for (const name of ['a.txt.loud', 'b.txt.loud', 'c_d_e.txt.loud', 'out.log']) assert.ok(zip.includes(name), name);
  assert.deepEqual(faults, []);
});

test('in French, by keyboard alone; a job that fails says so and shows why', options, async () => {
  await using service = await startService(place, ['run'], VARIABLES);
  await using opened = await openPage(service.url, 'fr-FR');
  const { page, faults } = opened;
  assert.equal(await page.locator('h1').textContent(), 'Transformer des documents');
  await page.getByLabel('choisissez des fichiers').setInputFiles(FILES);
  await page.locator('#transformation').focus();
  await page.keyboard.type('breaks');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.deepEqual(await page.locator('#steps .name').allTextContents(), ['breaks']);
  // From the button behind the list of transformations, only keys.
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate('document.activeElement.id'), 'convert');
  await page.keyboard.press('Enter');
  await page.getByText('La tâche a échoué.').waitFor();
  await shoot(page, 'fr-failed');
  assert.ok(await page.getByText('Transformation breaks failed: no paper left').isVisible());
  const choices = () => page.locator('#transformation option').allTextContents();
  assert.ok((await choices()).includes('Ne rien faire'));
  await page.getByRole('button', { name: 'English' }).click();
  assert.ok((await choices()).includes('Do nothing'));
  assert.match((await page.locator('#state').textContent()) ?? '', /^The job failed\./);
  assert.deepEqual(faults, []);
});

test('a file that is too large is not sent, and one can be dropped on the page', options, async () => {
  await using service = await startService(place, ['run'], VARIABLES);
  await using opened = await openPage(service.url, 'en');
  const { page, faults } = opened;
  await page.evaluate(`
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(50_000_001)], 'large.bin'));
    transfer.items.add(new File(['small'], 'small.txt'));
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  `);
  await page.getByText('Larger than 50 MB').waitFor();
  await page.locator('#transformation').selectOption('donothing');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('button', { name: 'Convert' }).click();
  await page.getByText('Done.').waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  const zip = readFileSync(await download.path()).toString('latin1');
  assert.ok(zip.includes('small.txt') && !zip.includes('large.bin'));
  await shoot(page, 'en-large');
  // What is said when the service has gone.
  await service.stop();
  await page.getByRole('button', { name: 'Convert' }).click();
  await page.getByText('The service cannot be reached.').waitFor();
  assert.deepEqual(
    faults.filter((fault) => !fault.includes('ERR_CONNECTION_REFUSED')),
    [],
  );
});

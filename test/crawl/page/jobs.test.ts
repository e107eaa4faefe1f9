/** The page for people, in a real browser: log-in, and jobs from their start to their end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, MARKUP, openHouse, picture } from './support.ts';

test('jobs of the crawl server in a browser', { skip: browser.skip }, async (t) => {
  const house = await openHouse(t);

  await t.test('asks who it is, says when that is wrong, and forgets it', async () => {
    const page = await house.open();
    await page.getByLabel('User').fill('admin');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('The user or the password is wrong.').waitFor();
    await picture(page, 'log-in');
    await page.getByLabel('Password').fill('a password');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    await page.reload();
    await page.getByLabel('Password').waitFor();
    await page.close();
  });

  await t.test('by keyboard alone: no delay, and a job that is watched, paused, resumed and cancelled', async () => {
    const page = await house.enter('/limits');
    await page.getByRole('button', { name: 'Change: all others' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('0');
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: '0', exact: true }).waitFor();

    await page.goto(`${house.url}/#/jobs/new`);
    await page.getByLabel('Seeds').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('"seeds" is required').waitFor();
    assert.equal(await page.getByLabel('Seeds').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Policy').selectOption('Endless');
    await page.getByLabel('Seeds').focus();
    await page.keyboard.type(`${house.site.url}/endless/1`);
    await page.getByRole('button', { name: 'Start' }).focus();
    await page.keyboard.press('Enter');

    const items = page.locator('.tiles dd').first();
    await page.getByText('running', { exact: true }).waitFor();
    const changed = (from: string) => items.filter({ hasNotText: new RegExp(`^${from}$`) }).waitFor();
    await changed('0');
    await changed(await items.innerText());
    await page.getByRole('button', { name: 'Pause' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('paused', { exact: true }).waitFor();
    const paused = await items.innerText();
    await page.getByRole('button', { name: 'Resume' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('running', { exact: true }).waitFor();
    await changed(paused);
    await page.getByRole('button', { name: 'Cancel' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('cancelled', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('There is no job.').waitFor();
    await page.close();
  });

  await t.test('shows what was fetched: text as text, pictures as pictures, and nothing as a page', async () => {
    const page = await house.enter('/policies');
    await page.getByRole('link', { name: 'Copy: Broad Crawl' }).click();
    await page.getByLabel('Name').first().fill('Everything');
    await page.getByLabel('last MIME type rule').getByLabel('Save').selectOption('save');
    await page.getByRole('button', { name: 'Make the policy' }).click();
    await page.getByRole('link', { name: 'Start a job: Everything' }).click();
    await page.getByLabel('Seeds').fill(`${house.site.url}/`);
    await page.getByLabel('Name').fill('<b>All</b>');
    await page.getByLabel('Tags').fill('first\nsecond');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('completed', { exact: true }).waitFor();
    assert.match((await page.locator('.tiles').innerText()).replace(/\s+/g, ' '), /items 6 good 5 HTTP errors 1 failed 0/);
    assert.match((await page.locator('.statuses').innerText()).replace(/\s+/g, ' '), /200 5 404 1/);
    assert.equal(await page.getByRole('heading', { name: '<b>All</b>' }).count(), 1);
    await page.getByRole('region', { name: 'About it' }).getByText('first, second').waitFor();
    await page.getByRole('link', { name: '/large' }).waitFor();
    await picture(page, 'job-done');

    await page.getByRole('button', { name: 'HTTP errors' }).click();
    await page.getByText('1 to 1 of 1').waitFor();
    assert.match(await page.getByRole('region', { name: 'Items' }).last().innerText(), /404\s+http:\S+\/gone\s+text\/html/);
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await page.getByText('1 to 6 of 6').waitFor();

    await page.getByRole('link', { name: '/markup' }).click();
    await page.locator('pre.body').waitFor();
    assert.equal(await page.locator('pre.body').innerText(), MARKUP);
    assert.doesNotMatch(await page.title(), /run/);
    const replay = await page.getByRole('link', { name: 'as it was then' }).getAttribute('href');
    assert.match(replay ?? '', /^https:\/\/replay\.example\/all\/\d{14}\/http:\/\/127\.0\.0\.1:\d+\/markup$/);
    await page.getByRole('region', { name: 'Header' }).getByText('CONTENT-TYPE').waitFor();
    await picture(page, 'item');
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the body' }).click()]);
    assert.equal(saved.suggestedFilename(), 'markup');
    await page.getByRole('link', { name: 'Back to the job' }).click();

    await page.getByRole('link', { name: '/pixel' }).click();
    await page.locator('img.picture').waitFor();
    const decoded = "document.querySelector('img.picture').decode().then(() => document.querySelector('img.picture').naturalWidth)";
    assert.equal(await page.evaluate<number>(decoded), 1);
    await page.goBack();
    await page.getByRole('link', { name: '/latin' }).click();
    await page.locator('pre.body').getByText('café').waitFor();
    await page.goBack();
    await page.getByRole('link', { name: '/large' }).click();
    await page.getByText('The first 200 kB of 780 kB').waitFor();
    await page.goBack();

    await page.getByText('Change name and tags').click();
    await page.getByLabel('Name').fill('Renamed');
    await page.getByLabel('Tags').fill('');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { name: 'Renamed' }).waitFor();
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByRole('cell', { name: 'Renamed' }).waitFor();
    await page.getByLabel('Only with the tag').fill('first');
    await page.keyboard.press('Enter');
    await page.getByText('There is no job.').waitFor();
    await page.close();
  });

  await t.test('shows the log as it comes, and saves all of it', async () => {
    const page = await house.enter('/policies/new');
    await page.getByLabel('Name').first().fill('Shallow');
    await page.getByLabel('Most cost').fill('0');
    await page.getByRole('button', { name: 'Make the policy' }).click();
    await page.getByRole('link', { name: 'Start a job: Shallow' }).click();
    await page.getByLabel('Seeds').fill(`${house.site.url}/`);
    await page.getByRole('button', { name: 'Start' }).click();
    const log = page.getByRole('region', { name: 'Log' }).first();
    await log.getByText('/markup').first().waitFor();
    const [saved] = await Promise.all([page.waitForEvent('download'), log.getByRole('button', { name: 'Save the log' }).click()]);
    assert.match(saved.suggestedFilename(), /^job-[0-9a-f]{32}\.jsonl$/);
    await page.close();
  });
});

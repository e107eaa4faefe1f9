/** The page for people, in a real browser: what jobs go by, as forms, with the words of the server beside the field that they are about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { PolicyRobotsTxt_Usage as Usage, type Policy } from '../../../src/crawl/proto/starbelly_pb.ts';
import { browser, openHouse, picture, type House } from './support.ts';

/** The words beside the one field that is wrong. */
async function faultOf(page: Page): Promise<string> {
  const wrong = page.locator('[aria-invalid=true]');
  await wrong.waitFor();
  const id = (await wrong.getAttribute('id')) ?? '';
  assert.equal(await page.evaluate('document.activeElement.id'), id);
  const label = await page.locator(`label[for=${id}]`).innerText();
  return `${label}: ${await page.locator(`#${id}-error`).innerText()}`;
}

async function policyNamed({ server }: House, name: string): Promise<Policy> {
  const client = await server.client();
  const { policies } = await client.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const found = policies.find((each) => each.name === name);
  assert.ok(found, name);
  return client.get({ case: 'getPolicy', value: { policyId: found.policyId } }, 'policy');
}

test('settings of the crawl server in a browser', { skip: browser.skip }, async (t) => {
  const house = await openHouse(t);

  await t.test('a policy with all of its parts, and what is wrong with it', async () => {
    const page = await house.enter('/policies/new');
    const save = page.getByRole('button', { name: 'Make the policy' });
    await save.click();
    assert.equal(await faultOf(page), 'Name: Policy name cannot be blank.');
    await page.getByLabel('Name').first().fill('Whole');
    await page.getByLabel('Most items').fill('-1');
    await save.click();
    assert.equal(await faultOf(page), 'Most items: Max items must be ≥0.');
    await page.getByLabel('Most items').fill('99999999999');
    await save.click();
    assert.match(await faultOf(page), /^Most items: .*max_items/);
    await page.getByLabel('Most items').fill('1000');
    await page.getByLabel('Longest, in seconds').fill('3600');

    await page.getByRole('button', { name: 'Add URL rule' }).click();
    await save.click();
    assert.equal(await faultOf(page), 'Pattern: Pattern is required in URL rule #2.');
    const second = page.getByRole('listitem', { name: 'URL rule 2', exact: true });
    await second.getByLabel('Pattern').fill('(');
    await second.getByLabel('Match').selectOption('does not match');
    await second.getByLabel('Action').selectOption('multiply by');
    await save.click();
    assert.equal(await faultOf(page), 'Amount: Amount is required in URL rule #2.');
    await second.getByLabel('Amount').fill('0.5');
    await save.click();
    assert.equal(await faultOf(page), 'Pattern: Invalid regular expression in URL rule #2.');
    await second.getByLabel('Pattern').fill('/private/');
    await page.getByRole('button', { name: 'Move up: URL rule 2' }).focus();
    await page.keyboard.press('Enter');

    await page.getByRole('button', { name: 'Add proxy rule' }).click();
    const proxy = page.getByRole('listitem', { name: 'proxy rule 1', exact: true });
    await proxy.getByLabel('Pattern').fill('.*\\.onion');
    await proxy.getByLabel('Proxy', { exact: true }).fill('ftp://nothing');
    await save.click();
    assert.match(await faultOf(page), /^Proxy: Must have a valid URL .* in proxy rule #1\.$/);
    await proxy.getByLabel('Proxy', { exact: true }).fill('socks5://127.0.0.1:9050');
    await page.getByRole('button', { name: 'Remove: user agent 1' }).click();
    await save.click();
    await page.getByText('At least one user agent is required.').waitFor();
    await page.getByRole('button', { name: 'Add user agent' }).click();
    await save.click();
    assert.equal(await faultOf(page), 'Name: Name is required in User agent #1.');
    await page.getByRole('listitem', { name: 'user agent 1' }).getByLabel('Name').fill('Bot');
    await page.getByLabel('That of a site').selectOption('IGNORE');
    await page.getByLabel('Read the sitemaps').check();
    await page.getByLabel('Parameters that are stripped').fill('utm_source\nsid');
    await page.getByLabel('Log in to sites').check();
    await page.getByLabel('Load pages in a browser').check();
    await picture(page, 'policy');
    await save.click();
    await page.getByRole('link', { name: 'Whole', exact: true }).click();
    await page.getByRole('heading', { name: 'Policy: Whole' }).waitFor();

    const policy = await policyNamed(house, 'Whole');
    assert.deepEqual(
      policy.urlRules.map(({ pattern, action, match, amount }) => [pattern, match, action, amount]),
      [
        ['/private/', 2, 2, 0.5],
        ['^https?://({SEED_DOMAINS})/', 1, 1, 1],
        ['', 1, 2, 0],
      ],
    );
    assert.deepEqual(
      policy.proxyRules.map(({ pattern, proxyUrl }) => [pattern, proxyUrl]),
      [
        ['.*\\.onion', 'socks5://127.0.0.1:9050'],
        ['', ''],
      ],
    );
    assert.equal(policy.limits?.maxItems, 1000);
    assert.equal(policy.limits.maxDuration, 3600);
    assert.equal(policy.robotsTxt?.usage, Usage.IGNORE);
    assert.equal(policy.robotsTxt.readSitemaps, true);
    assert.equal(policy.authentication?.enabled, true);
    assert.equal(policy.render, true);
    assert.deepEqual(policy.urlNormalization?.stripParameters, ['utm_source', 'sid']);
    assert.deepEqual(
      policy.userAgents.map(({ name }) => name),
      ['Bot'],
    );

    await page.getByLabel('Name').first().fill('Changed');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved. Jobs that were made before keep what they had.').waitFor();
    const changed = await policyNamed(house, 'Changed');
    assert.deepEqual({ ...changed, name: '', updatedAt: '' }, { ...policy, name: '', updatedAt: '' });
    await page.getByRole('link', { name: 'Policies' }).click();
    await page.getByRole('button', { name: 'Delete: Changed' }).click();
    await page.getByRole('link', { name: 'Changed', exact: true }).waitFor({ state: 'detached' });
    await page.close();
  });

  await t.test('a schedule, which keeps its policy from being deleted', async () => {
    const page = await house.enter('/schedules/new');
    await page.getByLabel('Name', { exact: true }).fill('Nightly');
    const save = page.getByRole('button', { name: 'Make the schedule' });
    await save.click();
    assert.equal(await faultOf(page), 'Seeds: Crawl schedule must have at least one seed URL.');
    await page.getByLabel('Seeds').fill('nonsense');
    await save.click();
    assert.equal(await faultOf(page), 'Seeds: Invalid seed URL: nonsense');
    await page.getByLabel('Seeds').fill('http://example.com/');
    await page.getByLabel('Every').fill('0');
    await save.click();
    assert.equal(await faultOf(page), 'Every: Time units must be positive');
    await page.getByLabel('Every').fill('2');
    await page.getByLabel('Unit').selectOption('weeks');
    await page.getByLabel('Name of the jobs').fill('{WRONG}');
    await save.click();
    assert.match(await faultOf(page), /^Name of the jobs: Invalid variable in job name/);
    await page.getByLabel('Name of the jobs').fill('night {COUNT}');
    await page.getByLabel('Policy').selectOption('Deep Crawl');
    await picture(page, 'schedule');
    await save.click();
    await page.getByRole('cell', { name: '2 weeks' }).waitFor();
    await page.getByRole('link', { name: 'Nightly' }).click();
    await page.getByText('It has made none so far.').waitFor();
    await page.getByLabel('Makes jobs').uncheck();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('link', { name: 'Policies' }).click();
    await page.getByRole('button', { name: 'Delete: Deep Crawl' }).click();
    await page.getByText('Cannot delete policy because it is being used by a schedule.').waitFor();
    await page.getByRole('link', { name: 'Schedules' }).click();
    await page.getByRole('row', { name: 'Nightly' }).getByRole('cell', { name: 'no', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Delete: Nightly' }).click();
    await page.getByText('There is no schedule.').waitFor();
    await page.close();
  });

  await t.test('rate limits of hosts, and of all others', async () => {
    const page = await house.enter('/limits');
    await page.getByLabel('Host').fill('Example.COM');
    await page.getByLabel('Seconds between').fill('-1');
    await page.getByRole('button', { name: 'Set' }).click();
    assert.equal(await faultOf(page), 'Seconds between two requests: Delay must be ≥0');
    await page.getByLabel('Seconds between').fill('2.5');
    await page.getByRole('button', { name: 'Set' }).click();
    await page.getByRole('row', { name: 'example.com' }).getByText('2.5').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Delete/ }).count(), 1);
    await picture(page, 'limits');
    await page.getByRole('button', { name: 'Delete: the limit of example.com' }).click();
    await page.getByRole('cell', { name: 'example.com', exact: true }).waitFor({ state: 'detached' });
    await page.close();
  });

  await t.test('logins with their users, and CAPTCHA solvers', async () => {
    const page = await house.enter('/logins/new');
    await page.getByRole('button', { name: 'Save' }).click();
    assert.equal(await faultOf(page), 'Host: domain is required.');
    await page.getByLabel('Host').fill('example.com');
    await page.getByRole('button', { name: 'Save' }).click();
    assert.equal(await faultOf(page), 'Login page: login_url is required to create a domain login.');
    await page.getByLabel('Login page').fill('http://example.com/login');
    await page.getByRole('button', { name: 'Add user' }).click();
    const user = page.getByRole('listitem', { name: 'user 1' });
    await user.getByLabel('Name').fill('jane');
    await user.getByLabel('Password').fill('secret');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'example.com' }).click();
    assert.equal(await page.getByRole('listitem', { name: 'user 1' }).getByLabel('Password').inputValue(), 'secret');
    await page.getByRole('button', { name: 'Remove: user 1' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: 'example.com' }).getByRole('cell', { name: '0', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Delete: the login of example.com' }).click();
    await page.getByText('There is no login.').waitFor();

    await page.getByRole('link', { name: 'CAPTCHA solvers' }).click();
    await page.getByRole('link', { name: 'New solver' }).click();
    await page.getByRole('button', { name: 'Make the solver' }).click();
    assert.equal(await faultOf(page), 'Name: Name is required.');
    await page.getByLabel('Name').fill('Reader');
    await page.getByLabel('Service URL').fill('http://127.0.0.1:1/');
    await page.getByLabel('API key').fill('key');
    await page.getByLabel('At most').fill('6');
    await page.getByLabel('Upper and lower case').check();
    await page.getByRole('button', { name: 'Make the solver' }).click();
    await page.getByRole('link', { name: 'Reader' }).click();
    await page.getByRole('heading', { name: 'CAPTCHA solver: Reader' }).waitFor();
    assert.equal(await page.getByLabel('API key').inputValue(), 'key');
    assert.equal(await page.getByLabel('At most').inputValue(), '6');
    assert.equal(await page.getByLabel('Upper and lower case').isChecked(), true);
    await page.close();
  });
});

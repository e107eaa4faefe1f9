/** The page for people, in a real browser: every place fits a telephone, in light and dark, and comes back when the server does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebSocketRoute } from 'playwright-core';
import { browser, openHouse, picture } from './support.ts';

test('the page of the crawl server on any screen', { skip: browser.skip }, async (t) => {
  const house = await openHouse(t);
  const client = await house.server.client();
  await client.ask({ case: 'setRateLimit', value: { delay: 0.05 } });
  const { policies } = await client.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const { policyId } = policies.find(({ name }) => name === 'Endless')!;
  const long = `a-name-without-a-space-${'x'.repeat(120)}`;
  const seeds = [`${house.site.url}/endless/1`, `${house.site.url}/endless/${'9'.repeat(15)}?${'long=1&'.repeat(40)}`];
  const { jobId } = await client.get({ case: 'setJob', value: { policyId, seeds, name: long, tags: ['one', 'two'] } }, 'newJob');
  for (const name of ['Archive of a city', 'News, daily'])
    await client.ask({ case: 'setJob', value: { policyId, seeds: [`${house.site.url}/endless/1`], name } });
  const schedule = { scheduleName: long, enabled: true, numUnits: 3, timeUnit: 3, timing: 2, seeds, policyId };
  await client.ask({ case: 'setSchedule', value: { schedule } });
  await client.ask({ case: 'setRateLimit', value: { domain: `${'long.'.repeat(12)}example`, delay: 1.25 } });
  await client.ask({
    case: 'setDomainLogin',
    value: { login: { domain: 'example.com', loginUrl: seeds[1]!, users: [{ username: 'jane' }] } },
  });
  const job = Buffer.from(jobId).toString('hex');
  const places = {
    jobs: '/jobs',
    'job-new': '/jobs/new',
    job: `/jobs/${job}`,
    item: `/jobs/${job}/items/1`,
    policies: '/policies',
    'policy-new': '/policies/new',
    schedules: '/schedules',
    'schedule-new': '/schedules/new',
    limits: '/limits',
    logins: '/logins',
    login: '/logins/of/example.com',
    solvers: '/solvers',
    'solver-new': '/solvers/new',
    server: '/server',
  };

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`fits a window of 360 pixels, ${colorScheme}`, async () => {
      const page = await house.enter('/jobs', { viewport: { width: 360, height: 740 }, colorScheme });
      const wide: string[] = [];
      for (const [name, place] of Object.entries(places)) {
        await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
        await page.locator(`#view[data-place="${place}"]`).waitFor();
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (width > 360) wide.push(`${name}: ${width}`);
        await picture(page, `360-${colorScheme}-${name}`);
      }
      assert.deepEqual(wide, []);
      const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      assert.equal(ground, colorScheme === 'light' ? 'rgb(246, 247, 247)' : 'rgb(20, 24, 26)');
      if (process.env.WARCTAP_SCREENSHOTS !== undefined) {
        await page.setViewportSize({ width: 1100, height: 900 });
        for (const [name, place] of Object.entries(places)) {
          await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
          await page.locator(`#view[data-place="${place}"]`).waitFor();
          await page.waitForTimeout(1500);
          await picture(page, `1100-${colorScheme}-${name}`);
        }
      }
      await page.close();
    });
  }

  await t.test('every control has a name, and the first of a place is reached by Tab', async () => {
    const page = await house.enter();
    for (const place of Object.values(places)) {
      await page.evaluate(`location.hash = ${JSON.stringify(place)}`);
      await page.locator(`#view[data-place="${place}"]`).waitFor();
      const nameless = await page.evaluate<string[]>(
        `[...document.querySelectorAll('#view :is(input, select, textarea, button, a, pre, [role=region])')]
          .filter((each) => !(each.ariaLabel || each.textContent.trim() || each.labels?.[0]?.textContent)).map((each) => each.outerHTML)`,
      );
      assert.deepEqual(nameless, [], place);
      assert.equal(await page.evaluate('document.activeElement.id'), 'view', place);
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate("document.getElementById('view').contains(document.activeElement)"), true, place);
    }
    await page.close();
  });

  await t.test('comes back by itself when the connection was lost', async () => {
    const page = await house.open();
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket(/\/ws\/$/, (socket) => {
      sockets.push(socket);
      socket.connectToServer();
    });
    await house.logIn(page, `/jobs/${job}`);
    const items = page.locator('.tiles dd').first();
    const changed = async () => items.filter({ hasNotText: new RegExp(`^${await items.innerText()}$`) }).waitFor();
    await changed();
    await sockets[0]!.close();
    await page.getByText('The connection is lost; trying again').waitFor();
    await page.locator('#connection').filter({ hasText: /^$/ }).waitFor({ state: 'attached' });
    assert.equal(sockets.length, 2);
    await changed();
    await page.close();
  });
});

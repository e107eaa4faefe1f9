/** Rate limits as clients see them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crawlServer } from '../support/server.ts';

const list = { case: 'listRateLimits', value: {} } as const;

test('a fresh server has one limit, for all hosts', async (t) => {
  const { client } = await crawlServer(t);
  const { rateLimits, total } = await (await client()).get(list, 'listRateLimits');
  assert.equal(total, 1);
  const { name, token, delay, domain } = rateLimits[0]!;
  assert.deepEqual([name, Buffer.from(token).toString('hex'), delay, domain], ['Global Rate Limit', '0'.repeat(32), 5, '']);
  assert.ok(!Object.hasOwn(rateLimits[0]!, 'domain'));
});

test('a host has a limit of its own, in the one form of its name, until that is taken away', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  await asking.done({ case: 'setRateLimit', value: { domain: 'Rate-Limit.Example', delay: 0.5 } });
  await asking.done({ case: 'setRateLimit', value: { domain: 'bücher.example', delay: 0 } });
  await asking.done({ case: 'setRateLimit', value: { delay: 2 } });
  const { rateLimits } = await asking.get(list, 'listRateLimits');
  assert.deepEqual(
    rateLimits.map(({ name, delay, domain }) => [name, delay, domain]),
    [
      ['Global Rate Limit', 2, ''],
      ['domain:rate-limit.example', 0.5, 'rate-limit.example'],
      ['domain:xn--bcher-kva.example', 0, 'xn--bcher-kva.example'],
    ],
  );
  assert.equal(Buffer.from(rateLimits[1]!.token).toString('hex'), 'c5d3c5dadb79abf4197e8fdec3cdfe72');
  for (const domain of ['rate-limit.example', 'rate-limit.example']) await asking.done({ case: 'setRateLimit', value: { domain } });
  assert.equal((await asking.get(list, 'listRateLimits')).total, 2);
  assert.equal(await asking.refused({ case: 'setRateLimit', value: {} }), 'Cannot delete the global rate limit.');
  assert.equal(await asking.refused({ case: 'setRateLimit', value: { domain: 'a.example', delay: -1 } }), 'Delay must be ≥0');
});

test('pages of a list', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  for (const domain of ['a.example', 'b.example', 'c.example']) await asking.done({ case: 'setRateLimit', value: { domain, delay: 1 } });
  const page = async (limit: number, offset: number) => {
    const { rateLimits, total } = await asking.get({ case: 'listRateLimits', value: { page: { limit, offset } } }, 'listRateLimits');
    return [total, ...rateLimits.map(({ domain }) => domain)];
  };
  assert.deepEqual(await page(2, 2), [4, 'b.example', 'c.example']);
  assert.deepEqual(await page(0, 0), [4]);
  assert.deepEqual(await page(100_000, 9), [4]);
  assert.equal(await asking.refused({ case: 'listRateLimits', value: { page: { limit: -1 } } }), 'Invalid page');
  assert.equal(await asking.refused({ case: 'listRateLimits', value: { page: { offset: -1 } } }), 'Invalid page');
});

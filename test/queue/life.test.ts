/** What becomes of a URL: handed out, reported, due again, given up. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import { createLog } from '../../src/cli/log.ts';
import { add, done, json, look, report, startQueue, statistics, take, temporaryFolder, type Said, type TestQueue } from './support.ts';

const SPACED = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/;
const list = async (queue: TestQueue) =>
  (await queue.admin('/temp-new-links')).json as { url: string; 'given-to-crawling': string | null }[];

/** Ask until there is something; a time that has to pass is waited for, and nothing else. */
async function takeInTime(as: TestQueue['boris'], ms: number): Promise<string[]> {
  for (const end = performance.now() + ms; performance.now() < end; await wait(20)) {
    const urls = await take(as, 100);
    if (urls.length > 0) return urls;
  }
  return [];
}

describe('new links', () => {
  test('are listed in their order, and with the time when they are out', async () => {
    await using queue = await startQueue();
    const said = await add(queue, { url: 'http://a.test/' }, { url: 'http://b.test' }, 'http://B.test:80/#part', 'mailto:a@b', 'nonsense');
    assert.deepEqual([said.status, said.json], [200, { added: 2, known: 1, rejected: ['mailto:a@b', 'nonsense'] }]);
    assert.deepEqual(await list(queue), [
      { url: 'http://a.test/', 'given-to-crawling': null },
      { url: 'http://b.test/', 'given-to-crawling': null },
    ]);
    const items = (await queue.boris('/crawl-queue', { body: 'limit=1' })).json as Record<string, unknown>[];
    assert.equal(items.length, 1);
    const [item] = items;
    assert.deepEqual(Object.keys(item!), ['url', 'last-visited', 'given-to-crawling', 'visited', 'headers']);
    assert.deepEqual(
      { ...item, 'given-to-crawling': '' },
      { url: 'http://a.test/', 'last-visited': null, 'given-to-crawling': '', visited: null, headers: {} },
    );
    assert.match(String(item!['given-to-crawling']), SPACED);
    const age = Date.now() - Date.parse(`${String(item!['given-to-crawling'])}Z`);
    assert.ok(age >= 0 && age < 2000 + 1000, String(age));
    assert.equal((await list(queue))[0]!['given-to-crawling'], item!['given-to-crawling']);
    assert.equal((await queue.admin('/temp-new-links?limit=1&offset=1')).text, '[{"url":"http://b.test/","given-to-crawling":null}]');
    for (const query of ['limit=x', 'limit=-1', 'offset=1.5', 'offset='])
      assert.equal((await queue.admin(`/temp-new-links?${query}`)).status, 400, query);
  });

  test('are added all or none', async () => {
    await using queue = await startQueue();
    for (const body of [
      '{}',
      '"http://a.test/"',
      '[1]',
      '["http://a.test/",{"link":"x"}]',
      '["http://a.test/",null]',
      '[',
      '\xff',
      '["http://a.test/",{"url":"http://b.test/","priority":101}]',
      '["http://a.test/",{"url":"http://b.test/","priority":"1"}]',
    ]) {
      const said = await queue.admin('/temp-new-links', { body: Buffer.from(body, 'latin1') });
      assert.equal(said.status, 400, body);
      assert.match(said.text, /^[^\n]+\n$/);
    }
    assert.deepEqual(await list(queue), []);
  });

  test('may come as lines, and the same lines again', async () => {
    await using queue = await startQueue();
    const text = Array.from({ length: 2500 }, (_, index) => `http://lines.test/${index}`).join('\r\n') + '\n\nno url\n';
    const plain = await queue.admin('/temp-new-links', { body: text, headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
    assert.deepEqual(plain.json, { added: 2500, known: 0, rejected: ['no url'] });
    const lines = '{"url":"http://lines.test/7"}\n"http://lines.test/new"\n{"url":"http://lines.test/high","priority":9}\n{]\n{"url":1}\n';
    const more = await queue.admin('/temp-new-links', { body: lines, headers: { 'Content-Type': 'application/x-ndjson' } });
    assert.deepEqual(more.json, { added: 2, known: 1, rejected: ['{]', '{"url":1}'] });
    assert.deepEqual(await take(queue.boris, 1), ['http://lines.test/high']);
  });

  test('of a higher priority go first, and the priority of one that waits can be raised', async () => {
    await using queue = await startQueue();
    await add(queue, { url: 'http://a.test/low', priority: -5 }, 'http://a.test/1', 'http://a.test/2', {
      url: 'http://b.test/top',
      priority: 100,
    });
    await add(queue, { url: 'http://a.test/2', priority: 7 }, { url: 'http://b.test/top', priority: 1 });
    assert.deepEqual(await take(queue.boris, 2), ['http://b.test/top', 'http://a.test/2']);
    assert.deepEqual(await take(queue.boris, 10), ['http://a.test/1', 'http://a.test/low']);
  });

  test('that were visited are due at once when they are added again', async () => {
    await using queue = await startQueue();
    await add(queue, 'http://a.test/');
    await take(queue.boris, 1);
    await report(queue.boris, done('http://a.test/'));
    assert.deepEqual([await take(queue.boris, 1), await list(queue)], [[], []]);
    assert.deepEqual((await add(queue, 'http://a.test/')).json, { added: 0, known: 1, rejected: [] });
    assert.equal((await list(queue)).length, 1);
    assert.deepEqual(await take(queue.boris, 9), ['http://a.test/']);
  });
});

describe('handing out', () => {
  test('a limit that is none is refused, a large one is cut', async () => {
    await using queue = await startQueue({ maxQueueLimit: 30 });
    const calls: [body: string | undefined, type?: string][] = [
      ['limit=0'],
      ['limit=x'],
      ['limit=-1'],
      ['limit=1.5'],
      ['limit='],
      [undefined],
      ['{"limit":"2"}'],
      ['{"limit":1.5}'],
      ['[]', 'application/json'],
      ['null', 'application/json'],
    ];
    for (const [body, type] of calls) {
      const said = await queue.boris('/crawl-queue', {
        method: 'POST',
        ...(body === undefined ? {} : { body }),
        headers: type === undefined ? {} : { 'Content-Type': type },
      });
      assert.deepEqual([said.status, said.text], [400, 'limit must be a positive integer\n'], body);
    }
    assert.deepEqual((await queue.boris('/crawl-queue', { body: 'limit=5' })).text, '[]');
    await add(queue, ...Array.from({ length: 50 }, (_, index) => `http://a.test/${index}`));
    const digits = await queue.boris('/crawl-queue', { body: `limit=${'9'.repeat(400)}` });
    assert.equal((digits.json as unknown[]).length, 30);
    const typed = await queue.boris('/crawl-queue', { body: 'limit=3', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.equal((typed.json as unknown[]).length, 3);
    assert.equal(((await queue.boris('/crawl-queue', { body: ' {"limit": 3}' })).json as unknown[]).length, 3);
  });

  test('a URL goes to one worker only, however they ask', async () => {
    await using queue = await startQueue();
    const urls = Array.from({ length: 1000 }, (_, index) => `http://host-${index % 17}.test/${index}`);
    await add(queue, ...urls);
    const taken = await Promise.all(Array.from({ length: 50 }, (_, call) => take(call % 2 === 0 ? queue.boris : queue.inga, 20)));
    assert.deepEqual(
      taken.map(({ length }) => length),
      Array.from({ length: 50 }, () => 20),
    );
    assert.deepEqual(new Set(taken.flat()), new Set(urls));
  });

  test('hosts take turns, and each gives its oldest first', async () => {
    await using queue = await startQueue();
    await add(queue, ...[1, 2, 3, 4].map((page) => `http://a.test/${page}`), 'http://b.test/1', 'http://c.test/1', 'http://c.test/2');
    assert.deepEqual(await take(queue.boris, 4), ['http://a.test/1', 'http://b.test/1', 'http://c.test/1', 'http://a.test/2'].slice(0, 4));
    assert.deepEqual((await take(queue.boris, 10)).sort(), ['http://a.test/3', 'http://a.test/4', 'http://c.test/2']);
  });

  test('no more of a host are out than may be, over all workers, and nobody else is held up', async () => {
    await using queue = await startQueue({ maxPerHost: 2 });
    await add(queue, ...[1, 2, 3, 4, 5].map((page) => `http://a.test/${page}`), 'https://a.test/1', 'http://b.test/1');
    assert.deepEqual((await take(queue.boris, 100)).sort(), ['http://a.test/1', 'http://a.test/2', 'http://b.test/1', 'https://a.test/1']);
    assert.deepEqual(await take(queue.inga, 100), []);
    await report(queue.boris, done('http://a.test/2'));
    assert.deepEqual(await take(queue.inga, 100), ['http://a.test/3']);
  });

  test('a host waits between two, and that outlives a restart', async () => {
    const options = { hostDelay: 600 };
    const first = await startQueue(options);
    await add(first, 'http://a.test/1', 'http://a.test/2', 'http://b.test/1');
    assert.deepEqual((await take(first.boris, 100)).sort(), ['http://a.test/1', 'http://b.test/1']);
    assert.deepEqual(await take(first.boris, 100), []);
    await first.close();
    await using again = await startQueue(options, first.folder);
    assert.deepEqual(await take(again.boris, 100), []);
    await again.close();
    await using soon = await startQueue({ hostDelay: 0.05 }, first.folder);
    assert.deepEqual(await takeInTime(soon.boris, 5000), ['http://a.test/2']);
  });

  test('a worker gives back what it has, and that is no attempt', async () => {
    await using queue = await startQueue({ maxAttempts: 1 });
    await add(queue, 'http://a.test/1', 'http://a.test/2');
    await take(queue.boris, 2);
    const one = await queue.boris('/crawl-queue', { method: 'DELETE', ...json(['http://a.test/2', 'http://unknown.test/']) });
    assert.deepEqual(one.json, { released: 1 });
    assert.deepEqual((await queue.inga('/crawl-queue', { method: 'DELETE' })).json, { released: 0 });
    assert.deepEqual(await take(queue.inga, 5), ['http://a.test/2']);
    assert.deepEqual((await queue.admin('/active?worker=boris', { method: 'DELETE' })).json, { released: 1 });
    assert.equal((await queue.admin('/active', { method: 'DELETE' })).status, 400);
    assert.deepEqual(await take(queue.inga, 5), ['http://a.test/1']);
    const active = (await queue.admin('/active')).json as Record<string, string>[];
    assert.deepEqual(active.map(({ url, worker }) => [url, worker]).sort(), [
      ['http://a.test/1', 'inga'],
      ['http://a.test/2', 'inga'],
    ]);
    for (const each of active)
      assert.equal(Date.parse(`${each['lease-ends']!}Z`) - Date.parse(`${each['given-to-crawling']!}Z`), 1_800_000);
  });
});

describe('leases', () => {
  test('one that ends is handed out again, not before, and not for ever', async () => {
    await using queue = await startQueue({ leaseSeconds: 0.4, maxAttempts: 2 });
    await add(queue, 'http://a.test/');
    const begun = performance.now();
    assert.deepEqual(await take(queue.boris, 1), ['http://a.test/']);
    assert.deepEqual(await take(queue.inga, 1), []);
    assert.deepEqual(await takeInTime(queue.inga, 5000), ['http://a.test/']);
    assert.ok(performance.now() - begun >= 400);
    for (const end = performance.now() + 5000; performance.now() < end && (await look(queue, 'http://a.test/')).state === 'given';)
      await wait(20);
    assert.equal((await look(queue, 'http://a.test/')).state, 'failed');
    assert.deepEqual(await take(queue.inga, 1), []);
    await add(queue, 'http://a.test/');
    assert.deepEqual(await take(queue.inga, 1), ['http://a.test/']);
  });

  test('one ends while the manager is down, too', async () => {
    const first = await startQueue({ leaseSeconds: 0.3 });
    await add(first, 'http://a.test/');
    await take(first.boris, 1);
    await first.close();
    await wait(300);
    await using again = await startQueue({}, first.folder);
    assert.deepEqual(await take(again.inga, 1), ['http://a.test/']);
  });

  test('a report that comes late counts, and the lease of the other stays', async () => {
    await using queue = await startQueue({ leaseSeconds: 0.2, minRevisitMinutes: 1000 });
    await add(queue, 'http://a.test/');
    await take(queue.boris, 1);
    assert.deepEqual(await takeInTime(queue.inga, 5000), ['http://a.test/']);
    assert.equal((await report(queue.boris, done('http://a.test/', { status: '500 Late' }))).status, 200);
    assert.equal((await report(queue.inga, done('http://a.test/'))).status, 200);
    assert.equal((await statistics(queue))['crawled-urls'], 2);
    assert.equal((await look(queue, 'http://a.test/')).report.status_code, 200);
    assert.deepEqual(await take(queue.boris, 1), []);
  });
});

describe('visits', () => {
  test('a visited URL is due after its time, with what is known of it', async () => {
    await using queue = await startQueue({ minRevisitMinutes: 0.01 });
    await add(queue, 'http://a.test/');
    await take(queue.boris, 1);
    const begun = performance.now();
    await report(queue.boris, {
      url: 'http://a.test/',
      status_code: 200,
      result: 'OK',
      headers: { ETag: '"1"', 'Content-Type': 'text/html' },
      visited: '2026-01-05T10:00:00',
      total_time: 12,
    });
    assert.deepEqual(await take(queue.boris, 1), []);
    let items: Record<string, unknown>[] = [];
    while (items.length === 0) items = (await queue.boris('/crawl-queue', { body: 'limit=5' })).json as typeof items;
    assert.ok(performance.now() - begun >= 600);
    assert.deepEqual(
      { ...items[0], 'given-to-crawling': '' },
      {
        url: 'http://a.test/',
        'last-visited': '2026-01-05 10:00:00',
        'given-to-crawling': '',
        visited: '2026-01-05T10:00:00',
        headers: { ETag: '"1"', 'Content-Type': 'text/html' },
      },
    );
  });

  test('that failed for a reason that passes are due sooner, each time twice as long', async () => {
    await using queue = await startQueue({ minRevisitMinutes: 60, retryMinutes: 10 });
    const minutes = async (outcome: object) => {
      const visited = `2026-01-05T10:00:0${step++}`;
      await report(queue.boris, { url: 'http://a.test/', status_code: null, result: 'Fetch timeout', headers: {}, visited, ...outcome });
      const { due, report: last } = (await look(queue, 'http://a.test/')) as unknown as { due: string; report: { received: string } };
      return Math.round((Date.parse(`${due}Z`) - Date.parse(`${last.received}Z`)) / 60_000);
    };
    let step = 0;
    assert.equal(await minutes({}), 10);
    assert.equal(await minutes({ status_code: 503, result: 'Busy' }), 20);
    assert.equal(await minutes({ status_code: 429, result: 'Slow down' }), 40);
    assert.equal(await minutes({}), 60);
    assert.equal(await minutes({ status_code: 404, result: 'Not Found' }), 60);
    assert.equal(await minutes({}), 10);
    for (const result of ['Deny by robots.txt', 'Invalid URI', 'Proxy: 420 Reached limit']) assert.equal(await minutes({ result }), 60);
  });

  test('what was never visited goes before what is due again', async () => {
    await using queue = await startQueue({ minRevisitMinutes: 0 });
    assert.equal((await report(queue.boris, done('http://a.test/old'))).status, 200);
    await add(queue, 'http://z.test/new');
    assert.deepEqual(await take(queue.boris, 2), ['http://z.test/new', 'http://a.test/old']);
  });
});

describe('holding back', () => {
  test('a suspended worker gets nothing and may report, others go on, and it outlives a restart', async () => {
    const first = await startQueue();
    await add(first, 'http://a.test/1', 'http://a.test/2', 'http://a.test/3');
    await take(first.boris, 1);
    const put = (value: unknown): Promise<Said> => first.admin('/control', { ...json(value), method: 'PUT' });
    assert.deepEqual((await first.admin('/control')).json, { all: 'resume', workers: {}, 'recheck-interval': 90 });
    const said = await put({ control: 'suspend', worker: 'boris' });
    assert.deepEqual([said.status, said.text], [200, 'null']);
    const held = await first.boris('/crawl-queue', { body: 'limit=1' });
    assert.deepEqual([held.status, held.text, held.headers['retry-after']], [200, '[]', '90']);
    assert.deepEqual((await first.boris('/worker')).json, { control: 'suspend', 'recheck-interval': 90 });
    assert.deepEqual((await first.inga('/worker')).json, { control: 'resume', 'recheck-interval': 90 });
    assert.equal((await report(first.boris, done('http://a.test/1'))).status, 200);
    assert.deepEqual(await take(first.inga, 1), ['http://a.test/2']);
    await first.close();

    await using again = await startQueue({}, first.folder);
    assert.deepEqual((await again.boris('/crawl-queue', { body: 'limit=1' })).text, '[]');
    await again.admin('/control', { ...json({ control: 'resume', worker: 'boris', 'recheck-interval': 5 }), method: 'PUT' });
    assert.deepEqual((await again.boris('/worker')).json, { control: 'resume', 'recheck-interval': 5 });
    await again.admin('/control', { ...json({ control: 'suspend' }), method: 'PUT' });
    assert.deepEqual([await take(again.boris, 1), await take(again.inga, 1)], [[], []]);
    assert.deepEqual((await again.admin('/control')).json, { all: 'suspend', workers: { boris: 'resume' }, 'recheck-interval': 5 });
  });

  test('what several calls say in the same moment is all kept, and what was not said is as its option has it', async () => {
    const first = await startQueue({ recheckInterval: 7 });
    const names = Array.from({ length: 20 }, (_, index) => `worker-${index}`);
    const put = (worker: string) => first.admin('/control', { ...json({ control: 'suspend', worker }), method: 'PUT' });
    await Promise.all(names.map(put));
    await first.close();
    await using again = await startQueue({ recheckInterval: 8 }, first.folder);
    const { workers, ...rest } = (await again.admin('/control')).json as { workers: object };
    assert.deepEqual(Object.keys(workers).sort(), [...names].sort());
    assert.deepEqual(rest, { all: 'resume', 'recheck-interval': 8 });
  });

  test('what is not understood changes nothing', async () => {
    await using queue = await startQueue();
    for (const value of [
      [],
      null,
      {},
      { control: 'stop' },
      { control: 'suspend', worker: 1 },
      { control: 'suspend', 'recheck-interval': 0 },
    ]) {
      assert.equal((await queue.admin('/control', { ...json(value), method: 'PUT' })).status, 400, JSON.stringify(value));
    }
    assert.equal(((await queue.admin('/control')).json as { all: string }).all, 'resume');
  });
});

test('after a restart everything is as before', async () => {
  const first = await startQueue();
  await add(first, 'http://a.test/1', 'http://b.test/1', 'http://c.test/1');
  const [one] = await take(first.boris, 1);
  await take(first.inga, 1);
  await report(first.boris, done(one!, { 'content-body': 'x'.repeat(2048) }));
  const before = [await statistics(first), await list(first), (await first.admin('/active')).json] as const;
  await first.close();
  await using again = await startQueue({}, first.folder);
  const after = [await statistics(again), await list(again), (await again.admin('/active')).json] as const;
  assert.deepEqual({ ...after[0], uptime: 0 }, { ...before[0], uptime: 0 });
  assert.deepEqual(after.slice(1), before.slice(1));
  assert.equal(before[0]['crawled-urls'], 1);
  assert.equal((await take(again.boris, 10)).length, 1);
});

describe('a manager that cannot start', () => {
  test('because its port is taken says so, and nothing else', async () => {
    await using queue = await startQueue();
    const lines: string[] = [];
    const log = createLog({ level: 'warn', output: { write: (line) => lines.push(line) } });
    await assert.rejects(startQueue({ port: Number(new URL(queue.url).port) }, temporaryFolder(), log), /the port is in use/);
    assert.deepEqual(lines, []);
  });

  test('because its folder holds the database of something else leaves that as it is', async () => {
    const folder = temporaryFolder();
    const level = new ClassicLevel(join(folder, 'queue.db'));
    await level.put('x', 'y');
    await level.close();
    await assert.rejects(startQueue({}, folder), /is the database of something else; name another one with --db$/);
    await level.open();
    assert.deepEqual(await level.iterator().all(), [['x', 'y']]);
    await level.close();
  });
});

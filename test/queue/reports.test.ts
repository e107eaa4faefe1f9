/** Reports in both vocabularies, repetitions, links, and what is counted of them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { add, ask, BORIS, done, json, look, report, startQueue, statistics, take } from './support.ts';

const today = () => new Date().toISOString().slice(0, 10);

describe('a report', () => {
  test('in the words of the wiki page', async () => {
    await using queue = await startQueue();
    await add(queue, 'http://a.test/', 'http://b.test/');
    await take(queue.boris, 1);
    const body = 'ä'.repeat(1000);
    const said = await report(queue.boris, {
      url: 'http://a.test/',
      status: '200 OK',
      headers: { 'Content-Type': 'text/html; charset=utf-8', 'X-Runtime': '91ms' },
      total_time: 0.58,
      'content-body': body,
    });
    assert.deepEqual([said.status, said.text, said.headers['content-type']], [200, 'null', 'application/json']);
    const links = (await queue.admin('/temp-new-links')).json as { url: string }[];
    assert.deepEqual(
      links.map(({ url }) => url),
      ['http://b.test/'],
    );
    const counted = await statistics(queue);
    assert.deepEqual([counted['crawled-urls'], counted['recieved-KB'], counted['received-KB']], [1, 1, 1]);
    assert.deepEqual(counted.workers[0], {
      key: BORIS,
      name: 'boris',
      uptime: counted.workers[0]!.uptime,
      'crawled-urls': 1,
      'crawled-sites': 1,
    });
    assert.deepEqual(counted.workers[1]!['crawled-urls'], 0);
    const { state, report: kept } = await look(queue, 'http://a.test/');
    assert.deepEqual(
      [state, kept.status_code, kept.result, kept.total_time, kept.length, kept.type],
      ['visited', 200, 'OK', 580, 2000, 'text/html; charset=utf-8'],
    );
  });

  test('in the words of the published manager, with fields that nobody knows', async () => {
    await using queue = await startQueue();
    await add(queue, 'http://a.test/');
    await take(queue.boris, 1);
    const said = await report(queue.boris, {
      key: 'http://a.test/#top',
      success: true,
      cached: false,
      status_code: 200,
      result: 'OK',
      headers: { 'content-type': 'text/html' },
      content: Buffer.alloc(3000, 7).toString('base64'),
      visited: '2026-01-05T10:00:00',
      fetch_time: 12,
      total_time: 34,
      redirects: [{ url: 'http://x/' }],
      colour: 'blue',
    });
    assert.equal(said.status, 200, said.text);
    const { report: kept } = await look(queue, 'http://a.test/');
    assert.deepEqual(
      [kept.fetch_time, kept.total_time, kept.length, kept.at, kept.other, kept.redirects],
      [12, 34, 3000, '2026-01-05T10:00:00', { colour: 'blue' }, [{ url: 'http://x/' }]],
    );
    assert.equal((await statistics(queue))['recieved-KB'], 2);
    await add(queue, 'http://b.test/');
    await take(queue.boris, 1);
    assert.equal(
      (await report(queue.boris, { url: 'http://b.test/', status_code: null, result: 'Fetch timeout', headers: {} })).status,
      200,
    );
    assert.deepEqual((await look(queue, 'http://b.test/')).report.status_code, null);
  });

  test('has its code in the first three digits of its status, if there are three', async () => {
    await using queue = await startQueue();
    const statuses: [status: string, code: number | null, result: string][] = [
      ['200 OK', 200, 'OK'],
      ['200', 200, ''],
      ['200OK', 200, 'OK'],
      [' 404  Not  Found ', 404, 'Not  Found'],
      ['2000 and more', null, '2000 and more'],
      ['20 OK', null, '20 OK'],
      ['no answer', null, 'no answer'],
      ['', null, ''],
    ];
    for (const [index, [status, code, result]] of statuses.entries()) {
      const url = `http://a.test/${index}`;
      await report(queue.boris, done(url, { status }));
      const { report: kept } = await look(queue, url);
      assert.deepEqual([kept.status_code, kept.result], [code, result], status);
    }
  });

  test('that makes no sense is refused in one line, and the lease stays', async () => {
    await using queue = await startQueue();
    await add(queue, 'http://a.test/');
    await take(queue.boris, 1);
    const url = 'http://a.test/';
    const refused: [unknown, RegExp][] = [
      [{ url, status_code: 200, content: '***' }, /^content is not base64\n$/],
      [{ url, status_code: 200, content: 'YQ=' }, /^content is not base64\n$/],
      [{ status: '200 OK' }, /^url must be a string/],
      [{ url: 5, status: '200 OK' }, /^url must be a string/],
      [{ url: 'ftp://a.test/', status: '200 OK' }, /^url must be an http or https URL, got "ftp:/],
      [{ url, status: 200 }, /^status must be a text/],
      [{ url, status: null }, /^status must be a text/],
      [{ url, status_code: '200' }, /^status_code must be a whole number or null/],
      [{ url, status_code: 200.5 }, /^status_code must be/],
      [{ url, status: '200', headers: [] }, /^headers must be an object/],
      [{ url, status: '200', headers: 'x' }, /^headers must be an object/],
      [{ url, status: '200', total_time: 'x' }, /^total_time must be a number/],
      [{ url, status_code: 200, visited: 'yesterday' }, /^visited must be a UTC time/],
      [{ url, status: '200', links: 'http://b.test/' }, /^links must be an array/],
      [{ url, status: '200', other: 'x'.repeat(70_000) }, /^redirects and unknown fields must not be longer/],
      [[done(url), { url: 'x' }], /^report 2: url must be an http or https URL/],
      ['text', /^a report must be a JSON object/],
      [null, /^a report must be a JSON object/],
    ];
    for (const [value, line] of refused) {
      const said = await report(queue.boris, value);
      assert.equal(said.status, 400, JSON.stringify(value).slice(0, 100));
      assert.match(said.text, line);
    }
    for (const body of ['not json', '{"url":', Buffer.from([0x22, 0xff, 0x22])])
      assert.equal((await queue.boris('/report', { method: 'PUT', body })).status, 400);
    assert.equal((await look(queue, url)).worker, 'boris');
    assert.equal((await statistics(queue))['crawled-urls'], 0);
  });

  test('of a long list is stored whole; each is counted; POST will do, and gzip', async () => {
    await using queue = await startQueue();
    const urls = Array.from({ length: 300 }, (_, index) => `http://host-${index % 30}.test/${index}`);
    await add(queue, ...urls);
    await take(queue.boris, 1000);
    const body = gzipSync(JSON.stringify(urls.map((url) => done(url))));
    const said = await queue.boris('/report', { method: 'POST', body, headers: { 'Content-Encoding': 'gzip' } });
    assert.equal(said.status, 200, said.text);
    assert.deepEqual([(await statistics(queue))['crawled-urls'], (await statistics(queue)).workers[0]!['crawled-sites']], [300, 30]);
    assert.equal((await queue.admin('/temp-new-links')).text, '[]');
  });

  test('of a URL that was never handed out is a visit', async () => {
    await using queue = await startQueue({ minRevisitMinutes: 0 });
    assert.equal((await report(queue.boris, done('http://a.test/', { headers: { ETag: '"1"' } }))).status, 200);
    const [item] = (await queue.inga('/crawl-queue', { body: 'limit=2' })).json as Record<string, unknown>[];
    assert.deepEqual([item?.url, item?.headers], ['http://a.test/', { ETag: '"1"' }]);
    assert.match(String(item?.['last-visited']), /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/);
  });
});

describe('a repetition', () => {
  test('is answered and not counted, after a restart, too', async () => {
    const first = await startQueue();
    await add(first, 'http://a.test/');
    await take(first.boris, 1);
    const timed = { url: 'http://a.test/', status_code: 200, result: 'OK', visited: '2026-01-05T10:00:00' };
    assert.equal((await report(first.boris, timed)).status, 200);
    assert.equal((await report(first.boris, timed)).status, 200);
    assert.equal((await statistics(first))['crawled-urls'], 1);
    await first.close();
    await using again = await startQueue({}, first.folder);
    assert.equal((await report(again.boris, [timed, timed])).status, 200);
    assert.equal((await statistics(again))['crawled-urls'], 1);
    for (const visited of ['2026-01-05 10:00:00', '2026-01-05T10:00:00Z', '2026-01-05t12:00:00+02:00'])
      await report(again.boris, { ...timed, visited });
    assert.equal((await statistics(again))['crawled-urls'], 1, 'the same time, written otherwise');
    await report(again.boris, { ...timed, visited: '2026-01-05T10:00:01' });
    assert.equal((await statistics(again))['crawled-urls'], 2, 'another visit');
    await report(again.inga, { ...timed, visited: '2026-01-05T10:00:01' });
    assert.equal((await statistics(again))['crawled-urls'], 3, 'another worker');
  });

  test('without a time is told by body and status', async () => {
    await using queue = await startQueue();
    const page = done('http://a.test/', { 'content-body': 'a' });
    await report(queue.boris, page);
    await report(queue.boris, page);
    assert.equal((await statistics(queue))['crawled-urls'], 1);
    await report(queue.boris, { ...page, 'content-body': 'b' });
    await report(queue.boris, { ...page, 'content-body': 'b', status: '404 Gone' });
    assert.equal((await statistics(queue))['crawled-urls'], 3);
  });

  test('is none when the worker has been given the URL again', async () => {
    await using queue = await startQueue({ minRevisitMinutes: 0 });
    const page = done('http://a.test/');
    await report(queue.boris, page);
    await take(queue.boris, 1);
    await report(queue.boris, page);
    assert.equal((await statistics(queue))['crawled-urls'], 2);
  });
});

describe('links', () => {
  test('the append form adds those that are new and none of what is no URL', async () => {
    await using queue = await startQueue();
    await add(queue, 'http://known.test/');
    const said = await report(queue.boris, { url: null, links: ['http://new.test/', 'http://known.test/#x', 'no url', 'http://new.test'] });
    assert.deepEqual([said.status, said.text], [200, 'null']);
    assert.deepEqual((await take(queue.boris, 10)).sort(), ['http://known.test/', 'http://new.test/']);
    assert.equal((await statistics(queue))['crawled-urls'], 0);
  });

  test('of a report come from its page', async () => {
    await using queue = await startQueue();
    await report(queue.boris, done('http://a.test/', { links: ['http://a.test/1', 'https://b.test/'] }));
    assert.deepEqual((await take(queue.boris, 10)).sort(), ['http://a.test/1', 'https://b.test/']);
    assert.equal((await look(queue, 'https://b.test/')).parent, 'http://a.test/');
  });

  const page =
    '<base href="/deep/"><p><a href="one">1</a> <A HREF=\'//sub.a.co.uk/two\'>2</a><area href="http://b.co.uk/"><a href="mailto:x">';
  const html = (url: string) => done(url, { headers: { 'content-TYPE': 'text/html' }, 'content-body': page });

  test('in a page are followed only as far as the manager is told to', async () => {
    const follow = async (followLinks: 'off' | 'same-site' | 'all', more = {}) => {
      await using queue = await startQueue({ followLinks, ...more });
      await report(queue.boris, html('http://www.a.co.uk/'));
      return (await take(queue.boris, 10)).sort();
    };
    assert.deepEqual(await follow('off'), []);
    assert.deepEqual(await follow('same-site'), ['http://sub.a.co.uk/two', 'http://www.a.co.uk/deep/one']);
    assert.deepEqual(await follow('all'), ['http://b.co.uk/', 'http://sub.a.co.uk/two', 'http://www.a.co.uk/deep/one']);
    assert.deepEqual(await follow('all', { linkFilter: '.*/(one|none)' }), ['http://www.a.co.uk/deep/one']);
  });
});

describe('statistics', () => {
  test('of today are those of all time on the first day, of yesterday nothing', async () => {
    await using queue = await startQueue();
    await report(queue.boris, [done('http://a.test/1'), done('http://a.test/2'), done('http://b.test/1')]);
    await report(queue.admin, done('http://c.test/1'));
    const day = today();
    const all = await statistics(queue);
    assert.deepEqual(
      all.workers.map(({ name }) => name),
      ['admin', 'boris', 'inga'],
    );
    const ofToday = await statistics(queue, `?date-from=${day}&date-to=${day}`);
    if (today() === day) assert.deepEqual({ ...ofToday, uptime: 0 }, { ...all, uptime: 0 });
    for (const query of ['?date-from=2009-03-29&date-to=2009-04-02', '?date-to=2009-04-02', '?date-from=2109-04-02']) {
      const none = await statistics(queue, query);
      assert.deepEqual([none['crawled-urls'], none.uptime, none.workers.map((each) => each['crawled-urls'])], [0, 0, [0, 0]], query);
    }
    assert.equal((await statistics(queue, '?date-from=2009-03-29'))['crawled-urls'], 4);
  });

  test('a day that there is not, or an order that makes no sense, is refused', async () => {
    await using queue = await startQueue();
    for (const query of [
      'date-from=2009-02-30',
      'date-to=2009-2-1',
      'date-from=x',
      'date-from=2009-03-02&date-to=2009-03-01',
      'date-to=',
    ]) {
      const said = await queue.admin(`/statistics?${query}`);
      assert.equal(said.status, 400, query);
      assert.match(said.text, /^date-[^\n]+\n$/);
    }
  });

  test('a revoked worker with reports stays listed, without its key', async () => {
    await using queue = await startQueue();
    await queue.admin('/api-keys', { body: 'carl:foo-bar-long-key' });
    await ask(queue.url, '/report', { key: 'carl:foo-bar-long-key', method: 'PUT', ...json(done('http://a.test/')) });
    await queue.admin('/api-keys/carl', { method: 'DELETE' });
    const { workers } = await statistics(queue);
    assert.deepEqual(
      workers.map(({ key }) => key.replace(/long-key.*/, '…')),
      ['boris:foo-bar-…', 'carl:***', 'inga:another-…'],
    );
  });
});

test('what links add is counted as added, as what the administrator adds is', async (t) => {
  const queue = await startQueue();
  t.after(() => queue.close());
  const added = async () => {
    const { minutes } = (await queue.admin('/overview')).json as { minutes: { added: number[] } };
    return minutes.added.reduce((sum, each) => sum + each, 0);
  };
  await add(queue, 'http://a.test/');
  await report(queue.boris, { url: null, links: ['http://a.test/', 'http://b.test/'] });
  assert.equal(await added(), 2);
  const page = done('http://a.test/', { links: ['http://a.test/', 'http://c.test/', 'http://d.test/'] });
  for (let times = 0; times < 2; times++) await report(queue.boris, page);
  assert.equal(await added(), 4);
});

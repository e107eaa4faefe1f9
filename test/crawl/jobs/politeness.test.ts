/** How a crawl treats its sites: delays, robots.txt, Retry-After, redirects. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { PolicyRobotsTxt_Usage as Usage, PolicyUrlRule_Action as Action, PatternMatch } from '../../../src/crawl/proto/starbelly_pb.ts';
import { allItems, crawl, openCrawls, pathsOf, policy, startSite } from './support.ts';

const HTML = { 'Content-Type': 'text/html' };
const FOLLOW_ALL = [{ action: Action.ADD, amount: 1 }];

/** The pages link to each other; robots.txt is what it is told to be. */
function site(robots: RequestListener): RequestListener {
  return (request, response) => {
    if (request.url === '/robots.txt') robots(request, response);
    else response.writeHead(200, HTML).end('<a href="/private/x"><a href="/private/yes"><a href="/open">');
  };
}
const text =
  (body: string): RequestListener =>
  (_request, response) =>
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end(body);
const RULES = 'User-agent: other\nDisallow: /\n\nUser-agent: test-crawler\nDisallow: /priv*\nAllow: /private/yes$\n';

test('robots.txt is obeyed, inverted or not asked for', async (t) => {
  const home = await startSite(t, site(text(RULES)));
  await using crawls = await openCrawls();
  for (const [usage, paths] of [
    [Usage.OBEY, ['/', '/open', '/private/yes']],
    [Usage.INVERT, ['/', '/private/x']],
    [Usage.IGNORE, ['/', '/open', '/private/x', '/private/yes']],
  ] as const) {
    const before = home.asked.length;
    const [, items] = await crawl(crawls, home.url, policy({ robotsTxt: { usage } }));
    assert.deepEqual(pathsOf(items), paths);
    if (usage === Usage.IGNORE) assert.ok(!home.asked.slice(before).includes('/robots.txt'));
  }
  assert.equal(home.asked.filter((path) => path === '/robots.txt').length, 1, 'kept for all jobs');
});

test('no robots.txt allows all, one that fails forbids all, and one that cannot be had is told', async (t) => {
  await using crawls = await openCrawls();
  const obey = policy({ robotsTxt: { usage: Usage.OBEY } });
  const none = await startSite(
    t,
    site((_request, response) => response.writeHead(404).end()),
  );
  assert.equal((await crawl(crawls, none.url, obey))[0].counts.items, 4);
  const failing = await startSite(
    t,
    site((_request, response) => response.writeHead(503).end()),
  );
  assert.deepEqual(pathsOf((await crawl(crawls, failing.url, obey))[1]), ['/']);
  const broken = await startSite(
    t,
    site((request) => request.socket.destroy()),
  );
  const [job, items] = await crawl(crawls, broken.url, obey);
  assert.equal(job.counts.exceptions, 3);
  assert.match(items[1]?.exception ?? '', /^RobotsUnreachable: FetchError: /);
  const moved = await startSite(t, (request, response) => {
    if (request.url === '/robots.txt') response.writeHead(301, { Location: '/elsewhere' }).end();
    else if (request.url === '/elsewhere') response.end(RULES);
    else site(text(''))(request, response);
  });
  assert.deepEqual(pathsOf((await crawl(crawls, moved.url, obey))[1]), ['/', '/open', '/private/yes']);
});

test('requests to a host are a delay apart, of all jobs together; another host does not wait', async (t) => {
  const times: { readonly start: number; end: number }[] = [];
  const slow = await startSite(t, (request, response) => {
    const time = { start: performance.now(), end: 0 };
    times.push(time);
    const path = request.url === '/' ? '' : (request.url ?? '');
    response.writeHead(200, HTML).end(path.length > 3 ? '' : `<a href="${path}/1">`);
    response.once('finish', () => (time.end = performance.now()));
  });
  const other = await startSite(t, (_request, response) => response.writeHead(200, HTML).end('<a href="/2">'), '127.0.0.2');
  await using crawls = await openCrawls();
  crawls.delays.set('127.0.0.1', 0.2);
  const first = await crawls.jobs.create({ seeds: [`${slow.url}/`, `${other.url}/`], policy: policy() });
  const second = await crawls.jobs.create({ seeds: [`${slow.url}/?2`], policy: policy() });
  await Promise.all([allItems(crawls, first), allItems(crawls, second)]);
  assert.ok(times.length >= 5);
  times.slice(1).forEach(({ start }, index) => assert.ok(start - (times[index]?.end ?? 0) >= 199, `request ${index + 1}`));
  assert.deepEqual(other.asked, ['/', '/2']);
});

test('a host that asks for time gets it, and a request is tried again as often as is said', async (t) => {
  const busy = await startSite(t, (_request, response) => {
    if (busy.asked.length <= 2) response.writeHead(503, { ...HTML, 'Retry-After': '1' }).end('busy');
    else response.writeHead(200, HTML).end('at last');
  });
  await using crawls = await openCrawls({ settings: { retries: 2 } });
  const started = performance.now();
  const [job] = await crawl(crawls, busy.url);
  assert.deepEqual(job.counts, { items: 1, successes: 1, errors: 0, exceptions: 0 });
  assert.equal(busy.asked.length, 3);
  assert.ok(performance.now() - started >= 2000);
  const always = await startSite(t, (_request, response) => response.writeHead(503, HTML).end('busy'));
  await using others = await openCrawls({ settings: { retries: 1, retryMs: 10 } });
  const [last] = await crawl(others, always.url);
  assert.deepEqual([...last.statusCounts], [[503, 1]]);
  assert.equal(always.asked.length, 2);
});

test('redirects are followed hop by hop, as far as the rules and robots.txt go', async (t) => {
  const elsewhere = await startSite(t, (_request, response) => response.writeHead(200, HTML).end(''), '127.0.0.2');
  const home = await startSite(t, (request, response) => {
    const to: Record<string, string> = {
      '/a': '/b',
      '/b': '/sub/c',
      '/out': `${elsewhere.url}/`,
      '/denied': '/private/x',
      '/loop': '/loop',
    };
    const target = to[request.url ?? ''];
    if (request.url === '/robots.txt') response.end('User-agent: *\nDisallow: /private');
    else if (target !== undefined) response.writeHead(302, { Location: target }).end('moved');
    else if (request.url === '/') response.writeHead(200, HTML).end('<a href="/a"><a href="/out"><a href="/denied"><a href="/loop">');
    else response.writeHead(200, HTML).end('<a href="here">');
  });
  await using crawls = await openCrawls();
  const rules = [{ pattern: '127\\.0\\.0\\.2', match: PatternMatch.MATCHES, action: Action.MULTIPLY, amount: 0 }, ...FOLLOW_ALL];
  const [, items] = await crawl(crawls, home.url, policy({ urlRules: rules, robotsTxt: { usage: Usage.OBEY } }));
  const by = (path: string) => items.find(({ url }) => url === `${home.url}${path}`);
  assert.deepEqual([by('/a')?.answer?.status, by('/a')?.finalUrl], [200, `${home.url}/sub/c`]);
  assert.ok(by('/sub/here') !== undefined, 'links are those of the last page');
  assert.deepEqual([by('/out')?.answer?.status, by('/denied')?.answer?.status, by('/loop')?.answer?.status], [302, 302, 302]);
  assert.equal(by('/out')?.finalUrl, undefined);
  assert.equal(home.asked.filter((path) => path === '/loop').length, 11);
  assert.equal(elsewhere.asked.length, 0);
  assert.ok(!home.asked.includes('/private/x'));
});

test('a seed that leads to another page of its site is followed, though robots.txt is still to be asked for', async (t) => {
  const home = await startSite(t, (request, response) => {
    if (request.url === '/') response.writeHead(302, { Location: '/home' }).end('moved');
    else response.writeHead(200, HTML).end('<a href="/private">');
  });
  await using crawls = await openCrawls();
  const [, items] = await crawl(crawls, home.url, policy({ robotsTxt: { usage: Usage.OBEY } }));
  assert.deepEqual([items[0]?.answer?.status, items[0]?.finalUrl], [200, `${home.url}/home`]);
  assert.deepEqual(home.asked, ['/', '/robots.txt', '/home', '/private']);
});

test('a retry connects anew to a host that could not be reached a moment ago', async (t) => {
  const server = createServer(text('there'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  await using crawls = await openCrawls({ settings: { retries: 3, retryMs: 10 } });
  const its = policy({ mimeTypeRules: [{ save: true }] });
  const id = await crawls.jobs.create({ seeds: [`http://127.0.0.1:${port}/`], policy: its });
  await new Promise<void>((done) => crawls.jobs.onLog(id, ({ reason }) => reason === 'retry' && done()));
  server.listen(port, '127.0.0.1');
  t.after(() => server.close());
  const [item] = await allItems(crawls, id);
  assert.equal(item?.answer?.status, 200);
});

/** What bounds a job, and what its rules let through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobRunState, PatternMatch, PolicyUrlRule_Action as Action } from '../../../src/crawl/proto/starbelly_pb.ts';
import { readVersion } from '../../../src/util/version.ts';
import { crawl, openCrawls, pages, pathsOf, policy, startSite, textOf } from './support.ts';

const FOLLOW_ALL = [{ action: Action.ADD, amount: 1 }];
const HTML = { 'Content-Type': 'text/html' };

/** A page with links to its children, without end. */
const endless: Parameters<typeof startSite>[1] = (request, response) => {
  const path = request.url === '/' ? '' : (request.url ?? '');
  response.writeHead(200, HTML).end(`<a href="${path}/1">1</a><a href="${path}/2">2</a>`);
};

test('another host is fetched from only where a rule lets it', async (t) => {
  const other = await startSite(t, pages({ '/': 'other' }), '127.0.0.2');
  const site = await startSite(t, pages({ '/': `<a href="${other.url}/">x</a>` }));
  await using crawls = await openCrawls();
  const [deep] = await crawl(crawls, site.url);
  assert.equal(deep.counts.items, 1);
  assert.equal(other.asked.length, 0);
  const [broad] = await crawl(crawls, site.url, policy({ urlRules: FOLLOW_ALL }));
  assert.equal(broad.counts.items, 2);
  assert.deepEqual(other.asked, ['/']);
});

test('never more items than asked for, and none is fetched in vain', async (t) => {
  const links = Array.from({ length: 9 }, (_, n) => `<a href="http://127.0.0.${n + 1}:PORT/${n}">${n}</a>`).join('');
  const site = await startSite(
    t,
    (request, response) => response.writeHead(200, HTML).end(links.replaceAll('PORT', String(request.socket.localPort))),
    '0.0.0.0',
  );
  await using crawls = await openCrawls();
  const [job, items] = await crawl(crawls, `http://127.0.0.1:${site.port}/`, policy({ urlRules: FOLLOW_ALL, limits: { maxItems: 4 } }));
  assert.equal(job.runState, JobRunState.COMPLETED);
  assert.equal(job.counts.items, 4);
  assert.equal(items.length, 4);
  assert.equal(site.asked.length, 4);
});

test('a link that costs more than the limit is not followed, nor one that costs nothing', async (t) => {
  const site = await startSite(t, pages({ '/': '<a href="/b">', '/b': '<a href="/c">', '/c': '' }));
  await using crawls = await openCrawls();
  const [, chain] = await crawl(crawls, site.url, policy({ limits: { maxCost: 2 } }));
  assert.deepEqual(pathsOf(chain), ['/', '/b']);
  const rules = [{ pattern: '/b$', match: PatternMatch.MATCHES, action: Action.MULTIPLY, amount: 0 }, ...FOLLOW_ALL];
  const [, first] = await crawl(crawls, site.url, policy({ urlRules: rules }));
  assert.deepEqual(pathsOf(first), ['/']);
});

test('a job ends when its time is over, of which pauses are no part', async (t) => {
  const site = await startSite(t, endless);
  await using crawls = await openCrawls();
  crawls.delays.set('127.0.0.1', 0.05);
  const [job] = await crawl(crawls, site.url, policy({ limits: { maxDuration: 0.5 } }));
  assert.equal(job.runState, JobRunState.COMPLETED);
  assert.ok((job.completedAt ?? 0) - job.startedAt >= 500);
});

test('what no MIME rule saves is neither an item nor counted, and its job ends all the same', async (t) => {
  const site = await startSite(t, (request, response) => {
    if (request.url === '/') response.writeHead(200, HTML).end('<a href="/image"><a href="/untyped"><a href="/text">');
    else if (request.url === '/image') response.writeHead(200, { 'Content-Type': 'image/png' }).end('<a href="/more">');
    else if (request.url === '/untyped') response.writeHead(200).end('?');
    else response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end('text');
  });
  await using crawls = await openCrawls();
  const [job, items] = await crawl(crawls, site.url);
  assert.equal(job.runState, JobRunState.COMPLETED);
  assert.deepEqual(pathsOf(items), ['/', '/text']);
  assert.equal(job.counts.items, 2);
  assert.equal(items[1]?.answer?.contentType, 'text/plain');
});

test('an HTTP error is an item with its body, and a host that is not there one with an exception', async (t) => {
  const site = await startSite(t, pages({ '/': '<a href="/gone">gone</a><a href="http://127.0.0.9:1/">closed</a>' }));
  await using crawls = await openCrawls();
  const [job, items] = await crawl(crawls, site.url, policy({ urlRules: FOLLOW_ALL }));
  assert.deepEqual(job.counts, { items: 3, successes: 1, errors: 1, exceptions: 1 });
  assert.deepEqual([...job.statusCounts].sort(), [
    [200, 1],
    [404, 1],
  ]);
  const [gone] = items.filter(({ url }) => url.endsWith('/gone'));
  assert.ok(gone !== undefined && !gone.isSuccess);
  assert.equal(gone.answer?.status, 404);
  assert.equal(textOf(gone), 'none');
  const [closed] = items.filter(({ url }) => url.startsWith('http://127.0.0.9'));
  assert.match(closed?.exception ?? '', /^FetchError: .*ECONNREFUSED/);
  assert.deepEqual([closed?.answer, closed?.body, closed?.isSuccess], [undefined, undefined, false]);
});

test('URLs that mean the same are fetched once, unless normalisation is off', async (t) => {
  const site = await startSite(t, (request, response) =>
    response
      .writeHead(200, HTML)
      .end(request.url === '/' ? '<a href="/?b=2&a=1"><a href="/?a=1&b=2&PHPSESSID=9"><a href="/?a=1&b=2#top">' : ''),
  );
  await using crawls = await openCrawls();
  const [, once] = await crawl(crawls, site.url, policy({ urlNormalization: { enabled: true, stripParameters: ['PHPSESSID'] } }));
  assert.deepEqual(pathsOf(once), ['/', '/?b=2&a=1']);
  assert.equal(once[1]?.urlCan, `${site.url}/?a=1&b=2`);
  const [, each] = await crawl(crawls, site.url, policy({ urlNormalization: { enabled: false, stripParameters: ['PHPSESSID'] } }));
  assert.deepEqual(pathsOf(each), ['/', '/?a=1&b=2', '/?a=1&b=2&PHPSESSID=9', '/?b=2&a=1']);
});

test('each request is made by one of the agents of the policy', async (t) => {
  const site = await startSite(t, endless);
  await using crawls = await openCrawls();
  await crawl(crawls, site.url, policy({ limits: { maxItems: 60 }, userAgents: [{ name: 'A/{VERSION} {x}' }, { name: 'B' }] }));
  assert.deepEqual([...new Set(site.requests.map(({ headers }) => headers['user-agent']))].sort(), [`A/${readVersion()} {x}`, 'B']);
});

test('seeds that are the same are fetched once, and give the job its name', async (t) => {
  const site = await startSite(t, pages({ '/': '' }));
  await using crawls = await openCrawls();
  const [job, items] = await crawl(crawls, [` ${site.url} `, `${site.url}/#x`]);
  assert.equal(job.name, '127.0.0.1 & 1 more');
  assert.deepEqual(job.seeds, [site.url, `${site.url}/#x`]);
  assert.equal(items.length, 1);
  for (const [seeds, line] of [
    [[], '"seeds" is required'],
    [['ftp://a/'], 'Invalid seed URL: ftp://a/'],
    [['/x'], 'Invalid seed URL: /x'],
  ] as const)
    await assert.rejects(crawls.jobs.create({ seeds, policy: policy() }), { name: 'Failure', message: line });
});

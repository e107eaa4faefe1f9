/** What a crawl does at a site: logs in, goes through proxies, finds links in more than HTML; and what the core makes of it. */
import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import {
  CaptchaSolverAntigateCharacters,
  CaptchaSolverSchema,
  DomainLoginSchema,
  PolicyRobotsTxt_Usage as Usage,
  PolicyUrlRule_Action as Action,
} from '../../../src/crawl/proto/starbelly_pb.ts';
import { solveCaptcha } from '../../../src/crawl/jobs/captcha.ts';
import { crawl, openCrawls, pages, pathsOf, policy, startSite } from './support.ts';

const HTML = { 'Content-Type': 'text/html' };

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text;
}

test('a job logs in before the first page, and sends the cookie from then on', async (t) => {
  const seen: string[] = [];
  const form =
    '<form action="/search"><input name="q"></form><form method="post" action="/session"><input type="hidden" name="token" value="t1">' +
    '<input name="nick"><input type="email" name="user_email"><input type="password" name="pw"><input type="checkbox" name="stay" checked></form>';
  const site = await startSite(t, (request, response) => {
    void bodyOf(request).then((body) => {
      seen.push(`${request.method} ${request.url} ${request.headers.cookie ?? '-'} ${body}`);
      if (request.url === '/login') response.writeHead(200, { ...HTML, 'Set-Cookie': 'pre=1' }).end(form);
      else if (request.url === '/session') response.writeHead(302, { Location: '/', 'Set-Cookie': 'session=abc; HttpOnly' }).end();
      else response.writeHead(200, HTML).end('<a href="/next">');
    });
  });
  await using crawls = await openCrawls();
  const users = [{ username: 'ada', password: 's3cret&' }];
  crawls.logins.set('127.0.0.1', create(DomainLoginSchema, { domain: '127.0.0.1', loginUrl: `${site.url}/login`, users }));
  const [job] = await crawl(crawls, `${site.url}/first`, policy({ authentication: { enabled: true } }));
  assert.equal(job.counts.items, 2);
  assert.deepEqual(seen, [
    'GET /login - ',
    'POST /session pre=1 token=t1&nick=&user_email=ada&pw=s3cret%26&stay=on',
    'GET / pre=1; session=abc ',
    'GET /first pre=1; session=abc ',
    'GET /next pre=1; session=abc ',
  ]);
});

test('a service reads a CAPTCHA', async (t) => {
  const asked: unknown[] = [];
  const service = await startSite(t, (request, response) => {
    void bodyOf(request).then((body) => {
      asked.push([request.url, JSON.parse(body)]);
      const looks = asked.length - 1;
      const answer = looks === 0 ? { taskId: 7 } : looks === 1 ? { status: 'processing' } : { status: 'ready', solution: { text: 'xyz' } };
      response.end(JSON.stringify({ errorId: 0, ...answer }));
    });
  });
  const antigate = {
    serviceUrl: `${service.url}/api/`,
    apiKey: 'k',
    caseSensitive: true,
    characters: CaptchaSolverAntigateCharacters.NUMBERS_ONLY,
    minLength: 3,
  };
  const { SolverType } = create(CaptchaSolverSchema, { SolverType: { case: 'antigate', value: antigate } });
  assert.ok(SolverType.case === 'antigate');
  assert.equal(await solveCaptcha(SolverType.value, Buffer.from('image'), new AbortController().signal, 1), 'xyz');
  const task = {
    type: 'ImageToTextTask',
    body: 'aW1hZ2U=',
    phrase: false,
    case: true,
    numeric: 1,
    math: false,
    minLength: 3,
    maxLength: 0,
  };
  assert.deepEqual(asked, [
    ['/api/createTask', { clientKey: 'k', task }],
    ['/api/getTaskResult', { clientKey: 'k', taskId: 7 }],
    ['/api/getTaskResult', { clientKey: 'k', taskId: 7 }],
  ]);
});

test('links are found in feeds, style sheets, Link fields and sitemaps', async (t) => {
  const texts: Record<string, readonly [type: string, body: string, link?: string]> = {
    '/': [
      'text/html',
      '<base href="/sub/"><a href="page"><a href="/feed.atom"><a href="/feed.rss"><a href="/style.css">',
      '</linked>; rel=next, </style2.css>; rel=preload',
    ],
    '/feed.atom': [
      'application/atom+xml',
      '<feed><link href="/self"/><entry><link rel="self" href="/no"/><link href="/atom-entry"/></entry></feed>',
    ],
    '/feed.rss': ['application/rss+xml', '<rss><channel><link>/no</link><item><link> /rss-item </link></item></channel></rss>'],
    '/style.css': ['text/css', 'a { background: url( "in-css.txt" ) } @import \'import.txt\';'],
    '/robots.txt': ['text/plain', 'User-agent: *\nAllow: /\nSitemap: /sitemap.xml\n'],
    '/sitemap.xml': ['application/xml', '<urlset><url><loc>HOME/in-sitemap</loc></url></urlset>'],
  };
  const site = await startSite(t, (request, response) => {
    const [type, body, link] = texts[request.url ?? ''] ?? ['text/plain', ''];
    response.writeHead(200, { 'Content-Type': type, ...(link === undefined ? {} : { Link: link }) }).end(body.replaceAll('HOME', site.url));
  });
  texts['/robots.txt'] = ['text/plain', `User-agent: *\nAllow: /\nSitemap: ${site.url}/sitemap.xml\n`];
  await using crawls = await openCrawls();
  const [, items] = await crawl(
    crawls,
    `${site.url}/`,
    policy({ mimeTypeRules: [{ save: true }], robotsTxt: { usage: Usage.OBEY, readSitemaps: true } }),
  );
  const found = [
    '/',
    '/atom-entry',
    '/feed.atom',
    '/feed.rss',
    '/import.txt',
    '/in-css.txt',
    '/in-sitemap',
    '/linked',
    '/rss-item',
    '/style.css',
    '/sub/page',
  ];
  assert.deepEqual(pathsOf(items), found);
  assert.ok(site.asked.includes('/sitemap.xml'));
});

test('a body that never ends, one that is too large, and a page that is broken are bounded', async (t) => {
  const site = await startSite(t, (request, response) => {
    if (request.url === '/') response.writeHead(200, HTML).end('<a href="/endless"><a href="/huge"><a href=/broken');
    else if (request.url === '/endless') response.writeHead(200, HTML).write('and so on');
    else if (request.url === '/huge') response.writeHead(200, HTML).end('x'.repeat(300_000));
    else response.writeHead(200, HTML).end('<a href="http://["><a href="\0"><a href=/x><p <a href="javascript:x()"></');
  });
  await using crawls = await openCrawls({ settings: { timeoutMs: 500, maxBodyBytes: 100_000 } });
  const [job, items] = await crawl(crawls, `${site.url}/`);
  const exceptions = items.flatMap(({ url, exception }) => (exception === undefined ? [] : [`${new URL(url).pathname} ${exception}`]));
  assert.deepEqual(exceptions.sort(), ['/endless Timed out', '/huge TooLargeError: more than 100000 bytes']);
  assert.equal(job.counts.items, job.counts.successes + 2);
});

test('the core counts what a job fetches, and its refusals are exceptions', async (t) => {
  const site = await startSite(t, pages({ '/': '<a href="/b">', '/b': '' }));
  await using crawls = await openCrawls();
  const captured: string[] = [];
  crawls.core.on('capture', ({ url, meta }) => captured.push(`${url} ${meta.metadata.jobId} ${meta.metadata.seed}`));
  const [job] = await crawl(crawls, `${site.url}/`);
  const uuid = Buffer.from(job.id)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const metadata = `${uuid} ${site.url}/`;
  assert.deepEqual(captured, [`${site.url}/ ${metadata}`, `${site.url}/b ${metadata}`]);
  await using limited = await openCrawls({ meta: { stats: { buckets: ['few'] }, limits: { 'few/total/urls': 1 } } });
  const [rest, left] = await crawl(limited, `${site.url}/`);
  assert.deepEqual([rest.counts.successes, rest.counts.exceptions], [1, 1]);
  assert.match(left[1]?.exception ?? '', /^ProxyRejected: .*reached limit few\/total\/urls=1/s);
  await using strict = await openCrawls({ core: { allowLocalhost: false } });
  const [refused, items] = await crawl(strict, `${site.url}/`, policy({ urlRules: [{ action: Action.ADD, amount: 1 }] }));
  assert.equal(refused.counts.exceptions, 1);
  assert.match(items[0]?.exception ?? '', /^FetchError: .*localhost access is not permitted/);
});

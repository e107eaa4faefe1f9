/** What a job fetches and what it leaves, as a client and the sites see it: points 12 to 21, 41 and 42 of what a crawl server has to show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toJson } from '@bufbuild/protobuf';
import {
  JobRunState,
  PatternMatch,
  PolicyRobotsTxt_Usage as Usage,
  PolicySchema,
  PolicyUrlRule_Action as Action,
} from '../../../src/crawl/proto/starbelly_pb.ts';
import { readVersion } from '../../../src/util/version.ts';
import { pages, policy, startSite } from '../jobs/support.ts';
import { crawled, jobOf, newJob, newPolicy, outside, pathsIn, sync, untilClosed } from './support.ts';

const HTML = { 'Content-Type': 'text/html' };
const FOLLOW_ALL = [{ action: Action.ADD, amount: 1 }];

/** Each page has links to two others, without end. */
const endless: Parameters<typeof startSite>[1] = (request, response) => {
  const path = request.url === '/' ? '' : (request.url ?? '');
  response.writeHead(200, HTML).end(`<a href="${path}/1">1</a><a href="${path}/2">2</a>`);
};

test('what a job fetches and what it leaves', { concurrency: true }, async (t) => {
  const { asking } = await outside(t);
  await Promise.all([
    t.test('another host: not with the Deep Crawl of a fresh server, with its Broad Crawl it is', async (t) => {
      const other = await startSite(t, pages({ '/': 'other' }), '127.0.0.13');
      const site = await startSite(t, pages({ '/': `<a href="${other.url}/">x</a>` }), '127.0.0.12');
      const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
      const countBy = async (wanted: string) => {
        const { policyId } = policies.find(({ name }) => name === wanted)!;
        const jobId = await newJob(asking, policyId, `${site.url}/`);
        return (await untilClosed(asking, await sync(asking, jobId))).length;
      };
      assert.equal(await countBy('Deep Crawl'), 1);
      assert.equal(other.asked.length, 0);
      assert.equal(await countBy('Broad Crawl'), 2);
      assert.deepEqual(other.asked, ['/robots.txt', '/']);
    }),

    t.test('never more items than max_items, nothing above max_cost, and no longer than max_duration', async (t) => {
      const site = await startSite(t, endless, '127.0.0.14');
      const few = await crawled(asking, { limits: { maxItems: 2 } }, `${site.url}/`);
      assert.deepEqual([few.job.runState, few.job.itemCount, few.items.length], [JobRunState.COMPLETED, 2, 2]);
      assert.equal(
        (await asking.get({ case: 'getJobItems', value: { jobId: few.job.jobId, includeSuccess: true } }, 'listItems')).total,
        2,
      );
      assert.equal(site.asked.length, 2);
      const near = await crawled(asking, { limits: { maxCost: 2 } }, `${site.url}/`);
      assert.deepEqual(
        near.items.map(({ url, cost }) => `${new URL(url).pathname} ${cost}`),
        ['/ 1', '/1 2', '/2 2'],
      );
      const slow = await startSite(t, (request, response) => void setTimeout(() => endless(request, response), 50), '127.0.0.15');
      const { job } = await crawled(asking, { limits: { maxDuration: 1 } }, `${slow.url}/`);
      assert.equal(job.runState, JobRunState.COMPLETED);
      const seconds = (Date.parse(job.completedAt) - Date.parse(job.startedAt)) / 1000;
      assert.ok(seconds >= 1 && seconds < 10, `${seconds} s`);
    }),

    t.test('what no MIME rule saves is no item, a 404 is one with its body, a closed port one with an exception', async (t) => {
      const site = await startSite(
        t,
        (request, response) => {
          if (request.url === '/image') response.writeHead(200, { 'Content-Type': 'image/png' }).end('png');
          else if (request.url === '/') response.writeHead(200, HTML).end('<a href=/image><a href=/gone><a href="http://127.0.0.16:1/">');
          else response.writeHead(404, HTML).end('not here');
        },
        '127.0.0.16',
      );
      const { job, items } = await crawled(asking, { urlRules: FOLLOW_ALL }, `${site.url}/`);
      assert.ok(site.asked.includes('/image'));
      assert.deepEqual(
        [job.runState, job.itemCount, job.httpSuccessCount, job.httpErrorCount, job.exceptionCount, job.httpStatusCounts],
        [JobRunState.COMPLETED, 3, 1, 1, 1, { 200: 1, 404: 1 }],
      );
      const gone = items.find(({ url }) => url.endsWith('/gone'))!;
      assert.deepEqual([gone.isSuccess, gone.statusCode, Buffer.from(gone.body).toString()], [false, 404, 'not here']);
      const closed = items.find(({ url }) => url === 'http://127.0.0.16:1/')!;
      assert.match(closed.exception, /ECONNREFUSED/);
      assert.deepEqual([Object.hasOwn(closed, 'statusCode'), Object.hasOwn(closed, 'body'), closed.isSuccess], [false, false, false]);
    }),

    t.test('robots.txt: ignored, obeyed and inverted; one that fails forbids, none allows', async (t) => {
      const site = (robots: number, text: string): Parameters<typeof startSite>[1] => {
        return (request, response) => {
          if (request.url === '/robots.txt') response.writeHead(robots, { 'Content-Type': 'text/plain' }).end(text);
          else response.writeHead(200, HTML).end('<a href=/private/x.html><a href=/private/open/y><a href=/public>');
        };
      };
      const rules =
        'User-agent: *\nDisallow: /\n\nUser-agent: TEST-crawler\nDisallow: /priv*.html$\nDisallow: /private\nAllow: /private/open\n';
      const home = await startSite(t, site(200, rules), '127.0.0.18');
      const robots = { urlNormalization: { enabled: true }, limits: { maxCost: 2 } };
      const pathsWith = async (usage: Usage, url: string) =>
        pathsIn((await crawled(asking, { ...robots, robotsTxt: { usage } }, `${url}/`)).items);
      assert.equal((await pathsWith(Usage.IGNORE, home.url)).length, 4);
      assert.ok(!home.asked.includes('/robots.txt'));
      assert.deepEqual(await pathsWith(Usage.OBEY, home.url), ['/', '/private/open/y', '/public']);
      assert.deepEqual(await pathsWith(Usage.INVERT, home.url), ['/', '/private/x.html']);
      const failing = await startSite(t, site(503, ''), '127.0.0.19');
      assert.deepEqual(await pathsWith(Usage.OBEY, failing.url), ['/']);
      const none = await startSite(t, site(404, ''), '127.0.0.20');
      assert.equal((await pathsWith(Usage.OBEY, none.url)).length, 4);
    }),

    t.test('URLs that mean the same are fetched once, without normalisation each is', async (t) => {
      const answer = pages({ '/': '<a href="/?b=2&a=1"><a href="/?a=1&b=2&PHPSESSID=9">' });
      const site = await startSite(t, answer, '127.0.0.21');
      const stripParameters = ['PHPSESSID'];
      const same = await crawled(asking, { urlNormalization: { enabled: true, stripParameters } }, `${site.url}/`);
      assert.deepEqual(pathsIn(same.items), ['/', '/?b=2&a=1']);
      const each = await crawled(asking, { urlNormalization: { enabled: false, stripParameters } }, `${site.url}/`);
      assert.deepEqual(pathsIn(each.items), ['/', '/?a=1&b=2&PHPSESSID=9', '/?b=2&a=1']);
    }),

    t.test('the site sees the user agents of the policy, and no other', async (t) => {
      const site = await startSite(t, endless, '127.0.0.22');
      await crawled(asking, { limits: { maxItems: 60 }, userAgents: [{ name: 'A/{VERSION}' }, { name: 'B' }] }, `${site.url}/`);
      const agents = new Set(site.requests.map(({ headers }) => headers['user-agent']));
      assert.deepEqual([...agents].sort(), [`A/${readVersion()}`, 'B']);
    }),

    t.test('requests to a host are its delay apart, of two jobs together, and another host does not wait', async (t) => {
      const times: { readonly start: number; end: number }[] = [];
      const slow = await startSite(
        t,
        (_request, response) => {
          const time = { start: performance.now(), end: 0 };
          times.push(time);
          response.once('finish', () => (time.end = performance.now()));
          response.writeHead(200, HTML).end('<a href="/last">');
        },
        '127.0.0.23',
      );
      await asking.done({ case: 'setRateLimit', value: { domain: '127.0.0.23', delay: 1 } });
      const policyId = await newPolicy(asking);
      const two = (url: string) => Promise.all(['/a', '/b'].map((path) => newJob(asking, policyId, url + path)));
      const [first, second] = await two(slow.url);
      const held = await startSite(t, endless, '127.0.0.24');
      await asking.done({ case: 'setRateLimit', value: { domain: '127.0.0.24', delay: 1000 } });
      const waiting = await two(held.url);
      const quick = await startSite(t, endless, '127.0.0.26');
      assert.equal((await crawled(asking, { limits: { maxItems: 20 } }, `${quick.url}/`)).items.length, 20);
      for (const jobId of waiting) await asking.done({ case: 'setJob', value: { jobId, runState: JobRunState.CANCELLED } });
      assert.equal(held.asked.length, 1);
      for (const jobId of [first!, second!]) await untilClosed(asking, await sync(asking, jobId));
      assert.equal(times.length, 4);
      times.slice(1).forEach(({ start }, index) => assert.ok(start - times[index]!.end >= 995, `${start - times[index]!.end} ms`));
    }),

    t.test('a job keeps the policy that it was made with; one that is no good changes nothing', async (t) => {
      let holding = () => undefined as unknown;
      const site = await startSite(
        t,
        (request, response) => {
          if (request.url === '/') holding = () => response.writeHead(200, HTML).end('<a href="/next">');
          else response.writeHead(200, HTML).end('next');
        },
        '127.0.0.25',
      );
      const policyId = await newPolicy(asking, { name: 'before' });
      const jobId = await newJob(asking, policyId, `${site.url}/`);
      while (site.asked.length === 0) await new Promise((done) => setImmediate(done));
      const edited = policy({ policyId, name: 'after', urlRules: [{ action: Action.MULTIPLY, amount: 0 }] });
      await asking.done({ case: 'setPolicy', value: { policy: edited } });
      const listed = async () => {
        const { policies } = await asking.get({ case: 'listPolicies', value: { page: { limit: 1000 } } }, 'listPolicies');
        return policies.map(({ policyId: id, name }) => `${Buffer.from(id).toString('hex')} ${name}`);
      };
      assert.ok((await listed()).includes(`${Buffer.from(policyId).toString('hex')} after`));
      holding();
      assert.deepEqual(pathsIn(await untilClosed(asking, await sync(asking, jobId))), ['/', '/next']);
      const kept = (await jobOf(asking, jobId)).policy!;
      assert.equal(kept.name, 'before');
      assert.deepEqual((toJson(PolicySchema, kept) as { urlRules: unknown[] }).urlRules.length, policy().urlRules.length);
      const bad = policy({ name: 'bad', urlRules: [{ pattern: 'x', match: PatternMatch.MATCHES, action: Action.ADD, amount: 1 }] });
      assert.equal(await asking.refused({ case: 'setPolicy', value: { policy: bad } }), 'Pattern is not allowed in last URL rule.');
      assert.ok((await listed()).every((line) => !line.endsWith(' bad')));
    }),
  ]);
});

/**
 * Crawl jobs over a site, and what they cost this process, threads included.
 *
 *   node test/bench/crawl/warctap.js PORT JOBS FOLDER
 *
 * What is built is what runs. Without politeness: no delay, no robots.txt. Prints a line of JSON. Times begin when the jobs are made.
 */
import { performance } from 'node:perf_hooks';
import { clone } from '@bufbuild/protobuf';
import { PolicyRobotsTxt_Usage as Usage, PolicySchema } from '../../../dist/crawl/proto/starbelly_pb.js';
import { resolve } from '../../../dist/options/resolve.js';
import { CRAWL_ROWS } from '../../../dist/options/rows/crawl.js';
import { CORE_OPTIONS } from '../../../dist/options/table.js';
import { startCrawl } from '../../../dist/programs/crawl.js';
import { silentLog } from '../../../dist/util/log.js';

const [, , port = '', jobs = '1', folder = ''] = process.argv;
const own = { port: 0, db: `${folder}/db`, dir: `${folder}/warcs`, statsDbFile: `${folder}/stores`, dedupDbFile: `${folder}/stores` };
const options = resolve({ ...CRAWL_ROWS, ...CORE_OPTIONS }, { ...own, gzip: true, allowLocalhost: true });
const program = await startCrawl({ options, adminPassword: 'a password', log: silentLog });
await program.settings.rateLimits.set('', 0);
const policy = clone(
  PolicySchema,
  program.settings.policies.list().find(({ name }) => name === 'Broad Crawl'),
);
policy.robotsTxt.usage = Usage.IGNORE;
policy.limits = undefined;

const before = process.cpuUsage();
const begun = performance.now();
const made = Array.from({ length: Number(jobs) }, () => program.jobs.create({ seeds: [`http://127.0.0.1:${port}/page/0`], policy }));
const ended = made.map(async (making) => {
  const id = await making;
  const items = await program.jobs.itemsAfter(id, 2 ** 50, { compressionOk: true });
  for await (const { url } of items) throw new Error(`an item past the last: ${url}`);
  return (await program.jobs.get(id)).counts.successes;
});
const pages = (await Promise.all(ended)).reduce((sum, each) => sum + each, 0);
const wall = performance.now() - begun;
const { user, system } = process.cpuUsage(before);
process.stdout.write(
  `${JSON.stringify({ pages, cpuMs: (user + system) / 1000, wallMs: wall, maxRssMiB: process.resourceUsage().maxRSS / 1024 })}\n`,
);
await program.close();

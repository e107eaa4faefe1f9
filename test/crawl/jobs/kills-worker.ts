/** A process that crawls a site, or goes on with it, and prints the items after a number, a line each. To be killed. */
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import { openCrawls, policy, textOf } from './support.ts';

const [, , folder = '', seed = '', after = '0'] = process.argv;
const crawls = await openCrawls({ folder });
crawls.delays.set('127.0.0.1', 0.002);
const [known] = (await crawls.jobs.list({}, { offset: 0, limit: 1 })).found;
const id = known?.id ?? (await crawls.jobs.create({ seeds: [seed], policy: policy({ limits: { maxCost: 100 } }) }));
if (known?.runState === JobRunState.PAUSED) await crawls.jobs.setState(id, JobRunState.RUNNING);
for await (const item of await crawls.jobs.itemsAfter(id, Number(after), { compressionOk: false }))
  process.stdout.write(`${JSON.stringify({ sequence: item.sequence, url: item.url, text: textOf(item) })}\n`);
await crawls.close();

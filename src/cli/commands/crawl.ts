/**
 * `warctap crawl`: the crawl server, and the commands that ask one.
 */
import type { CommandFamily } from '../command.ts';
import { jobs } from './crawl/jobs.ts';
import { lists } from './crawl/lists.ts';
import { crawlRun } from './crawl/run.ts';
import { crawlServe } from './crawl/serve.ts';
import { sets } from './crawl/sets.ts';
import { streams } from './crawl/streams.ts';

export const crawl: CommandFamily = {
  name: 'crawl',
  summary: 'Crawl server with an API over WebSockets: "crawl serve" runs it, the others ask one.',
  commands: [crawlServe, crawlRun, ...jobs, ...lists, ...sets, ...streams],
};

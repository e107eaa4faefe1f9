/** Points 36 and 49 of what a crawl server has to show, with one kill; `test/crawl/show/crawl-serve-kills.ts` has as many as are wanted. */
import { test } from 'node:test';
import { serveWithKills } from '../show/crawl-serve-kills.ts';

test('a server that is killed has the job paused, and a client that comes back exactly the rest of it', async () => {
  await serveWithKills(60, [25]);
});

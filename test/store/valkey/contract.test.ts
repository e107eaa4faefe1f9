/** What every store keeps to, kept by a real server: each that this machine has, and once with next to nothing cached. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { dedupContract } from '../contract/dedup.ts';
import { statisticsContract } from '../contract/statistics.ts';
import { NO_SERVER, PROGRAMS, startServer, type Server } from './server.ts';
import { machine, type Machine } from './support.ts';

if (NO_SERVER !== false) test('the contracts of stores', { skip: NO_SERVER }, () => undefined);

const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

for (const program of PROGRAMS) {
  let server: Promise<Server> | undefined;
  // One server for all, emptied for each.
  const open = async (t: TestContext, count = 1): Promise<readonly Machine[]> => {
    server ??= startServer({ after: (close: () => Promise<void>) => void closing.push(close) }, { program });
    const started = await server;
    started.ask('FLUSHALL');
    const options = { address: started.address, openFiles: new Set(['A.warc', 'B.warc']), maxCached: count === 1 ? 20_000 : 1 };
    return Promise.all(Array.from({ length: count }, () => machine(t, options)));
  };
  const first = <T>([each]: readonly T[]): T => each ?? assert.fail();
  dedupContract(program.server, async (t) => first(await open(t)).dedup);
  dedupContract(`${program.server}, two machines without a cache`, async (t) => {
    const machines = await open(t, 2);
    let holders = 0;
    return {
      holder: () => machines[holders++ % 2]?.dedup.holder() ?? assert.fail(),
      drop: async (lost) => (await Promise.all(machines.map(({ dedup }) => dedup.drop(lost)))).reduce((sum, each) => sum + each, 0),
    };
  });
  statisticsContract(program.server, async (t) => first(await open(t)).stats, true);
}

/** The frontier: cheapest first, each entry once, whatever is added, given back or begun anew meanwhile. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { CrawlDatabase } from '../../../src/crawl/jobs/database.ts';
import { Frontier } from '../../../src/crawl/jobs/frontier.ts';
import { before, type Entry } from '../../../src/crawl/jobs/host-queue.ts';
import { key } from '../../../src/crawl/jobs/keys.ts';
import { Databases } from '../../../src/store/level/database.ts';
import { temporaryFolder } from './support.ts';

type Step = readonly ['add', host: number, cost: number] | readonly ['end' | 'give back' | 'restart'];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('add' as const), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 4 })) },
  { weight: 3, arbitrary: fc.constant(['end'] as const) },
  { weight: 1, arbitrary: fc.constant(['give back'] as const) },
  { weight: 1, arbitrary: fc.constant(['restart'] as const) },
);

async function filled(frontier: Frontier): Promise<Entry | undefined> {
  while (frontier.wantsFilling) await frontier.fill();
  let best: Entry | undefined;
  for (const { head } of frontier.hosts.values()) if (head !== undefined && before(head, best)) best = head;
  return best && frontier.hosts.get(best.host)?.take();
}

test('what is added comes out once, in the order of each host, over restarts', async () => {
  const databases = new Databases();
  const db = await CrawlDatabase.open((await databases.open(join(temporaryFolder(), 'db'))).level());
  let job = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), fc.boolean(), async (steps, roomy) => {
      const id = new Uint8Array(16).fill(++job);
      // So little that hosts and entries have to be read again and again.
      const open = () => new Frontier(db, id, roomy ? { hosts: 250, entries: 1000 } : { hosts: 2, entries: 2 });
      let frontier = open();
      const left = new Map<string, Entry>();
      const end = async (entry: Entry) => {
        assert.ok(left.delete(entry.url), `${entry.url} comes for the first time`);
        await db.change((batch) => frontier.delete(batch, entry));
        frontier.ended(entry);
      };
      for (const [index, each] of steps.entries()) {
        if (each[0] === 'add') {
          const host = `host-${each[1]}.example`;
          const entry = { url: `http://${host}/${index}`, host, cost: each[2], seed: 0, kind: 'link' as const };
          const added = await db.change((batch) => frontier.put(batch, entry));
          left.set(added.url, added);
          frontier.added([added]);
        } else if (each[0] === 'restart') frontier = open();
        else {
          const entry = await filled(frontier);
          if (entry === undefined) continue;
          const sameHost = [...left.values()].filter(({ host }) => host === entry.host);
          assert.ok(
            sameHost.every(({ n, cost }) => entry.cost < cost || (entry.cost === cost && entry.n <= n)),
            'the cheapest of its host',
          );
          if (each[0] === 'end') await end(entry);
          else frontier.giveBack(entry);
        }
      }
      for (let entry = await filled(frontier); entry !== undefined; entry = await filled(frontier)) await end(entry);
      assert.equal(left.size, 0);
      assert.ok(frontier.exhausted);
    }),
    { numRuns: 100, seed: 16 },
  );
  await databases.close();
});

test('no value in the database is empty: LevelDB as Node has it would keep memory for each of them', async () => {
  const databases = new Databases();
  const level = (await databases.open(join(temporaryFolder(), 'db'))).level();
  const db = await CrawlDatabase.open(level);
  const id = new Uint8Array(16).fill(1);
  const frontier = new Frontier(db, id, { hosts: 1, entries: 1 });
  const host = 'host.example';
  await db.change((batch) => {
    batch.put(key('S', id, Buffer.from('seen')));
    frontier.put(batch, { url: `http://${host}/`, host, cost: 1, seed: 0, kind: 'link' });
  });
  const values = await level.values<string, Buffer>({ valueEncoding: 'buffer' }).all();
  assert.equal(values.length, 4);
  assert.ok(values.every(({ length }) => length > 0));
  await databases.close();
});

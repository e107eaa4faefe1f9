/** What is done to a real server while it is used: nothing throws, nothing is lost, and what waits is delivered once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Standing } from '../../../src/store/dedup.ts';
import { StoreError } from '../../../src/store/errors.ts';
import { look, original, wanted } from '../contract/dedup.ts';
import { bucket } from '../contract/statistics.ts';
import { NO_SERVER, startServer } from './server.ts';
import { kept, machine } from './support.ts';

const REAL = { timeout: 30_000 };
const counted = (count: number, bytes: number) =>
  bucket('b', [
    [count, bytes],
    [count, bytes],
    [0, 0],
  ]);
const isAway = (error: unknown) => error instanceof StoreError && error.code === 'STORE_AWAY';

// Some of them mostly wait.
describe('what is done to a server', { skip: NO_SERVER, concurrency: 3 }, () => {
  test('a server that is killed: nothing is known, what is published waits, and is delivered when it is back', REAL, async (t) => {
    const server = await startServer(t, { flags: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const { log, lines, until } = kept();
    const a = await machine(t, { address: server.address, log });
    const index = a.dedup.holder();
    const [before, during] = [original('before'), original('during')];
    await index.publish([before]);
    a.stats.tally('b', 'new', 1);
    await a.stats.flush();
    await server.kill();
    assert.deepEqual(await index.claim(wanted([during.key, before.key])), [undefined, before.original]);
    await index.publish([during]);
    assert.deepEqual(await index.claim(wanted([during.key])), [during.original]);
    a.stats.tally('b', 'new', 1);
    await assert.rejects(async () => a.stats.get('b'), isAway);
    assert.match(a.state.problem ?? '', /^store unix:\S+ cannot be reached: /);
    assert.equal(a.state.waiting, 2);
    await server.start();
    await until(/what waited for the store is in it/);
    assert.equal(a.state.problem, undefined);
    assert.equal(a.state.waiting, 0);
    const b = await machine(t, { address: server.address });
    assert.deepEqual(await b.dedup.holder().claim(look([before.key, during.key])), [before.original, during.original]);
    assert.deepEqual(await b.stats.get('b'), counted(2, 2));
    assert.match(lines.join('\n'), /cannot be reached: .*; captures are written as responses, and what belongs in it is put in later/);
    assert.match(lines.join('\n'), /is in use again/);
  });

  test(
    'a server that does not answer: after a time-out nothing waits for it, and what it has done meanwhile counts once',
    REAL,
    async (t) => {
      const server = await startServer(t);
      const { log, until } = kept();
      const a = await machine(t, { address: server.address, timeoutMs: 300, livesMs: 500, log });
      const index = a.dedup.holder();
      const known = original('known');
      await index.publish([known]);
      server.signal('SIGSTOP');
      a.stats.tally('b', 'new', 7);
      // They are on their way to the server, which will do them when it goes on.
      const [claimed] = await Promise.all([index.claim(wanted(['lost', 'again'])), a.stats.flush(), index.publish([original('late')])]);
      assert.deepEqual(claimed, [undefined, undefined]);
      assert.match(a.state.problem ?? '', /does not answer in time/);
      assert.ok(a.state.waiting >= 1);
      server.signal('SIGCONT');
      await until(/is in use again/);
      assert.deepEqual(await a.stats.get('b'), counted(1, 7));
      const b = await machine(t, { address: server.address });
      const other = b.dedup.holder();
      await other.freed(['lost']);
      // Nobody is kept from what was claimed without an answer.
      const asked = async (): Promise<readonly Standing[]> => other.claim(wanted(['lost', original('late').key]));
      let standings = await asked();
      for (; standings[0] === 'held'; standings = await asked()) await other.freed(['lost']);
      assert.deepEqual(standings, ['won', original('late').original]);
    },
  );

  test('a server that stands still at the start does not answer in time', REAL, async (t) => {
    const server = await startServer(t);
    server.signal('SIGSTOP');
    await assert.rejects(machine(t, { address: server.address, timeoutMs: 150 }), {
      message: `store ${server.url} does not answer in time`,
    });
  });

  test('a server that is full: duplicates are still found, and what is new waits', REAL, async (t) => {
    const server = await startServer(t);
    const { log, lines, until } = kept();
    const a = await machine(t, { address: server.address, maxCached: 1, log });
    const index = a.dedup.holder();
    const [known, other, late] = [original('known'), original('other'), original('late')];
    await index.publish([known, other]);
    server.ask('CONFIG', 'SET', 'maxmemory', '1');
    assert.deepEqual(await index.claim(wanted([known.key, late.key])), [known.original, undefined]);
    await index.publish([late]);
    assert.match(a.state.problem ?? '', /^store unix:\S+ is full: raise its maxmemory, or make room$/);
    assert.equal(a.state.waiting, 1);
    assert.match(lines.join('\n'), /is full: .*; duplicates that are known are still found/);
    server.ask('CONFIG', 'SET', 'maxmemory', '0');
    await until(/what waited for the store is in it/);
    const b = await machine(t, { address: server.address });
    assert.deepEqual(await b.dedup.holder().claim(look([late.key])), [late.original]);
  });

  test('a server that comes back empty is filled with what is new', REAL, async (t) => {
    const server = await startServer(t);
    const { log, until } = kept();
    const a = await machine(t, { address: server.address, log });
    await a.dedup.holder().publish([original('old')]);
    await server.kill();
    await a.dedup.holder().publish([original('during')]);
    await server.start();
    await until(/what waited for the store is in it/);
    const b = await machine(t, { address: server.address });
    assert.deepEqual(await b.dedup.holder().claim(look([original('old').key, original('during').key])), [
      undefined,
      original('during').original,
    ]);
  });

  test('what waits at the end is delivered by the next start in the same folder, and to no other store', REAL, async (t) => {
    const [server, other] = [await startServer(t), await startServer(t)];
    const { log, lines } = kept();
    const a = await machine(t, { address: server.address, log });
    await server.kill();
    await a.dedup.holder().publish([original('b')]);
    a.stats.tally('b', 'new', 3);
    await a.stats.close();
    await a.leave();
    assert.match(lines.join('\n'), /what waits for the store is delivered at the next start/);
    const elsewhere = await machine(t, { address: other.address, folder: a.folder });
    assert.equal(elsewhere.state.waiting, 0);
    await elsewhere.leave();
    assert.equal(other.ask('KEYS', 'w:[es]:*'), '');
    await server.start();
    const next = await machine(t, { address: server.address, folder: a.folder });
    assert.deepEqual(await next.stats.get('b'), counted(1, 3));
    assert.deepEqual(await next.dedup.holder().claim(look([original('b').key])), [original('b').original]);
    assert.equal(next.state.waiting, 0);
  });

  test('more than the outbox holds is lost to the store, and counted', REAL, async (t) => {
    const server = await startServer(t);
    const { log, lines } = kept();
    const a = await machine(t, { address: server.address, log, maxWaiting: 300 });
    await server.kill();
    for (const name of ['1', '2', '3', '4']) await a.dedup.holder().publish([original(name)]);
    assert.ok(a.state.waiting >= 1 && a.state.lost >= 1, JSON.stringify(a.state));
    assert.equal(a.state.waiting + a.state.lost, 4);
    assert.equal(lines.filter((line) => line.includes('more waits for the store than is kept for it')).length, 1);
  });

  test('counts of many who count at once are all there', REAL, async (t) => {
    const server = await startServer(t);
    const machines = await Promise.all([1, 2, 3].map(() => machine(t, { address: server.address })));
    const work = machines.map(async ({ stats }, by) => {
      for (let nth = 0; nth < 200; nth++) {
        stats.tally('b', 'new', by);
        if (nth % 20 === by) await stats.get('b');
      }
      await stats.flush();
    });
    await Promise.all(work);
    for (const { stats } of machines) assert.deepEqual(await stats.get('b'), counted(600, 600));
  });

  test('claims of a machine that is gone lapse, and what one could not keep is told to be lapsed', REAL, async (t) => {
    const server = await startServer(t);
    const [a, b] = await Promise.all([1, 2].map(() => machine(t, { address: server.address, livesMs: 400 })));
    assert.ok(a !== undefined && b !== undefined);
    const [first, second] = [a.dedup.holder(), b.dedup.holder()];
    const late = original('late');
    await first.claim(wanted([late.key]));
    assert.deepEqual(await second.claim(wanted([late.key])), ['held']);
    assert.equal(first.lapsed, false);
    // As of one that stands still for longer than its claims last: nothing renews them.
    await a.close();
    await second.freed([late.key]);
    assert.deepEqual(await second.claim(wanted([late.key])), ['won']);
    assert.equal(first.lapsed, true);
    assert.equal(second.lapsed, false);
  });

  test('claims that are held for long are renewed', REAL, async (t) => {
    const server = await startServer(t);
    const [a, b] = await Promise.all([1, 2].map(() => machine(t, { address: server.address, livesMs: 250 })));
    assert.ok(a !== undefined && b !== undefined);
    const [first, second] = [a.dedup.holder(), b.dedup.holder()];
    await first.claim(wanted(['long']));
    const freed = second.freed(['long']).then(() => 'freed');
    for (let renewed = 0; renewed < 5; renewed++) {
      assert.equal(await Promise.race([freed, new Promise((resolve) => setTimeout(resolve, 100))]), undefined);
    }
    assert.equal(first.lapsed, false);
    await first.release(['long']);
    assert.equal(await freed, 'freed');
  });
});

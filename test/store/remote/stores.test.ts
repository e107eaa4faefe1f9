/** The stores of another process keep to what all stores keep to; and what is left when that process is gone. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { DedupStore } from '../../../src/store/dedup.ts';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { levelPlayback } from '../../../src/store/level/playback.ts';
import { LevelStatistics } from '../../../src/store/level/statistics.ts';
import { memoryDedup } from '../../../src/store/memory/dedup.ts';
import { memoryPlayback } from '../../../src/store/memory/playback.ts';
import { memoryStatistics } from '../../../src/store/memory/statistics.ts';
import { remoteDedup } from '../../../src/store/remote/dedup.ts';
import { ToldFiles } from '../../../src/store/remote/files.ts';
import { remotePlayback } from '../../../src/store/remote/playback.ts';
import { serveStores, type Served, type SharedStores } from '../../../src/store/remote/server.ts';
import { remoteStatistics } from '../../../src/store/remote/statistics.ts';
import { silentLog } from '../../../src/util/log.ts';
import type { Wire } from '../../../src/util/wire.ts';
import { wirePair } from '../../support/wires.ts';
import { dedupContract, look, original, wanted } from '../contract/dedup.ts';
import { entry, foundOf, playbackContract } from '../contract/playback.ts';
import { statisticsContract } from '../contract/statistics.ts';
import { openDatabase } from '../level/support.ts';

function stores(changes: Partial<SharedStores> = {}): SharedStores {
  return { dedup: undefined, stats: undefined, playback: undefined, openFiles: new Set(), ...changes };
}

async function worker(t: TestContext, shared: SharedStores): Promise<{ wire: Wire; served: Served }> {
  const [wire, far] = await wirePair(t);
  return { wire, served: serveStores(far, shared) };
}

/** Each that claims is in a process of its own, or all are in one. */
async function manyProcesses(t: TestContext, dedup: DedupStore): Promise<DedupStore> {
  const shared = stores({ dedup });
  const all = await Promise.all(Array.from({ length: 5 }, async () => remoteDedup((await worker(t, shared)).wire)));
  let next = 0;
  return { holder: () => all[next++ % all.length]!.holder(), drop: (lost) => all[0]!.drop(lost) };
}

dedupContract('another process, in memory', async (t) => remoteDedup((await worker(t, stores({ dedup: memoryDedup() }))).wire));
dedupContract('many other processes, in memory', (t) => manyProcesses(t, memoryDedup()));
dedupContract('many other processes, LevelDB', async (t) => manyProcesses(t, levelDedup((await openDatabase(t)).section('dedup'))));
playbackContract('another process', async (t) => remotePlayback((await worker(t, stores({ playback: memoryPlayback() }))).wire));
playbackContract('another process, LevelDB', async (t) => {
  const playback = levelPlayback((await openDatabase(t)).section('playback'));
  return remotePlayback((await worker(t, stores({ playback }))).wire);
});
statisticsContract('another process', async (t) => remoteStatistics((await worker(t, stores({ stats: memoryStatistics() }))).wire), true);
statisticsContract(
  'another process, LevelDB',
  async (t) => {
    const stats = new LevelStatistics({ section: (await openDatabase(t)).section('stats'), log: silentLog });
    const { wire } = await worker(t, stores({ stats }));
    const remote = remoteStatistics(wire);
    const close = () => remote.close().then(() => stats.close());
    return Object.defineProperties({ ...remote, close }, { crowded: { get: () => remote.crowded } });
  },
  true,
);

test('what was found once is not asked for again', async (t) => {
  const shared = stores({ dedup: memoryDedup() });
  const { wire } = await worker(t, shared);
  const index = remoteDedup(wire).holder();
  const { key, original: known } = original('b');
  await index.publish([original('b')]);
  assert.ok(index.claim(look([key])) instanceof Promise);
  await index.claim(look([key]));
  assert.deepEqual(index.claim(wanted([key, key])), [known, known]);
  assert.deepEqual(await index.claim(wanted(['another', key])), ['won', known]);
});

test('counts of many processes add up, and each sees those of the others once they were told', async (t) => {
  const shared = stores({ stats: memoryStatistics() });
  const [a, b] = await Promise.all([worker(t, shared), worker(t, shared)]);
  const [one, other] = [remoteStatistics(a.wire), remoteStatistics(b.wire)];
  for (let nth = 0; nth < 50; nth++) one.tally('x', 'new', 10);
  other.tally('x', 'revisit', 1);
  other.tally('x', undefined, 1);
  await one.flush();
  assert.deepEqual(await other.get('x'), {
    bucket: 'x',
    total: { urls: 52, wire_bytes: 502 },
    new: { urls: 50, wire_bytes: 500 },
    revisit: { urls: 1, wire_bytes: 1 },
  });
});

test('that too many buckets wait is known to all who count, and that it is over as well', async (t) => {
  let crowded = false;
  const stats = { ...memoryStatistics() };
  Object.defineProperty(stats, 'crowded', { get: () => crowded });
  const { wire } = await worker(t, stores({ stats }));
  const store = remoteStatistics(wire);
  crowded = true;
  store.tally('x', 'new', 1);
  await store.get('x');
  assert.equal(store.crowded, true);
  crowded = false;
  const isCrowded = () => store.crowded;
  while (isCrowded()) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('of a process that is gone the claims stay until its files are seen to; what was found is published, the rest is free', async (t) => {
  const shared = stores({ dedup: memoryDedup() });
  const [dead, other] = await Promise.all([worker(t, shared), worker(t, shared)]);
  const index = remoteDedup(dead.wire).holder();
  const keys = ['1', '2', '3'].map((name) => original(name).key);
  await index.claim(wanted(keys));
  await index.publish([original('1')]);
  dead.wire.destroy();
  const others = remoteDedup(other.wire).holder();
  assert.deepEqual(await others.claim(wanted(keys)), [original('1').original, 'held', 'held']);
  assert.deepEqual([...dead.served.held], keys.slice(1));
  const waits = others.freed([keys[2]!]);
  await dead.served.publish([original('2'), original('4')]);
  assert.deepEqual(await others.claim(wanted([...keys, original('4').key])), [
    original('1').original,
    original('2').original,
    'held',
    'won',
  ]);
  await dead.served.release();
  await waits;
  assert.deepEqual(await others.claim(wanted(keys)), [original('1').original, original('2').original, 'won']);
});

test('files in which there may be records that no index has: from the last one on that all have', async (t) => {
  const shared = stores({ dedup: memoryDedup(), playback: memoryPlayback() });
  const { wire, served } = await worker(t, shared);
  const files = new ToldFiles(wire);
  const [dedup, playback] = [remoteDedup(wire).holder(), remotePlayback(wire)];
  files.add('A.warc');
  files.add('B.warc');
  await dedup.publish([original('1', 'A.warc', 700)]);
  const saved = entry('http://a/', '2024-01-01T00:00:00Z', { file: 'A.warc', offset: 500 });
  await playback.save([saved]);
  assert.deepEqual([...shared.openFiles], ['A.warc', 'B.warc']);
  assert.deepEqual(served.unsettled, [
    { path: 'A.warc', from: 500, open: true },
    { path: 'B.warc', from: 0, open: true },
  ]);
  // Closed within a batch: until its records are in the last index it may be what is left of a dead process.
  files.delete('A.warc');
  await dedup.publish([original('2', 'A.warc', 900)]);
  assert.deepEqual([...shared.openFiles], ['B.warc']);
  assert.deepEqual(served.unsettled[0], { path: 'A.warc', from: 500, open: false });
  await playback.save([entry('http://b/', '2024-01-01T00:00:00Z', { file: 'A.warc', offset: 900 })]);
  assert.deepEqual(
    served.unsettled.map(({ path }) => path),
    ['B.warc'],
  );
  assert.deepEqual(await playback.find('http://a/', 'GET whole', 'last'), foundOf(saved));
  served.forgetFiles();
  assert.deepEqual([[...shared.openFiles], served.unsettled], [[], []]);
});

test('without playback a file that is closed while nothing is to be published is of no interest any more', async (t) => {
  const { wire, served } = await worker(t, stores({ dedup: memoryDedup() }));
  const files = new ToldFiles(wire);
  const index = remoteDedup(wire).holder();
  for (const path of ['A.warc', 'B.warc']) files.add(path);
  files.delete('A.warc');
  await index.claim(wanted([original('1').key]));
  files.delete('B.warc');
  await index.claim([]);
  await index.freed(['x']);
  assert.deepEqual(served.unsettled, [{ path: 'B.warc', from: 0, open: false }]);
  await index.publish([original('1', 'B.warc', 10)]);
  assert.deepEqual(served.unsettled, []);
});

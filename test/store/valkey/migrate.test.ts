/** What `warctap store` does to a shared store, and between it and folders. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runHere } from '../../cli/child.ts';
import { original } from '../contract/dedup.ts';
import { bucket } from '../contract/statistics.ts';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { LevelStatistics } from '../../../src/store/level/statistics.ts';
import { silentLog } from '../../../src/util/log.ts';
import { RawClient } from '../../support/client.ts';
import { get, ok } from '../../support/messages.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { tempDir, withDatabase } from '../level/support.ts';
import { NO_SERVER, startServer } from './server.ts';
import { machine } from './support.ts';

const REAL = { skip: NO_SERVER, timeout: 30_000 };

/** A folder with so many entries, and a bucket with so many captures of 10 bytes. */
async function folderWith(t: TestContext, names: readonly string[], captures: number): Promise<string> {
  const folder = join(tempDir(t), 'db');
  await withDatabase(folder, async ({ section }) => {
    await levelDedup(section('dedup'))
      .holder()
      .publish(names.map((name) => original(name)));
    const stats = new LevelStatistics({ section: section('stats'), log: silentLog });
    for (let nth = 0; nth < captures; nth++) stats.tally('b', 'new', 10);
    await stats.close();
  });
  return folder;
}

const counted = (count: number) => bucket('b', [[count, 10 * count], [count, 10 * count], [0, 0]]); // prettier-ignore

async function bucketIn(folder: string): Promise<unknown> {
  return withDatabase(folder, async ({ section }) => JSON.parse((await section('stats').get('b')) ?? 'null') as unknown);
}

async function said(...args: readonly string[]): Promise<string> {
  const written: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  try {
    const { code, stderr } = await runHere(...args);
    assert.equal(code, 0, stderr);
  } finally {
    process.stdout.write = write;
  }
  return written.join('');
}

test('two folders are put into one store and back, and twice changes nothing', REAL, async (t) => {
  const server = await startServer(t);
  const [one, two] = [await folderWith(t, ['1', '2', 'both'], 3), await folderWith(t, ['3', 'both'], 4)];
  const migrate = (from: string, to: string) => said('store', 'migrate', from, to);
  assert.equal(await migrate(one, server.url), `${server.url}: 3 of 3 entries and 1 of 1 buckets were new\n`);
  assert.equal(await migrate(one, server.url), `${server.url}: 0 of 3 entries and 0 of 1 buckets were new\n`);
  assert.equal(await migrate(two, server.url), `${server.url}: 1 of 2 entries and 1 of 1 buckets were new\n`);
  const shared = await machine(t, { address: server.address });
  assert.deepEqual(await shared.stats.get('b'), counted(7));
  shared.stats.tally('b', 'new', 10);
  await shared.stats.flush();
  // Back into a folder that was put into it: what came from there is not counted again.
  assert.equal(await migrate(server.url, one), `${one}: 1 of 4 entries and 1 of 1 buckets were new\n`);
  assert.equal(await migrate(server.url, one), `${one}: 0 of 4 entries and 0 of 1 buckets were new\n`);
  assert.deepEqual(await bucketIn(one), counted(8));
  assert.equal(await migrate(one, server.url), `${server.url}: 0 of 4 entries and 0 of 1 buckets were new\n`);
  assert.deepEqual(await shared.stats.get('b'), counted(8));
  await withDatabase(one, async ({ section }) => {
    const index = levelDedup(section('dedup')).holder();
    assert.deepEqual(await index.claim([{ key: original('3').key, claims: false }]), [original('3').original]);
  });
});

test('entries of WARC files that a crash left open stay where they are', REAL, async (t) => {
  const server = await startServer(t);
  const folder = join(tempDir(t), 'db');
  await withDatabase(folder, ({ section }) =>
    levelDedup(section('dedup'), { openFiles: new Set(['A.warc']) })
      .holder()
      .publish([original('open'), original('closed', 'B.warc')]),
  );
  const told = await said('store', 'migrate', folder, server.url);
  assert.match(told, /: 1 of 1 entries and 0 of 0 buckets were new; 1 entries of WARC files that a crash left open stay/);
});

test('info tells what is there, check what cannot be read, repair drops that', REAL, async (t) => {
  const server = await startServer(t, { flags: ['--hash-max-listpack-value', '64'] });
  const { address, url } = server;
  const a = await machine(t, { address });
  await a.dedup.holder().publish([original('1'), original('2')]);
  await a.dedup.holder().claim([{ key: 'held', claims: true }]);
  a.stats.tally('b', 'new', 1);
  await a.stats.flush();
  const info = await said('store', 'info', url);
  assert.match(
    info,
    /^server {4}(?:Redis|Valkey) \d\S+, keeps all in memory only: see appendonly\nmemory {4}\d+ bytes of what the machine has, noeviction when full\n/,
  );
  assert.match(
    info,
    /\nentries {3}2, \d+ bytes of memory for each\nbuckets {3}1\nclaims {4}1, by 1 who are there\nadvice .*hash-max-listpack-value 512/,
  );
  assert.equal(await said('store', 'check', url), `${url}: ok, 2 entries\n`);
  server.ask('HSET', 'w:e:x', 'k', 'nonsense');
  assert.equal((await runHere('store', 'check', url)).code, 1);
  assert.equal(await said('store', 'repair', url), `${url}: 1 entries that could not be read are gone, 2 are left\n`);
  assert.equal(await said('store', 'check', url), `${url}: ok, 2 entries\n`);
});

test('rebuild puts entries of WARC files into a shared store, where proxies find them, and twice changes nothing', REAL, async (t) => {
  const server = await startServer(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(`${path}, and as much as it takes to be worth it`)));
  const fetched = async (dir: string, paths: readonly string[], more: object) => {
    await using proxy = await startProxy({ dir, ...more }, tempDir(t));
    using client = await RawClient.connect(proxy.port);
    for (const path of paths) {
      client.send(get(`${origin.url}${path}`));
      assert.equal((await client.response()).status, 200);
    }
    await proxy.captured(paths.length);
    return proxy.captures.map(({ outcome }) => outcome.records?.[0]?.type);
  };
  const [first, second] = [join(tempDir(t), 'first'), join(tempDir(t), 'second')];
  assert.deepEqual(await fetched(first, ['/1', '/2', '/1'], {}), ['response', 'response', 'revisit']);
  const rebuild = () => said('store', 'rebuild', server.url, '--from', first);
  assert.match(await rebuild(), /: 7 records in 1 files, added 2 entries for deduplication\n$/);
  assert.match(await rebuild(), /: 7 records in 1 files, added 0 entries for deduplication\n$/);
  assert.deepEqual(await fetched(second, ['/2', '/3'], { store: server.url }), ['revisit', 'response']);
  const broken = await runHere('store', 'rebuild', server.url, '--from', join(first, 'nowhere'));
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^warctap: ENOENT.*nowhere/);
});

test('what is no store, or is away, is told in one line', async () => {
  const refused = await runHere('store', 'info', 'mysql://u:secret@a.example/');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /store info: expected a folder, or a URL such as valkey:/);
  assert.doesNotMatch(refused.stderr, /secret/);
  assert.equal((await runHere('store', 'info', 'folder')).code, 2);
  assert.equal((await runHere('store', 'migrate', 'one')).code, 2);
  const away = await runHere('store', 'check', 'unix:///nowhere/s');
  assert.equal(away.code, 1);
  assert.match(away.stderr, /^warctap: store unix:\/\/\/nowhere\/s cannot be reached: connect ENOENT \/nowhere\/s\n$/);
});

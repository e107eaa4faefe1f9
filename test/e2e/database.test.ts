/**
 * The database damaged, or its disk full, under the real program: archiving goes on, and whoever looks is told the truth.
 *
 * Source: docs/reliability.md.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram, type Program } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';

async function newFolder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-database-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** @param meta Warcprox-Meta, if any */
async function fetchAll({ port }: Program, urls: readonly string[], meta?: string): Promise<void> {
  using client = await RawClient.connect(port);
  for (const url of urls) {
    client.send(get(url, meta === undefined ? '' : `Warcprox-Meta: ${meta}\r\n`));
    assert.equal((await client.response()).status, 200, url);
  }
}

interface DatabaseStatus {
  readonly state: string;
  readonly problem: string | null;
  readonly entries_waiting: number;
}

async function databaseOf({ port }: Program): Promise<DatabaseStatus> {
  using client = await RawClient.connect(port);
  client.send('GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const { databases } = JSON.parse((await client.response()).body.toString()) as { databases: DatabaseStatus[] };
  return databases[0] ?? assert.fail();
}

async function principals(dir: string): Promise<string[]> {
  return (await readFolder(join(dir, 'warcs'))).map(({ type }) => type).filter((type) => type === 'response' || type === 'revisit');
}

test('with a damaged table it starts, archives, and ends with 0', async (t) => {
  const dir = await newFolder(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(`this is ${path} `.repeat(20))));
  const urls = Array.from({ length: 40 }, (_, nth) => `${origin.url}/${nth}`);
  for (const some of [urls, []]) {
    await using program = await startProgram(dir);
    await fetchAll(program, some);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, [0, null]);
  }
  const [table = ''] = (await readdir(join(dir, 'db'))).filter((name) => name.endsWith('.ldb'));
  const bytes = await readFile(join(dir, 'db', table));
  await writeFile(join(dir, 'db', table), bytes.fill(0, 50, 60));
  await using program = await startProgram(dir);
  await fetchAll(program, urls);
  assert.deepEqual(await databaseOf(program), {
    folder: join(dir, 'db'),
    state: 'in use',
    problem: null,
    entries_waiting: 0,
    entries_lost: 0,
  });
  program.child.kill('SIGTERM');
  assert.deepEqual(await program.ended, [0, null]);
  const told = program.log().filter(({ msg }) => msg.startsWith('database '));
  assert.deepEqual(
    told.map(({ level }) => level),
    ['warn', 'error'],
  );
  assert.match(
    told[1]!.msg,
    /was damaged \(\d+\.ldb: 1 of \d+ blocks\) and has been repaired: \d+ entries are left, .* warctap store rebuild$/,
  );
  assert.equal((await principals(dir)).length, 80);
});

test('with the disk of its database full it archives all, says so in /status, and ends with 4', { skip: noSmallDisk }, async (t) => {
  const dir = await newFolder(t);
  using disk = makeSmallDisk(1);
  await writeFile(join(disk.dir, 'filler'), Buffer.alloc(900_000));
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(`this is ${path}`)));
  const db = join(disk.dir, 'db');
  await using program = await startProgram(dir, ['--dedup-db-file', db, '--stats-db-file', db]);
  let count = 0;
  const more = () => Array.from({ length: 20 }, () => `${origin.url}/${(count += 1)}/${'x'.repeat(500)}`);
  while ((await databaseOf(program)).state === 'in use') await fetchAll(program, more());
  await fetchAll(program, more(), '{"stats":{"buckets":["b"]}}');
  const { state, problem, entries_waiting: waiting } = await databaseOf(program);
  assert.equal(state, 'away');
  assert.match(problem ?? '', /^database .* cannot be used: .*No space left on device$/);
  assert.ok(waiting > 20);
  program.child.kill('SIGTERM');
  assert.deepEqual(await program.ended, [4, null]);
  const errors = program.log().filter(({ level }) => level === 'error');
  assert.match(errors[0]!.msg, /No space left on device; archiving goes on without it, and what belongs in it is put in later$/);
  assert.match(
    errors.at(-1)!.msg,
    /^closing failed: .*database .* lacks \d+ entries that could not be written: .*; warctap store rebuild puts them in/,
  );
  assert.ok(errors.length < 8, errors.map(({ msg }) => msg).join('\n'));
  const types = await principals(dir);
  assert.deepEqual([types.length, new Set(types)], [count, new Set(['response'])]);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { closeSync, cpSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { DatabaseError } from '../../../src/store/errors.ts';
import { Databases, type Database } from '../../../src/store/level/database.ts';
import { LevelStatistics } from '../../../src/store/level/statistics.ts';
import type { Log } from '../../../src/util/log.ts';
import { makeSmallDisk, noSmallDisk } from '../../support/small-disk.ts';
import { tempDir, withDatabase } from './support.ts';

const ENTRIES = 4_500;
const keyOf = (nth: number) => `sha1:${(nth * 7919) % 1_000_003}|`;
const valueOf = (nth: number) => JSON.stringify({ id: `<urn:uuid:${nth}>`, url: `http://a.example/${nth}`, file: 'A.warc', offset: nth });
const TABLE = /\.ldb$/;
const LOG = /\.log$/;
const MANIFEST = /^MANIFEST/;

interface Kept {
  readonly lines: string[];
  readonly log: Log;
  /** Resolves when the log says just this. */
  readonly logged: (line: string) => Promise<void>;
}

function kept(): Kept {
  const lines: string[] = [];
  const told = new EventEmitter();
  const keep = (level: string) => (_: object, message: string) => {
    lines.push(`${level} ${message}`);
    told.emit(`${level} ${message}`);
  };
  return {
    lines,
    log: { debug() {}, info: keep('info'), warn: keep('warn'), error: keep('error') },
    logged: async (line) => {
      if (!lines.includes(line)) await once(told, line);
    },
  };
}

async function put(database: Database, from: number, to: number): Promise<void> {
  for (let nth = from; nth < to; nth += 500) {
    await database
      .section('s')
      .batch(Array.from({ length: 500 }, (_, i) => ({ type: 'put', key: keyOf(nth + i), value: valueOf(nth + i) })));
  }
}

/** A database with tables and, as after a kill, a log in which much stands. */
async function killed(dir: string): Promise<string> {
  const [live, folder] = [join(dir, 'live'), join(dir, 'killed')];
  for (const from of [0, ENTRIES / 3]) {
    await using databases = new Databases();
    await put(await databases.open(live), from, from + ENTRIES / 3);
  }
  await using databases = new Databases();
  await put(await databases.open(live), (ENTRIES * 2) / 3, ENTRIES);
  cpSync(live, folder, { recursive: true });
  return folder;
}

function fileIn(folder: string, kind: RegExp): string {
  const names = readdirSync(folder).filter((name) => kind.test(name) && readFileSync(join(folder, name)).length > 0);
  return join(folder, names[0] ?? assert.fail(`no ${String(kind)} in ${readdirSync(folder).join(' ')}`));
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  const place = at < 0 ? bytes.length + at : Math.floor(bytes.length * at);
  bytes[place]! ^= 0x04;
  writeFileSync(file, bytes);
}

function cut(file: string, to: number): void {
  truncateSync(file, Math.floor(readFileSync(file).length * to));
}

/** What is there after a start, each of it as it was written. */
async function entriesIn(folder: string, log: Log): Promise<number> {
  await using databases = new Databases(log);
  const database = await databases.open(folder);
  let count = 0;
  for await (const [key, value] of database.section('s').iterator()) {
    const { offset } = JSON.parse(value) as { offset: number };
    assert.deepEqual([key, value], [keyOf(offset), valueOf(offset)]);
    count++;
  }
  const found = await database.section('s').getMany(Array.from({ length: ENTRIES }, (_, nth) => keyOf(nth)));
  assert.equal(found.filter((value) => value !== undefined).length, count);
  // It takes what is put in now, and puts its tables together without a fault.
  await put(database, 0, ENTRIES);
  return count;
}

interface Case {
  readonly name: string;
  readonly damage: (folder: string) => void;
  /** some are lost; otherwise none */
  readonly loses: boolean;
  /** what the line says of the damage; undefined where nobody could tell it from the end that a kill leaves */
  readonly told?: RegExp;
}

const CASES: readonly Case[] = [
  ...[0.001, 0.1, 0.3, 0.5, 0.7].map((at) => ({
    name: `a byte flipped at ${at} of a table`,
    damage: (folder: string) => flip(fileIn(folder, TABLE), at),
    loses: true,
    told: /\d+\.ldb: 1 of \d+ blocks/,
  })),
  { name: 'a byte flipped in the index of a table', damage: (f) => flip(fileIn(f, TABLE), -80), loses: true, told: /\.ldb: all of it/ },
  { name: 'a byte flipped in the magic of a table', damage: (f) => flip(fileIn(f, TABLE), -2), loses: true, told: /\.ldb: all of it/ },
  { name: 'a table cut', damage: (f) => cut(fileIn(f, TABLE), 0.5), loses: true, told: /\.ldb: all of it/ },
  { name: 'a table cut to nothing', damage: (f) => truncateSync(fileIn(f, TABLE)), loses: true, told: /\.ldb: all of it/ },
  { name: 'a table gone', damage: (f) => rmSync(fileIn(f, TABLE)), loses: true, told: /missing files/ },
  { name: 'a byte flipped in a log', damage: (f) => flip(fileIn(f, LOG), 0.4), loses: true, told: /\.log: \d+ of \d+ bytes/ },
  { name: 'a size in a log flipped', damage: (f) => flip(fileIn(f, LOG), 0.000001), loses: true, told: /\.log: \d+ of \d+ bytes/ },
  { name: 'a log cut', damage: (f) => cut(fileIn(f, LOG), 0.4), loses: true },
  {
    name: 'a byte flipped in the manifest',
    damage: (f) => flip(fileIn(f, MANIFEST), 0.5),
    loses: false,
    told: /MANIFEST-\d+: from byte \d+ on/,
  },
  { name: 'the manifest cut', damage: (f) => cut(fileIn(f, MANIFEST), 0.7), loses: false, told: /MANIFEST-\d+: the last \d+ bytes/ },
  { name: 'the manifest gone', damage: (f) => rmSync(fileIn(f, MANIFEST)), loses: false, told: /CURRENT: names no manifest that is there/ },
  { name: 'the manifest full of nonsense', damage: (f) => writeFileSync(fileIn(f, MANIFEST), 'nonsense'), loses: false, told: /MANIFEST/ },
  { name: 'CURRENT gone', damage: (f) => rmSync(join(f, 'CURRENT')), loses: false, told: /CURRENT: names no manifest that is there/ },
  { name: 'CURRENT flipped', damage: (f) => flip(join(f, 'CURRENT'), 0.9), loses: false, told: /CURRENT: names no manifest that is there/ },
  { name: 'CURRENT cut', damage: (f) => cut(join(f, 'CURRENT'), 0.5), loses: false, told: /CURRENT: names no manifest that is there/ },
  {
    name: 'CURRENT of nonsense',
    damage: (f) => writeFileSync(join(f, 'CURRENT'), 'MANIFEST-000099\n'),
    loses: false,
    told: /CURRENT: names no manifest that is there/,
  },
];

test('whatever file of a database is damaged, it starts, says so, and gives out nothing but what was written', async (t) => {
  const dir = tempDir(t);
  const whole = await killed(dir);
  const intact = kept();
  cpSync(whole, join(dir, 'intact'), { recursive: true });
  assert.equal(await entriesIn(join(dir, 'intact'), intact.log), ENTRIES);
  assert.deepEqual(intact.lines, []);
  for (const { name, damage, loses, told } of CASES) {
    await t.test(name, async () => {
      const folder = join(dir, 'db');
      cpSync(whole, folder, { recursive: true });
      damage(folder);
      const { lines, log } = kept();
      const entries = await entriesIn(folder, log);
      if (loses) assert.ok(entries < ENTRIES && entries > ENTRIES / 4, `${entries} entries`);
      else assert.equal(entries, ENTRIES);
      if (told === undefined) assert.deepEqual(lines, []);
      else {
        assert.deepEqual(lines.length, 2, lines.join('\n'));
        assert.match(lines[0]!, new RegExp(`^warn database .* is damaged \\(.*${told.source}.*\\) and is being repaired$`));
        assert.match(lines[1]!, new RegExp(`^error database .* was damaged \\(.*\\) and has been repaired: ${entries} entries are left, `));
      }
      // It is whole now: a second start has nothing to say.
      const again = kept();
      assert.equal(await entriesIn(folder, again.log), ENTRIES);
      assert.deepEqual(again.lines, []);
      rmSync(folder, { recursive: true });
    });
  }
});

test('a table that a killed process had begun is no damage', async (t) => {
  const folder = await killed(tempDir(t));
  writeFileSync(join(folder, '000999.ldb'), readFileSync(fileIn(folder, TABLE)).subarray(0, 5000));
  const { lines, log } = kept();
  assert.equal(await entriesIn(folder, log), ENTRIES);
  assert.deepEqual(lines, []);
});

test('a value that is not what was written is as if it were not there, and the search goes on behind it', async (t) => {
  const folder = join(tempDir(t), 'db');
  const put = (database: Database) =>
    database.section('s').batch(['a', 'b', 'c'].map((key) => ({ type: 'put', key, value: `{"of":"${key}"}` })));
  await withDatabase(folder, put);
  const level = new ClassicLevel(folder);
  await level.put('!s!b', (await level.get('!s!b'))!.replace('"of":"b"', '"of":"d"'));
  await level.close();
  const { lines, log } = kept();
  await using databases = new Databases(log);
  const section = (await databases.open(folder)).section('s');
  assert.deepEqual(await section.getMany(['a', 'b', 'c']), ['{"of":"a"}', undefined, '{"of":"c"}']);
  const found: string[] = [];
  for await (const value of section.values({ gte: 'a', lt: 'z', limit: 2 })) found.push(value);
  assert.deepEqual(found, ['{"of":"a"}', '{"of":"c"}']);
  assert.deepEqual(lines, ['error an entry of the database is damaged, and counts as missing']);
});

test('a table that goes bad while it is used is noticed and repaired, and nothing that came meanwhile is missing', async (t) => {
  const folder = await killed(tempDir(t));
  await entriesIn(folder, kept().log);
  const { lines, log, logged } = kept();
  await using databases = new Databases(log);
  const database = await databases.open(folder);
  const index = database.later('s');
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.ldb'))) {
    // In place: LevelDB has the file mapped.
    const file = openSync(join(folder, name), 'r+');
    writeSync(file, Buffer.alloc(readFileSync(join(folder, name)).length / 3, 0xff), 0, undefined, 0);
    closeSync(file);
  }
  const keys = Array.from({ length: ENTRIES }, (_, nth) => keyOf(nth));
  // An index does without, statistics must not take it for nothing.
  assert.deepEqual(await index.getMany(keys), Array(ENTRIES).fill(undefined));
  await assert.rejects(database.section('stats').getMany(['b']), /^DatabaseError: database .* cannot be used: Corruption/);
  assert.match(databases.states[0]!.problem!, /cannot be used: Corruption/);
  await index.batch([{ type: 'put', key: 'meanwhile', value: '{}' }]);
  assert.deepEqual(await index.getMany(['meanwhile', 'other']), ['{}', undefined]);
  assert.equal(databases.states[0]!.waiting, 1);
  await logged('info what waited for the database is in it');
  assert.deepEqual(databases.states, [{ folder, problem: undefined, waiting: 0, lost: 0 }]);
  assert.equal(await database.section('s').get('meanwhile'), '{}');
  const left = (await index.getMany(keys)).filter((value) => value !== undefined);
  assert.ok(left.length > ENTRIES / 3 && left.length < ENTRIES, String(left.length));
  assert.match(
    lines[0]!,
    /^error database .* cannot be used: Corruption.*; archiving goes on without it, and what belongs in it is put in later$/,
  );
  assert.match(lines.join('\n'), /has been repaired: \d+ entries are left/);
});

test('on a full disk entries wait, and are put in once there is room', { skip: noSmallDisk }, async (t) => {
  using disk = makeSmallDisk(2);
  const { log, logged, lines } = kept();
  const databases = new Databases(log);
  t.after(() => databases.close());
  const database = await databases.open(join(disk.dir, 'db'));
  const index = database.later('s');
  const stats = new LevelStatistics({ section: database.section('stats'), log });
  const value = JSON.stringify({ filler: randomBytes(1500).toString('hex') });
  let count = 0;
  for (; databases.states[0]!.problem === undefined; count++) await index.batch([{ type: 'put', key: String(count), value }]);
  for (const until = count + 50; count < until; count++) await index.batch([{ type: 'put', key: String(count), value }]);
  stats.tally('b', 'new', 10);
  await assert.rejects(stats.flush(), /No space left on device/);
  assert.ok(databases.states[0]!.waiting >= 50);
  disk.resize(16);
  await logged('info what waited for the database is in it');
  await stats.close();
  const keys = Array.from({ length: count }, (_, nth) => String(nth));
  assert.deepEqual(
    (await database.section('s').getMany(keys)).map((found) => found === value),
    keys.map(() => true),
  );
  await databases.close();
  assert.equal(lines.filter((line) => line.includes('has been repaired')).length, 0);
  await withDatabase(join(disk.dir, 'db'), async ({ section }) => {
    assert.ok((await section('s').getMany(keys)).every((found) => found === value));
    assert.equal((JSON.parse((await section('stats').get('b'))!) as { total: { urls: number } }).total.urls, 1);
  });
});

test('what still waits at the end is told, with what puts it in', { skip: noSmallDisk }, async () => {
  using disk = makeSmallDisk(1);
  const databases = new Databases();
  const folder = join(disk.dir, 'db');
  const index = (await databases.open(folder)).later('s');
  const value = JSON.stringify({ filler: randomBytes(1500).toString('hex') });
  for (let count = 0; databases.states[0]!.waiting < 20; count++) await index.batch([{ type: 'put', key: String(count), value }]);
  await assert.rejects(databases.close(), (error) => {
    assert.ok(error instanceof DatabaseError && error.code === 'DATABASE_BEHIND');
    assert.match(
      error.message,
      /^database .* lacks \d\d entries that could not be written: cannot be used: .*No space left on device; warctap store rebuild puts them in$/,
    );
    return true;
  });
});

test('a folder that only looks like a database is not repaired', async (t) => {
  const folder = join(tempDir(t), 'db');
  mkdirSync(folder);
  writeFileSync(join(folder, 'MANIFEST-000001'), '');
  writeFileSync(join(folder, 'holiday.jpg'), '');
  await using databases = new Databases();
  await assert.rejects(databases.open(folder), (error) => error instanceof DatabaseError && error.code === 'DATABASE_FOREIGN');
  assert.deepEqual(readdirSync(folder).sort(), ['MANIFEST-000001', 'holiday.jpg']);
});

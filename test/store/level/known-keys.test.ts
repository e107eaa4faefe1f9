/** The filter of an index between runs: it counts once, and only for the index that it was made of. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { KnownKeys } from '../../../src/store/level/known-keys.ts';
import type { Database } from '../../../src/store/level/database.ts';
import { dedupContract, look, original, wanted } from '../contract/dedup.ts';
import { openDatabase, tempDir, withDatabase } from './support.ts';

const MANY = 12_000;
const originals = (name: string, count: number) => Array.from({ length: count }, (_, nth) => original(`${name} ${nth}`));
const keysOf = (all: readonly { readonly key: string }[]) => all.map(({ key }) => key);

dedupContract('LevelDB with a filter of what is known', async (t) => {
  const { section, folder } = await openDatabase(t);
  const known = new KnownKeys({ section: section('dedup'), file: join(folder, 'warctap-dedup.filter') });
  await known.begin();
  return levelDedup(section('dedup'), { maxCached: 1, known });
});

/** Keys that the database is asked for from now on. */
function asked(t: TestContext, { section }: Database) {
  const dedup = section('dedup');
  const keys: string[] = [];
  const getMany = dedup.getMany.bind(dedup);
  t.mock.method(dedup, 'getMany', (some: string[]) => (keys.push(...some), getMany(some)));
  return { dedup, keys };
}

/** A run of a program: what it is given is published at its end. */
async function run(
  folder: string,
  publish: readonly ReturnType<typeof original>[],
  during?: (known: KnownKeys, database: Database) => Promise<void>,
) {
  await withDatabase(folder, async (database) => {
    const dedup = database.section('dedup');
    const known = new KnownKeys({ section: dedup, file: join(folder, 'warctap-dedup.filter') });
    await known.begin();
    await during?.(known, database);
    await levelDedup(dedup, { known }).holder().publish(publish);
    await known.save();
  });
}

test('what is new is not looked for, also after the next start', async (t) => {
  const folder = join(tempDir(t), 'db');
  const before = originals('before', MANY);
  await run(folder, before);
  assert.ok(existsSync(join(folder, 'warctap-dedup.filter')));
  await run(folder, [], async (known, database) => {
    assert.ok(known.whole);
    const { dedup, keys } = asked(t, database);
    const index = levelDedup(dedup, { known }).holder();
    const news = keysOf(originals('new', 1000));
    assert.deepEqual(new Set(await index.claim(wanted(news))), new Set(['won']));
    assert.ok(keys.length < 50, `${keys.length} of 1,000 were looked for`);
    assert.deepEqual(
      await index.claim(look(keysOf(before.slice(0, 500)))),
      before.slice(0, 500).map((each) => each.original),
    );
  });
});

test('after a run that did not end well it is made anew out of the keys', async (t) => {
  const folder = join(tempDir(t), 'db');
  const before = originals('before', MANY);
  await run(folder, before);
  // Opened, written to, and gone.
  const more = originals('more', 10);
  await withDatabase(folder, async ({ section }) => {
    const known = new KnownKeys({ section: section('dedup'), file: join(folder, 'warctap-dedup.filter') });
    await known.begin();
    await levelDedup(section('dedup'), { known }).holder().publish(more);
  });
  await run(folder, [], async (known, { section }) => {
    assert.equal(known.whole, false, 'of many it goes on');
    assert.ok(known.mayHave('anything'));
    await known.settled;
    assert.ok(known.whole);
    const index = levelDedup(section('dedup'), { known }).holder();
    assert.deepEqual(
      await index.claim(look(keysOf([...before, ...more]))),
      [...before, ...more].map((each) => each.original),
    );
    assert.equal(known.mayHave('sha1:anything'), false);
  });
});

test('what is written by a program that has no filter is found by the next that has one', async (t) => {
  const folder = join(tempDir(t), 'db');
  await run(folder, originals('before', 10));
  const others = originals('others', 10);
  await withDatabase(folder, ({ section }) => levelDedup(section('dedup')).holder().publish(others));
  await run(folder, [], async (known, { section }) => {
    const found = await levelDedup(section('dedup'), { known })
      .holder()
      .claim(look(keysOf(others)));
    assert.deepEqual(
      found,
      others.map((each) => each.original),
    );
  });
});

for (const [what, change] of [
  [
    'damaged',
    (file: string) => {
      const content = readFileSync(file);
      content[content.length - 100] = (content[content.length - 100] ?? 0) ^ 1;
      writeFileSync(file, content);
    },
  ],
  [
    'cut',
    (file: string) => {
      writeFileSync(file, readFileSync(file).subarray(0, 1000));
    },
  ],
  [
    'of an earlier run',
    (file: string) => {
      const [head = '', ...rest] = readFileSync(file, 'latin1').split('\n');
      writeFileSync(file, [head.replace(/"mark":"[^"]*"/, '"mark":"other"'), ...rest].join('\n'), 'latin1');
    },
  ],
] as const) {
  test(`a filter that is ${what} does not count`, async (t) => {
    const folder = join(tempDir(t), 'db');
    const before = originals('before', 100);
    await run(folder, before);
    change(join(folder, 'warctap-dedup.filter'));
    await run(folder, [], async (known, { section }) => {
      assert.ok(known.whole, 'few keys are read at once');
      const found = await levelDedup(section('dedup'), { known })
        .holder()
        .claim(look(keysOf(before)));
      assert.deepEqual(
        found,
        before.map((each) => each.original),
      );
    });
  });
}

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { LineSorter } from '../../src/util/line-sorter.ts';

async function sorted(lines: readonly string[], options: ConstructorParameters<typeof LineSorter>[0]): Promise<string[]> {
  const sorter = new LineSorter(options);
  try {
    for (const line of lines) await sorter.add(line);
    const all: string[] = [];
    for await (const line of sorter.sorted()) all.push(line);
    return all;
  } finally {
    await sorter[Symbol.asyncDispose]();
  }
}

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('warctap-sort-')).length;

// 7,919 is a prime: every number comes twice, in an order that looks like none.
const lines = Array.from({ length: 4_000 }, (_, index) => `${(index * 7_919) % 2_000} é\n`);
const expected = [...new Set(lines)].sort();

for (const [how, options] of [
  ['in memory', {}],
  ['in files', { maxChars: 2_000 }],
  ['in files of files', { maxChars: 500, maxFiles: 3 }],
] as const) {
  test(`lines are sorted ${how}, those that come again left out`, async () => {
    const before = folders();
    assert.deepEqual(await sorted(lines, options), expected);
    assert.ok(folders() <= before, 'temporary files are gone');
  });
}

test('nothing is sorted to nothing', async () => assert.deepEqual(await sorted([], {}), []));

/** Imports go down only, and rooms on one level don't import each other. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { LEVELS } from './support/levels.ts';

const SRC = join(import.meta.dirname, '../src');

/** The room that a file of src belongs to: its folder, or the file itself at the top. */
function roomOf(file: string): string {
  return relative(SRC, file).split('/')[0] ?? '';
}

function levelOf(room: string): number {
  const level = LEVELS.findIndex((rooms) => rooms.includes(room));
  assert.notEqual(level, -1, `src/${room} stands on no level`);
  return level;
}

test('imports go down only', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const wrong: string[] = [];
  let imports = 0;
  for (const name of files) {
    const file = join(SRC, name);
    const from = roomOf(file);
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import) ?\(?'(\.[^']+)'/g)) {
      imports++;
      const to = roomOf(join(dirname(file), path));
      if (from !== to && levelOf(to) >= levelOf(from)) wrong.push(`${name} imports ${path}`);
    }
  }
  assert.ok(imports > 100, `only ${imports} imports found`);
  assert.deepEqual(wrong, []);
});

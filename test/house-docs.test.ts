/**
 * What the docs say of the sources is so: paths, rooms and their levels, signatures, steps of the chain, times and counts.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { cells, constantIn, DOCS, found, read, ROOT } from './support/docs.ts';
import { LEVELS } from './support/levels.ts';

const ROOMS = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Folders of the checkout that docs name files of. */
const FOLDERS = ['src', 'test', 'docs', 'examples', 'bin', '.ci'];
const PATHS: ReadonlySet<string> = new Set([
  ...FOLDERS,
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  ),
  ...readdirSync(ROOT),
]);

/** `*` stands for anything but a slash. */
function isThere(path: string): boolean {
  if (!path.includes('*')) return PATHS.has(path);
  const pattern = new RegExp(`^${path.replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]*')}$`);
  return [...PATHS].some((each) => pattern.test(each));
}

const NOT_WITHIN = '(?<![\\w/.:…-])';
const BELOW_TOP = new RegExp(`${NOT_WITHIN}((?:${FOLDERS.map((name) => name.replace('.', '\\.')).join('|')})/[\\w/*.-]*[\\w*])`, 'g');
/** A room's file anywhere; a folder of a room, or the room with a slash, only where it is set as code: `http/2` may be a version. */
const IN_ROOM = new RegExp(`${NOT_WITHIN}((?:${ROOMS.join('|')})/[\\w/*-]+\\.ts)\\b`, 'g');
const FOLDER_OF_ROOM = new RegExp(`\`((?:${ROOMS.join('|')})/(?:[a-z][\\w/-]*)?)\``, 'g');

/** Of one document, with whether each is there. */
function pathsIn(text: string): { readonly path: string; readonly there: boolean }[] {
  // What Markdown has for code may be broken by nothing, so links are looked at apart.
  const below = found(text, BELOW_TOP).map((path) => ({ path, there: isThere(path) }));
  const inRooms = [...found(text, IN_ROOM), ...found(text, FOLDER_OF_ROOM)].map((path) => ({
    path,
    there: isThere(`src/${path.replace(/\/$/, '')}`),
  }));
  const tests = found(text, /`([\w*-]+\.test\.ts)`/g).map((path) => ({
    path,
    there: [...PATHS].some((each) => each.startsWith('test/') && each.endsWith(`/${path}`)),
  }));
  return [...below, ...inRooms, ...tests];
}

describe('paths in the docs', () => {
  test('every file and folder that is named exists', () => {
    const all = DOCS.flatMap(({ path: at, text }) => pathsIn(text).map((each) => ({ at, ...each })));
    assert.ok(all.length > 150, `only ${all.length} paths found`);
    assert.deepEqual(
      all.filter(({ there }) => !there).map(({ at, path }) => `${at}: ${path}`),
      [],
    );
  });

  test('every link leads to a document that exists, and to a heading of it', () => {
    const headings = (text: string) => found(text, /^#+ (.*)$/gm).map(anchor);
    const links = DOCS.flatMap(({ path: at, text }) => found(text, /\]\((?!https?:)([^)\s]+)\)/g).map((link) => ({ at, link })));
    assert.ok(links.length > 40, String(links.length));
    for (const { at, link } of links) {
      const [file = '', heading] = link.split('#');
      const path = file === '' ? at : normalize(join(dirname(at), file));
      assert.ok(isThere(path), `${at}: ${link}`);
      if (heading !== undefined) assert.ok(headings(read(path)).includes(heading), `${at}: ${link}`);
    }
  });
});

/** As GitHub makes them. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

describe('docs/architecture.md', () => {
  const text = read('docs/architecture.md');

  test('has exactly the folders of src, on the levels that the test of imports goes by', () => {
    const rows = cells(text, 'level', 'room', 'what it owns', 'what it never does');
    for (const row of rows) for (const cell of row) assert.notEqual(cell, '', row.join(' | '));
    const told = rows.map(([level = '', room = '']) => `${level} ${room.replaceAll('`', '')}`);
    const known = LEVELS.flatMap((rooms, index) => rooms.map((room) => `${index + 1} ${room}`));
    assert.deepEqual(told.sort(), known.sort());
    assert.deepEqual(LEVELS.flat().sort(), [...ROOMS, 'index.ts'].sort());
    const levels = rows.map(([level]) => Number(level));
    assert.deepEqual(
      levels,
      [...levels].sort((a, b) => b - a),
      'the highest level is at the top',
    );
  });

  test('every line of a signature stands in the file that it is said to be of', () => {
    let file = '';
    let source = '';
    let lines = 0;
    for (const line of found(text, /^```ts\n([^]*?)^```/gm).flatMap((block) => block.trimEnd().split('\n'))) {
      const [, named] = /^\/\/ (src\/\S+)$/.exec(line) ?? [];
      if (named === undefined) {
        assert.ok(source.includes(line.replace(/^declare /, '').replace(/;$/, '')), `${file} has no ${line.trim()}`);
        lines++;
      } else {
        file = named;
        source = read(named);
      }
    }
    assert.ok(lines > 50, String(lines));
  });
});

/** What a document says of a constant: the first group of the pattern is its number. */
const STATED: readonly (readonly [document: string, pattern: RegExp, file: string, constant: string, unit?: number])[] = [
  ['docs/lifecycle.md', /gathers for (\d+) ms/g, 'src/archive/chain.ts', 'GATHER_MS'],
  ['docs/lifecycle.md', /(\d+) captures or the queue is full/g, 'src/archive/chain.ts', 'GATHER_CAPTURES'],
  ['docs/lifecycle.md', /batch of up to (\d+)/g, 'src/archive/chain.ts', 'MAX_BATCH'],
  ['docs/lifecycle.md', /hangs for more than (\d+) seconds/g, 'src/archive/plugins.ts', 'PLUGIN_TIMEOUT_MS', 1000],
  ['docs/lifecycle.md', /Larger than (\d+) MiB/g, 'src/http1/head.ts', 'MAX_HEAD_BYTES', 1024 ** 2],
  ['docs/lifecycle.md', /more than ([\d,]+) fields/g, 'src/http1/fields.ts', 'MAX_FIELDS'],
  ['docs/decisions.md', /batch gathers for (\d+) ms/g, 'src/archive/chain.ts', 'GATHER_MS'],
  ['docs/decisions.md', /until it has (\d+) captures/g, 'src/archive/chain.ts', 'GATHER_CAPTURES'],
  ['docs/decisions.md', /\*\*(\d+) idle connections to origins/g, 'src/programs/handles.ts', 'MAX_IDLE_CONNECTIONS'],
  ['docs/plugins.md', /batch of up to (\d+)/g, 'src/archive/chain.ts', 'MAX_BATCH'],
  ['docs/plugins.md', /within (\d+) seconds/g, 'src/archive/plugins.ts', 'PLUGIN_TIMEOUT_MS', 1000],
  ['docs/library.md', /once (\d+) KiB wait/g, 'src/programs/inner-client.ts', 'MAX_WAITING_BYTES', 1024],
];

describe('times and counts in the docs', () => {
  for (const [document, pattern, file, constant, unit = 1] of STATED) {
    test(`${document} and ${constant} of ${file}`, () => {
      const stated = found(read(document), pattern);
      assert.ok(stated.length > 0, `nothing is like ${String(pattern)}`);
      for (const number of stated) assert.equal(Number(number.replaceAll(',', '')) * unit, constantIn(file, constant));
    });
  }
});

test('the table of the chain in docs/lifecycle.md has its steps in their order', () => {
  const told = cells(read('docs/lifecycle.md'), 'processor').flatMap(([cell = '']) => found(cell, /`([A-Z]\w+)`/g));
  const names = new Map(
    readdirSync(join(ROOT, 'src/archive'))
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => found(read(`src/archive/${name}`), /\bname: '([A-Z]\w+)'/g).map((step) => [step, name.replace(/\.ts$/, '')])),
  );
  assert.deepEqual([...told].sort(), [...names.keys()].sort());
  // In the list they stand as calls of what their files export, but for the last, which is made before.
  const list = read('src/programs/archiving.ts');
  const imported = (step: string): string => {
    const [name = ''] = found(list, new RegExp(`import \\{ (\\w+)[^}]*\\} from '\\.\\./archive/${names.get(step) ?? ''}\\.ts'`, 'g'));
    return name;
  };
  const chain = list.slice(list.indexOf('const chain:'), list.indexOf('return chain.filter'));
  const places = told.map((step) => chain.search(step === 'RunningStats' ? /\btotals,/ : new RegExp(`\\b${imported(step)}\\(`)));
  assert.ok(!places.includes(-1), String(places));
  // Either of the two loaders is in the chain, and the table has both on one line.
  const order = places.filter((_, index) => told[index] !== 'CdxServerDedupLoader');
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
});

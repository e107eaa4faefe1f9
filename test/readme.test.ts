/** What the README says of options, exit codes, files and scripts is what there is. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXIT } from '../src/cli/exit.ts';
import { optionsTable } from '../src/options/markdown.ts';
import { COMMAND_LINE_ROWS } from '../src/options/rows/logs-and-settings.ts';
import { PROXY_OPTIONS } from '../src/options/table.ts';

const root = new URL('../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

test('the README has the table of options as the code makes it', () => {
  const table = optionsTable({ ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS });
  assert.ok(readme.includes(table), `the tables under "## Options" must be:\n\n${table}`);
});

test('the README names the options that only --help-hidden shows', () => {
  const hidden = Object.entries({ ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS }).filter(([, row]) => 'hidden' in row && row.hidden);
  const named = /are shown by `--help-hidden`.*/.exec(readme)?.[0] ?? '';
  const flags = [...named.matchAll(/`--([a-z-]+)`/g)].map(([, flag]) => flag).filter((flag) => !flag?.startsWith('help'));
  const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  assert.deepEqual(flags.toSorted(), hidden.map(([name]) => kebab(name)).sort());
});

test('the README has the exit codes', () => {
  const rows = [...readme.matchAll(/^\| ([0-9]) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => ({ code: Number(code), meaning }));
  assert.deepEqual(rows, Object.values(EXIT));
});

test('the files and scripts that the README names are there', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path);
  const named = [...readme.matchAll(/\b(?:examples|bin)\/[\w.]+\.js\b/g)].map(([path]) => path);
  for (const path of [...links, ...named]) assert.ok(existsSync(new URL(path, root)), path);
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: Record<string, string> };
  for (const [, script = ''] of readme.matchAll(/npm run (\w+)/g)) assert.ok(Object.hasOwn(scripts, script), script);
});

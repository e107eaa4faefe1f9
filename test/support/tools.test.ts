/** How tests find other people's programs. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { findTool } from './tools.ts';

/** Programs of one name in several folders of PATH: all are Node, and can tell by which path they were started. */
const ASK = ['-p', 'process.argv0'];
const FOLDERS = ['a text', 'first', 'second', 'third'];
let dir: string;
const PATH = process.env.PATH;

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'warctap-tools-'));
  for (const folder of FOLDERS) mkdirSync(join(dir, folder));
  for (const folder of FOLDERS.slice(1)) symlinkSync(process.execPath, join(dir, folder, 'tool'));
  writeFileSync(join(dir, 'a text/tool'), 'second/tool');
  process.env.PATH = [join(dir, 'none'), '', ...FOLDERS.map((folder) => join(dir, folder))].join(delimiter);
});
after(() => {
  process.env.PATH = PATH;
  rmSync(dir, { recursive: true });
});

test('a program that has the name and says something else is passed over, whatever its place on PATH', () => {
  assert.deepEqual(findTool({ commands: ['tool'], ask: ASK, says: /(second|third).tool$/m }), {
    command: join(dir, 'second/tool'),
    skip: false,
  });
});

test('a path goes before PATH when it stands first, and is asked as well', () => {
  const find = (says: RegExp) => findTool({ commands: [undefined, join(dir, 'third/tool'), 'tool'], ask: ASK, says }).command;
  assert.equal(find(/tool$/m), join(dir, 'third/tool'));
  assert.equal(find(/first.tool$/m), join(dir, 'first/tool'));
});

test('one line says what is missing when nobody gives the answer, or nobody has the name', () => {
  const skip = (name: string, needs?: string) => findTool({ commands: [name], ask: ASK, says: /fourth/, ...(needs && { needs }) }).skip;
  assert.equal(skip('tool'), 'needs tool on PATH');
  assert.equal(skip('no-such-tool'), 'needs no-such-tool on PATH');
  assert.equal(skip('tool', 'a better tool'), 'needs a better tool');
});

/** Folders are made with those above them, and what is in the way is said at once. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from '../../src/util/folder.ts';

test('folders are made with those above them, and left alone where they are', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-folder-'));
  t.after(() => rm(dir, { recursive: true }));
  const deep = join(dir, 'a', 'b', 'c');
  await makeFolders(deep, 0o700);
  await makeFolders(deep);
  assert.equal((await stat(deep)).mode & 0o777, 0o700);
  await writeFile(join(dir, 'file'), '');
  await assert.rejects(makeFolders(join(dir, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolders(join(dir, 'file', 'x')), { code: 'ENOTDIR' });
});

const NO_PROC = process.platform !== 'linux' && 'needs /proc';

test('a folder that cannot have children is an error, not an endless loop', { skip: NO_PROC }, async () => {
  await assert.rejects(makeFolders('/proc/x/y'), { code: 'ENOENT' });
});

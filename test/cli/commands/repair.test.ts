import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createExclusively, loadLock, OutputFile } from '../../../src/warc/write/output.ts';
import { handMade } from '../../warc/tools/repair-support.ts';
import { tempDir } from '../../warc/support.ts';
import { runToEnd } from '../child.ts';

test('repair prints what it did to each file, and exits with 1 when one could not be repaired', async (t) => {
  const dir = tempDir(t);
  const whole = Buffer.concat([handMade(), handMade()]);
  writeFileSync(join(dir, 'a.warc.open'), whole.subarray(0, -1));
  writeFileSync(join(dir, 'b.warc'), whole);
  const paths = ['a.warc.open', 'b.warc'].map((name) => join(dir, name));
  const done = await runToEnd(['repair', ...paths]);
  assert.deepEqual([done.code, done.stderr], [0, '']);
  const half = handMade().length;
  const lines = [
    `${paths[0]}: cut from ${whole.length - 1} to ${half} bytes (ends before the end of its block), 1 record, now a.warc`,
    `${paths[1]}: whole, 2 records`,
    '',
  ];
  assert.deepEqual(done.stdout.split('\n'), lines);
  assert.deepEqual(readdirSync(dir), ['a.warc', 'b.warc']);

  const gone = await runToEnd(['repair', ...paths]);
  assert.equal(gone.code, 1);
  assert.match(gone.stdout, /a\.warc\.open: not repaired: ENOENT[^\n]*\n[^\n]*b\.warc: whole, 2 records\n$/);
});

test('repair takes a folder for all WARC files in it', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'a.warc.open'), handMade());
  writeFileSync(join(dir, 'b.warc'), handMade());
  const { code, stdout } = await runToEnd(['repair', dir]);
  assert.deepEqual(
    [code, stdout],
    [0, `${join(dir, 'a.warc.open')}: whole, 1 record, now a.warc\n${join(dir, 'b.warc')}: whole, 1 record\n`],
  );
});

test('repair leaves a file alone that another process writes', async (t) => {
  const dir = tempDir(t);
  const options = { openSuffix: true, lock: loadLock(), fsync: 'never', create: createExclusively } as const;
  const file = await OutputFile.create(dir, () => 'P.warc', options);
  await file.append([handMade(), Buffer.from('half')]);
  const { code, stdout } = await runToEnd(['repair', file.path]);
  assert.deepEqual([code, stdout], [1, `${file.path}: not repaired: is in use by another process\n`]);
  assert.equal(readFileSync(file.path).length, file.size);
  await file.abandon();
  assert.equal((await runToEnd(['repair', file.path])).code, 0);
  assert.deepEqual(readdirSync(dir), ['P.warc']);
});

test('repair wants a file, and has help with its exit codes', async () => {
  assert.deepEqual(await runToEnd(['repair']), {
    code: 2,
    stdout: '',
    stderr: `warctap: repair: expected at least one file or folder, see repair --help\n`,
  });
  const { code, stdout } = await runToEnd(['repair', '--help']);
  assert.equal(code, 0);
  assert.match(stdout, /\[FILE\|DIR\.\.\.\][^]*Exit codes:\n {2}0 [^]*\n {2}1 [^]*\n {2}2 /);
});

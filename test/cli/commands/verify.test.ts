import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { handMade, idOf, members } from '../../warc/tools/repair-support.ts';
import { sha1, tempDir } from '../../warc/support.ts';
import { runToEnd } from '../child.ts';

test('verify prints a line for each file without a fault and exits with 0', async (t) => {
  const dir = tempDir(t);
  const record = handMade({ more: `WARC-Block-Digest: ${sha1('hello')}\r\n` });
  const files = [join(dir, 'a.warc'), join(dir, 'b.warc.gz')];
  writeFileSync(files[0]!, Buffer.concat([record, record]));
  writeFileSync(files[1]!, members(handMade({ more: 'WARC-Block-Digest: odd:1\r\n' })));
  assert.deepEqual(await runToEnd(['verify', ...files]), {
    code: 0,
    stdout: `${files[0]}: ok, 2 records, 2 digests\n${files[1]}: ok, 1 records, 0 digests; 1 digests not checked\n`,
    stderr: '',
  });
});

test('verify takes a folder for all WARC files in it and below, in order', async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'b'));
  writeFileSync(join(dir, 'c.warc.gz'), members(handMade()));
  writeFileSync(join(dir, 'b', 'x.warc.open'), handMade());
  writeFileSync(join(dir, 'a.warc'), handMade());
  for (const other of ['notes.txt', 'a.warc.tmp~', 'b/warc']) writeFileSync(join(dir, other), 'no WARC');
  const lines = ['a.warc', 'b/x.warc.open', 'c.warc.gz'].map((name) => `${join(dir, name)}: ok, 1 records, 0 digests\n`);
  assert.deepEqual(await runToEnd(['verify', dir]), { code: 0, stdout: lines.join(''), stderr: '' });
});

test('a folder without WARC files is told', async (t) => {
  const dir = tempDir(t);
  for (const command of ['verify', 'repair']) {
    const stderr = `warctap: ${command}: expected WARC files (*.warc, *.warc.gz …) in "${dir}", there are none\n`;
    assert.deepEqual(await runToEnd([command, dir]), { code: 2, stdout: '', stderr });
  }
});

test('verify prints a line for each fault and exits with 1', async (t) => {
  const dir = tempDir(t);
  const [bad, good, none] = [join(dir, 'bad.warc'), join(dir, 'good.warc'), join(dir, 'none.warc')];
  const wrong = handMade({ more: `WARC-Block-Digest: ${sha1('other')}\r\n` });
  writeFileSync(bad, Buffer.concat([wrong, handMade(), handMade().subarray(0, -1)]));
  writeFileSync(good, handMade());
  const { code, stdout, stderr } = await runToEnd(['verify', bad, none, good]);
  assert.equal(code, 1);
  assert.deepEqual(stdout.split('\n'), [
    `${bad}: record at byte 0: WARC-Block-Digest does not match (${sha1('other')})`,
    `${bad}: record at byte ${wrong.length + handMade().length}: is not followed by two line ends`,
    `${none}: there is no such file`,
    `${good}: ok, 1 records, 0 digests`,
    '',
  ]);
  assert.equal(stderr, '');
});

test('verify takes a revisit of nothing for a fault, unless that is allowed', async (t) => {
  const file = join(tempDir(t), 'r.warc');
  writeFileSync(file, handMade({ type: 'revisit', more: `WARC-Refers-To: ${idOf(999)}\r\n` }));
  const strict = await runToEnd(['verify', file]);
  assert.deepEqual([strict.code, strict.stdout], [1, `${file}: record at byte 0: refers to ${idOf(999)}, which is in none of the files\n`]);
  const lenient = await runToEnd(['verify', '--allow-unresolved', file]);
  assert.deepEqual([lenient.code, lenient.stdout], [0, `${file}: ok, 1 records, 0 digests; 1 revisits without their original\n`]);
});

test('verify wants a file, and has help with its exit codes', async () => {
  assert.deepEqual(await runToEnd(['verify']), {
    code: 2,
    stdout: '',
    stderr: `warctap: verify: expected at least one file or folder, see verify --help\n`,
  });
  const { code, stdout } = await runToEnd(['verify', '--help']);
  assert.equal(code, 0);
  assert.match(stdout, /\[FILE\|DIR\.\.\.\][^]*Exit codes:\n {2}0 [^]*\n {2}1 [^]*\n {2}2 /);
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { base32Sha1, members } from '../../warc/tools/repair-support.ts';
import { runToEnd } from '../child.ts';
import { RECORDS, sampleFile } from './files-support.ts';

const offset = (count: number) => members(...RECORDS.slice(0, count)).length;
const length = (index: number) => members(RECORDS[index]!).length;

test('cdxj prints a sorted index, in CDXJ or in eleven columns', async (t) => {
  const file = sampleFile(t);
  const { code, stdout, stderr } = await runToEnd(['cdxj', file, '--dir-root', dirname(dirname(file))]);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = stdout.split('\n');
  assert.deepEqual(
    lines.map((line) => line.slice(0, line.indexOf(' {'))),
    [
      'com,example)/ 20240203040506',
      'com,example)/a.png?__wb_method=post&__wb_post_data=cT0x'.toLowerCase() + ' 20240203040506',
      'urn:example:thing 20240203040506',
      '',
    ],
  );
  const folder = dirname(file).split('/').at(-1);
  assert.equal(
    lines[1]!.slice(lines[1]!.indexOf(' {') + 1),
    `{"url": "http://example.com/a.png", "mime": "image/PNG", "status": "404", "digest": "${base32Sha1('no')}", ` +
      `"length": "${length(3)}", "offset": "${offset(3)}", "filename": "${folder}/a.warc.gz", ` +
      `"requestBody": "__wb_post_data=cT0x", "method": "POST"}`,
  );
  const columns = await runToEnd(['cdxj', '--cdx11', file]);
  assert.deepEqual(columns.stdout.split('\n').slice(0, 1), [' CDX N b a m s k r M S V g']);
  assert.match(columns.stdout, /^urn:example:thing 20240203040506 urn:example:thing text\/plain - \w{32} - - \d+ \d+ a\.warc\.gz$/m);
});

test('cdxj gives what can be read of a file that is cut, and ends with 1', async (t) => {
  const file = sampleFile(t, 'cut.warc.gz', members(...RECORDS).subarray(0, offset(5) + 20));
  const { code, stdout, stderr } = await runToEnd(['cdxj', file]);
  assert.deepEqual([code, stdout.split('\n').length], [1, 3]);
  assert.match(stderr, new RegExp(`: record at byte ${offset(5)}: .+\\n$`));
});

test('of files that cannot be read no empty index is left, and of some that can their own', async (t) => {
  const file = sampleFile(t);
  const [missing, output] = [join(dirname(file), 'missing.warc'), join(dirname(file), 'all.cdxj')];
  for (const args of [[], ['--cdx11']]) {
    const none = await runToEnd(['cdxj', ...args, '--output', output, missing]);
    assert.deepEqual([none.code, existsSync(output)], [1, false]);
  }
  const some = await runToEnd(['cdxj', '--output', output, missing, file]);
  assert.equal(some.code, 1);
  assert.equal(some.stderr.split('\n').length, 2);
  assert.equal(readFileSync(output, 'utf8').split('\n').length, 4);
});

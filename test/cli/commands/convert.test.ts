import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { findTool } from '../../support/tools.ts';
import { handMade, members } from '../../warc/tools/repair-support.ts';
import { runToEnd } from '../child.ts';
import { RECORDS, sampleFile } from './files-support.ts';

/** Fields that are not UTF-8, odd cases and white space; noise; and one that is too long for memory. */
const ODD = [
  ...RECORDS,
  Buffer.from(handMade({ more: 'x-Odd :  \xe9\xff  \r\n folded\r\n' }).toString('latin1'), 'latin1'),
  handMade({ block: Buffer.from(Array.from({ length: 30_000 }, (_, index) => (index * 7_919 * (index + 3)) % 251)) }),
  handMade({ block: Buffer.alloc(3_000_000, 'long ') }),
];

const zstd = findTool({ commands: ['zstd'], ask: ['--version'], says: /Zstandard/i });

test('convert to zstd and back gives the same bytes, a frame for each record; all commands read them', async (t) => {
  const plain = Buffer.concat(ODD);
  const file = sampleFile(t, 'z.warc', plain);
  const packed = join(dirname(file), 'z.warc.zst');
  assert.deepEqual(await runToEnd(['convert', file, '--to', 'zstd']), {
    code: 0,
    stdout: `${packed}: ${ODD.length} records\n`,
    stderr: '',
  });
  assert.equal((await runToEnd(['verify', packed])).stdout, `${packed}: ok, ${ODD.length} records, 0 digests\n`);
  assert.equal((await runToEnd(['convert', packed, '--to', 'plain', '--force'])).code, 0);
  assert.ok(readFileSync(file).equals(plain));
});

test('a file of zstd itself is read, and zstd reads ours', { skip: zstd.skip }, async (t) => {
  const file = sampleFile(t, 'y.warc', Buffer.concat(ODD));
  assert.equal((await runToEnd(['convert', file, '--to', 'zstd'])).code, 0);
  const options = { maxBuffer: 100_000_000 };
  assert.ok(execFileSync(zstd.command, ['-dc', `${file}.zst`], options).equals(Buffer.concat(ODD)));
  const frames = ODD.map((record, index) =>
    execFileSync(zstd.command, ['-c', index % 2 === 0 ? '-1' : '-19'], { ...options, input: record }),
  );
  const theirs = sampleFile(t, 'x.warc.zst', Buffer.concat(frames));
  const { code, stdout, stderr } = await runToEnd(['verify', theirs]);
  assert.deepEqual([code, stdout, stderr], [0, `${theirs}: ok, ${ODD.length} records, 0 digests\n`, '']);
});

test('convert there and back gives the same bytes, a member for each record, and touches no other file', async (t) => {
  const plain = Buffer.concat(ODD);
  const file = sampleFile(t, 'a.warc', plain);
  const packed = join(dirname(file), 'a.warc.gz');
  assert.deepEqual(await runToEnd(['convert', file, '--to', 'gzip']), {
    code: 0,
    stdout: `${packed}: ${ODD.length} records\n`,
    stderr: '',
  });
  assert.ok(gunzipSync(readFileSync(packed)).equals(plain));
  const { code, stdout } = await runToEnd(['verify', packed]);
  assert.deepEqual([code, stdout], [0, `${packed}: ok, ${ODD.length} records, 0 digests\n`]);

  const taken = { code: 1, stdout: '', stderr: `warctap: ${file} is there already; --force replaces it\n` };
  assert.deepEqual(await runToEnd(['convert', packed, '--to', 'plain']), taken);
  writeFileSync(file, 'other');
  assert.equal((await runToEnd(['convert', packed, '--to', 'plain', '--force'])).code, 0);
  assert.ok(readFileSync(file).equals(plain));
});

test('what is not whole is told and left out; of nothing nothing is made', async (t) => {
  const damaged = Buffer.from(members(handMade({ block: 'lost' })));
  damaged[damaged.length - 5]! ^= 1;
  const file = sampleFile(t, 'b.warc.gz', Buffer.concat([members(RECORDS[0]!), damaged, members(RECORDS[5]!)]));
  const plain = join(dirname(file), 'b.warc');
  const { code, stdout, stderr } = await runToEnd(['convert', file, '--to', 'plain']);
  assert.deepEqual([code, stdout], [1, `${plain}: 2 records\n`]);
  assert.match(stderr, /: record at byte \d+: gzip checksum does not match\n$/);
  assert.ok(readFileSync(plain).equals(Buffer.concat([RECORDS[0]!, RECORDS[5]!])));

  const none = sampleFile(t, 'none.warc', Buffer.from('no WARC'));
  const ended = await runToEnd(['convert', none, '--to', 'gzip']);
  assert.deepEqual([ended.code === 0, existsSync(`${none}.gz`)], [false, false]);
  assert.match((await runToEnd(['convert', none])).stderr, /^warctap: convert: expected --to gzip, --to plain or --to zstd\n$/);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { findTool } from '../../support/tools.ts';
import { handMade, members } from '../../warc/tools/repair-support.ts';
import { dictionaryIn } from '../../../src/warc/codec/zstd/dictionary.ts';
import { FileWindow } from '../../../src/warc/window.ts';
import { runToEnd } from '../child.ts';
import { RECORDS, sampleFile } from './files-support.ts';

/** Fields that are not UTF-8, odd cases and white space; noise; and one that is too long for memory. */
const ODD = [
  ...RECORDS,
  Buffer.from(handMade({ more: 'x-Odd :  \xe9\xff  \r\n folded\r\n' }).toString('latin1'), 'latin1'),
  handMade({ block: Buffer.from(Array.from({ length: 30_000 }, (_, index) => (index * 7_919 * (index + 3)) % 251)) }),
  handMade({ block: Buffer.alloc(3_000_000, 'long ') }),
];

async function dictionaryInFile(file: string): Promise<Buffer> {
  await using handle = await open(file, 'r');
  return (await dictionaryIn(new FileWindow(handle, (await handle.stat()).size)))?.bytes ?? Buffer.alloc(0);
}

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

/** Records that have much in common, as those of one site have. */
const ALIKE = Array.from({ length: 60 }, (_, nth) =>
  handMade({
    block: `HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n<html><title>Page ${nth}</title><body class=site>${nth * 7919}`,
  }),
);

test('with a dictionary files are smaller, hold it, and come back byte for byte', async (t) => {
  const plain = Buffer.concat([...ALIKE, ...ODD]);
  const file = sampleFile(t, 'd.warc', plain);
  const packed = `${file}.zst`;
  assert.equal((await runToEnd(['convert', file, '--to', 'zstd'])).code, 0);
  const without = readFileSync(packed).length;
  const trained = await runToEnd(['convert', file, '--to', 'zstd', '--dictionary', 'train', '--force']);
  assert.deepEqual([trained.code, trained.stderr], [0, '']);
  assert.ok(readFileSync(packed).length < without - 3000, `${readFileSync(packed).length} < ${without}`);
  const records = ALIKE.length + ODD.length;
  assert.equal((await runToEnd(['verify', packed])).stdout, `${packed}: ok, ${records} records, 0 digests\n`);
  assert.equal((await runToEnd(['convert', packed, '--to', 'plain', '--force'])).code, 0);
  assert.ok(readFileSync(file).equals(plain));
});

test('dictionaries of zstd are taken, and zstd unpacks with ours', { skip: zstd.skip }, async (t) => {
  const plain = Buffer.concat([...ALIKE, ...ODD]);
  const file = sampleFile(t, 'e.warc', plain);
  const folder = dirname(file);
  for (const [nth, record] of ALIKE.entries()) writeFileSync(join(folder, `sample${nth}`), record);
  const samples = ALIKE.map((_, nth) => `sample${nth}`);
  const options = { cwd: folder, maxBuffer: 100_000_000 };
  execFileSync(zstd.command, ['-q', '--train', ...samples, '-o', 'their.dict', '--maxdict=4096'], { ...options, stdio: 'ignore' });
  const theirs = readFileSync(join(folder, 'their.dict'));
  assert.equal((await runToEnd(['convert', file, '--to', 'zstd', '--dictionary', join(folder, 'their.dict')])).code, 0);
  assert.ok(execFileSync(zstd.command, ['-D', 'their.dict', '-dc', 'e.warc.zst'], options).equals(plain));

  const header = Buffer.from('5d2a4d1800000000', 'hex');
  header.writeUInt32LE(theirs.length, 4);
  const frames = [...ALIKE, ...ODD].map((record) => execFileSync(zstd.command, ['-D', 'their.dict', '-c'], { ...options, input: record }));
  const other = join(folder, 'other.warc.zst');
  writeFileSync(other, Buffer.concat([header, theirs, ...frames]));
  assert.equal((await runToEnd(['verify', other])).stdout, `${other}: ok, ${frames.length} records, 0 digests\n`);

  assert.equal((await runToEnd(['convert', file, '--to', 'zstd', '--dictionary', 'train', '--force'])).code, 0);
  const ours = await dictionaryInFile(join(folder, 'e.warc.zst'));
  writeFileSync(join(folder, 'our.dict'), ours);
  assert.ok(execFileSync(zstd.command, ['-D', 'our.dict', '-dc', 'e.warc.zst'], options).equals(plain));
});

test('what is no dictionary, or cannot be made, is told', async (t) => {
  const file = sampleFile(t);
  const told = async (...options: string[]) => (await runToEnd(['convert', file, ...options])).stderr;
  assert.match(await told('--to', 'gzip', '--dictionary', 'train'), /--dictionary is for --to zstd\n$/);
  assert.match(await told('--to', 'zstd', '--dictionary', 'train'), /expected at least 10 records to make it of, there are 6\n$/);
  assert.match(await told('--to', 'zstd', '--dictionary', file), /is no dictionary of Zstandard/);
  assert.match(await told('--to', 'zstd', '--dictionary', 'nowhere'), /--dictionary "nowhere": .*no such file/);
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

test('--dir-to is made where it is not there, and what cannot be one is told by its option', async (t) => {
  const plain = Buffer.concat(RECORDS);
  const file = sampleFile(t, 'c.warc', plain);
  const to = join(dirname(file), 'new', 'folder');
  assert.equal((await runToEnd(['convert', file, '--to', 'plain', '--dir-to', to])).code, 0);
  assert.ok(readFileSync(join(to, 'c.warc')).equals(plain));
  const { code, stderr } = await runToEnd(['convert', file, '--to', 'gzip', '--dir-to', file]);
  assert.deepEqual([code, stderr], [2, `warctap: convert: --dir-to ${JSON.stringify(file)}: it is a file, not a folder\n`]);
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

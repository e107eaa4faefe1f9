/** Archives of strangers: what is well is unpacked as it is told, everything else is refused, and nothing comes to lie outside of the folder. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkArchive, unpackArchive } from '../../src/transform/archive.ts';
import { Refusal } from '../../src/transform/errors.ts';
import { contentsOf, packInto } from '../../src/transform/pack.ts';
import { tool } from '../support/tools.ts';
import { jobJson, paxRecord, tarOf, Workplace, type RawMember } from './support.ts';

const place = new Workplace();
const python = tool('python3');
let count = 0;

const limitsFor = (folder: string) => ({ maxUnpacked: 10_000_000, maxMembers: 1000, folder });

async function attempt(bytes: Buffer): Promise<{ readonly outside: string; readonly dir: string; readonly refusal: string | undefined }> {
  const outside = join(place.dir, `case-${++count}`);
  const dir = join(outside, 'in');
  mkdirSync(dir, { recursive: true });
  const file = join(place.dir, `case-${count}.tar`);
  writeFileSync(file, bytes);
  const refusals: (string | undefined)[] = [];
  for (const work of [() => checkArchive(file, limitsFor(dir)), () => unpackArchive(file, dir, limitsFor(dir))]) {
    try {
      await work();
      refusals.push(undefined);
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error));
      assert.equal(error.status, 400);
      refusals.push(error.message);
    }
  }
  assert.equal(refusals[0], refusals[1], 'checking and unpacking agree');
  assert.deepEqual(readdirSync(outside), ['in']);
  return { outside, dir, refusal: refusals[0] };
}

/** Checked only: an archive of many members would take long to be unpacked up to the one too many. */
async function refusalOf(bytes: Buffer, limits = limitsFor(place.dir)): Promise<string> {
  const file = join(place.dir, 'checked.tar');
  writeFileSync(file, bytes);
  try {
    await checkArchive(file, limits);
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return error.message;
  }
  return '';
}

const job = jobJson();
const longName = `${'d'.repeat(200)}/${'f'.repeat(200)}`;

describe('what is unpacked', () => {
  test('any order, names with ./, folders, long names in both forms, names beyond ASCII, and times of pax', async () => {
    const { dir, refusal } = await attempt(
      tarOf([
        { name: './', flag: '5' },
        { name: './sub/', flag: '5', mode: 0o755 },
        { name: './sub//a.txt', content: 'a', mode: 0o4755, pax: paxRecord('mtime', '1000000000.5') },
        { name: '././@LongLink', flag: 'L', content: `${longName}\0` },
        { name: 'cut', content: 'long' },
        { name: 'cut', content: 'é', pax: paxRecord('path', 'é ü/日本.txt') },
        { name: 'old', flag: '\0', content: 'v7' },
        job,
        { name: 'sub/a.txt', content: 'the last one counts' },
      ]),
    );
    assert.equal(refusal, undefined);
    assert.equal(readFileSync(join(dir, 'sub/a.txt'), 'utf8'), 'the last one counts');
    assert.equal(readFileSync(join(dir, longName), 'utf8'), 'long');
    assert.equal(readFileSync(join(dir, 'é ü/日本.txt'), 'utf8'), 'é');
    assert.equal(readFileSync(join(dir, 'old'), 'utf8'), 'v7');
  });

  test('set-id bits are dropped, and times kept', async () => {
    const { dir } = await attempt(tarOf([{ name: 'a', content: 'a', mode: 0o6755, pax: paxRecord('mtime', '1000000000.5') }, job]));
    const { mode, mtimeMs } = statSync(join(dir, 'a'));
    assert.deepEqual([mode & 0o7000, mode & 0o700, mtimeMs], [0, 0o700, 1_000_000_000_500]);
  });

  test('links that stay inside', async () => {
    const { dir, refusal } = await attempt(
      tarOf([
        job,
        { name: 'sub/a', content: 'a' },
        { name: 'sub/up', flag: '2', link: '../sub/./a' },
        { name: 'hard', flag: '1', link: './sub/a' },
        { name: 'nowhere', flag: '2', link: 'not/there' },
      ]),
    );
    assert.equal(refusal, undefined);
    assert.equal(readlinkSync(join(dir, 'sub/up')), '../sub/./a');
    assert.equal(readFileSync(join(dir, 'hard'), 'utf8'), 'a');
  });

  test('what comes behind the end of the archive is not looked at', async () => {
    const { dir, refusal } = await attempt(Buffer.concat([tarOf([job]), Buffer.from('garbage'), tarOf([{ name: '../x' }])]));
    assert.equal(refusal, undefined);
    assert.deepEqual(readdirSync(dir), ['job.json']);
  });
});

describe('what is refused', () => {
  const pax = (key: string, value: string, more: Partial<RawMember> = {}): RawMember => ({
    name: 'x',
    content: 'x',
    pax: paxRecord(key, value),
    ...more,
  });
  const cases: Readonly<Record<string, readonly RawMember[]>> = {
    'an absolute name': [{ name: '/tmp/warctap-outside' }],
    'a name with ..': [{ name: 'a/../../x' }],
    '.. alone': [{ name: '..', flag: '5' }],
    'a long name with ..': [{ name: 'L', flag: 'L', content: '../../x\0' }, { name: 'x' }],
    'a pax name with ..': [pax('path', '../x')],
    'a pax name that is absolute': [pax('path', '/tmp/warctap-outside')],
    'a name of pax for all with ..': [{ name: 'g', flag: 'g', content: paxRecord('path', '../x') }, { name: 'a' }],
    'a pax name with NUL': [pax('path', 'a\0b')],
    'a symbolic link that is absolute': [{ name: 'l', flag: '2', link: '/etc/passwd' }],
    'a symbolic link that leaves': [{ name: 'l', flag: '2', link: '../x' }],
    'a symbolic link to .. from a folder': [{ name: 'a/l', flag: '2', link: '../../x' }],
    'a link of pax that leaves': [pax('linkpath', '../../x', { flag: '2', content: '' })],
    'a file written through a link': [
      { name: 'l', flag: '2', link: 'sub' },
      { name: 'l/x', content: 'x' },
    ],
    'a file in the place of a link': [
      { name: 'l', flag: '2', link: 'sub' },
      { name: 'l', content: 'x' },
    ],
    'a link in the place of a folder': [{ name: 'l/x' }, { name: 'l', flag: '2', link: 'sub' }],
    'a link in the place of a file': [{ name: 'l' }, { name: 'l', flag: '2', link: 'sub' }],
    'links that leave together': [
      { name: 'a/b/c', flag: '5' },
      { name: 'x', flag: '2', link: 'a/b/up/../..' },
      { name: 'a/b/up', flag: '2', link: '../..' },
    ],
    'a link to itself': [{ name: 'l', flag: '2', link: 'l' }],
    'a hard link outside': [{ name: 'l', flag: '1', link: '../../etc/passwd' }],
    'a hard link that is absolute': [{ name: 'l', flag: '1', link: '/etc/passwd' }],
    'a hard link to what is not there': [{ name: 'l', flag: '1', link: 'x' }],
    'a hard link to a link': [
      { name: 's', flag: '2', link: 'x' },
      { name: 'l', flag: '1', link: 's' },
    ],
    'a device': [{ name: 'd', flag: '3' }],
    'a block device': [{ name: 'd', flag: '4' }],
    'a FIFO': [{ name: 'd', flag: '6' }],
    'a sparse file': [{ name: 'd', flag: 'S' }],
    'a sparse file of pax': [pax('GNU.sparse.realsize', '1000000000000')],
    'an unknown kind': [{ name: 'd', flag: 'Z' }],
    'a file in a file': [{ name: 'a' }, { name: 'a/b' }],
    'job.json twice': [jobJson()],
    'a name of more than 4096 bytes': [pax('path', `${'d/'.repeat(2050)}x`)],
    'a part of more than 255 bytes': [pax('path', 'd'.repeat(256))],
    'a name that is not UTF-8': [{ name: Buffer.from('\xe9t\xe9', 'latin1') }],
    'a name without anything': [{ name: './' }],
    'a pax size that differs': [pax('size', '0')],
    'a pax size that is negative': [pax('size', '-1', { size: 0, content: '' })],
    'a pax size that is larger than the archive': [pax('size', '99999', { size: 0, content: '' })],
    'a pax record that is longer than its header': [{ name: 'x', pax: '99 path=y\n' }],
    'a pax record that is shorter than it says': [{ name: 'x', pax: '5 path=../../../../tmp/y\n' }],
    'a pax record without =': [{ name: 'x', pax: '9 path y\n' }],
    'a pax record without its line end': [{ name: 'x', pax: '9 path=ab' }],
    'a pax record whose length is no number': [{ name: 'x', pax: '0x9 path=a\n' }],
    'headers without end': Array.from({ length: 20 }, (): RawMember => ({ name: 'x', flag: 'x', content: paxRecord('a', 'b') })),
    'a header of pax that is huge': [{ name: 'x', flag: 'x', size: 2_000_000 }],
    'a long name of 2 MB': [{ name: 'x', flag: 'L', content: 'a'.repeat(2_000_000) }, { name: 'x' }],
    'a size that is no number': [{ name: 'x', size: NaN }],
  };
  for (const [what, members] of Object.entries(cases)) {
    test(what, async () => {
      const { refusal } = await attempt(tarOf([job, ...members]));
      assert.ok(refusal !== undefined, 'was unpacked');
      assert.doesNotMatch(refusal, /\n/);
      assert.ok(!existsSync('/tmp/warctap-outside'));
    });
  }

  test('job.json as a link', async () => {
    assert.match(
      (
        await attempt(
          tarOf([
            { name: 'x', content: '{}' },
            { name: 'job.json', flag: '1', link: 'x' },
          ]),
        )
      ).refusal ?? '',
      /expected a file/,
    );
  });

  test('more than may be unpacked, by what is stated and without unpacking it', async () => {
    assert.match(await refusalOf(gzipSync(tarOf([job, { name: 'x', size: 10_000_001 }], false))), /too large/);
  });

  test('a bomb: much of nothing in small pieces', async () => {
    const part = gzipSync(Buffer.alloc(8_000_000), { level: 9 });
    const bomb = Buffer.concat([gzipSync(tarOf([job, { name: 'x', size: 9_000_000 }], false)), ...Array.from({ length: 20 }, () => part)]);
    assert.ok(bomb.length < 200_000, String(bomb.length));
    assert.match(await refusalOf(bomb), /too large/);
  });

  test('a million members, and folders that are no members', async () => {
    const many = tarOf(
      Array.from({ length: 1000 }, (_, index) => ({ name: `f${index}` })),
      false,
    );
    const archive = gzipSync(Buffer.concat([tarOf([job], false), ...Array.from({ length: 1000 }, () => many)]), { level: 1 });
    assert.match(await refusalOf(archive), /too many members/);
    const deep = Array.from({ length: 30 }, (_, index) => ({ name: 'x', pax: paxRecord('path', `${index}/${'d/'.repeat(100)}x`) }));
    assert.match(await refusalOf(tarOf([job, ...deep])), /too many members/);
  });

  test('links that lead to links that lead to links, soon enough', async () => {
    const links = Array.from({ length: 900 }, (_, index) => ({ name: `l${index}`, flag: '2', link: `l${index + 1}/`.padEnd(99, './') }));
    const startedMs = performance.now();
    assert.notEqual(await refusalOf(tarOf([job, ...links])), '');
    assert.ok(performance.now() - startedMs < 20_000);
  });
});

test('an archive of Python, of a link and a hard link too, is read, and it reads ours', { skip: python.skip }, async () => {
  const from = join(place.dir, 'python');
  mkdirSync(join(from, 'sub'), { recursive: true });
  writeFileSync(join(from, 'job.json'), job.content ?? '');
  writeFileSync(join(from, 'sub/é.txt'), 'text');
  const script = `
import os, sys, tarfile
os.chdir(sys.argv[1])
os.symlink('sub/é.txt', 'link'); os.link('sub/é.txt', 'hard')
with tarfile.open(sys.argv[2], 'w:gz', format=tarfile.PAX_FORMAT) as tar:
    for name in ['job.json', 'hard', 'sub', 'link']: tar.add(name)
`;
  const file = join(place.dir, 'python.tar.gz');
  const made = spawnSync(python.command, ['-c', script, from, file], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const dir = mkdtempSync(join(place.dir, 'out-'));
  await unpackArchive(file, dir, limitsFor(dir));
  assert.deepEqual(
    ['hard', 'link', 'sub/é.txt'].map((name) => readFileSync(join(dir, name), 'utf8')),
    ['text', 'text', 'text'],
  );
  const packed = join(place.dir, 'ours.tar.gz');
  await packInto(packed, (await contentsOf(dir, 100)).members);
  const read = spawnSync(
    python.command,
    ['-c', 'import sys, tarfile; print(*[m.name + " " + str(m.type) for m in tarfile.open(sys.argv[1], "r:gz")], sep="\\n")', packed],
    { encoding: 'utf8' },
  );
  assert.equal(read.stdout, "hard b'0'\njob.json b'0'\nlink b'2'\nsub b'5'\nsub/é.txt b'0'\n", read.stderr);
});

test('of a folder what would lead outside is left out, and told', async () => {
  const dir = mkdtempSync(join(place.dir, 'pack-'));
  mkdirSync(join(dir, 'sub'));
  writeFileSync(join(dir, 'sub/a'), 'a');
  const script =
    "import os, sys; os.chdir(sys.argv[1]); os.symlink('/etc/passwd', 'out'); os.symlink('a', 'sub/in'); os.mkfifo('fifo'); open(b'\\xe9', 'w')";
  const made = spawnSync(python.command, ['-c', script, dir], { encoding: 'utf8' });
  if (made.status !== 0) return rmSync(dir, { recursive: true });
  const { members, omitted } = await contentsOf(dir, 100);
  assert.deepEqual(
    members.map(({ name, kind }) => `${kind} ${name}`),
    ['folder sub', 'file sub/a', 'symlink sub/in'],
  );
  assert.equal(omitted.length, 3);
  assert.ok(lstatSync(join(dir, 'out')).isSymbolicLink());
});

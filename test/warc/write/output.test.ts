import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createExclusively, loadLock, OutputFile, type OutputOptions } from '../../../src/warc/write/output.ts';
import { tool } from '../../support/tools.ts';
import { output, pool, readAll, recordsOf, tempDir } from '../support.ts';

/** What warcprox's readers do: try to lock the file, which fails while it is being written. */
const TRY_LOCK = `
import fcntl, sys
with open(sys.argv[1], 'r+b') as f:
    try:
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print('free')
    except OSError:
        print('locked')
`;
const python = tool('python3');

const LOCKED: OutputOptions = { ...output, openSuffix: false, lock: loadLock() };

test('without the open suffix another process sees the file locked until it is closed', { skip: python.skip }, async (t) => {
  const dir = tempDir(t);
  const look = () => spawnSync(python.command, ['-c', TRY_LOCK, join(dir, 'P-00000.warc')], { encoding: 'utf8' }).stdout.trim();
  const writers = pool(dir, { output: LOCKED });
  await writers.write([{ prefix: 'P', records: await recordsOf() }]);
  assert.deepEqual(readdirSync(dir), ['P-00000.warc']);
  assert.equal(look(), 'locked');
  await writers.close();
  assert.equal(look(), 'free');
  assert.equal((await readAll(join(dir, 'P-00000.warc'))).length, 3);
});

test('without the open suffix an existing file, open or closed, is not touched', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'P-00000.warc'), '');
  writeFileSync(join(dir, 'P-00001.warc.open'), '');
  const writers = pool(dir, { output: LOCKED });
  const [written] = await writers.write([{ prefix: 'P', records: await recordsOf() }]);
  assert.equal(written![0]!.filename, 'P-00002.warc');
  await writers.close();
  assert.deepEqual(readdirSync(dir), ['P-00000.warc', 'P-00001.warc.open', 'P-00002.warc']);
});

test('a new file that somebody else has locked is left to them', async (t) => {
  const dir = tempDir(t);
  const answers = [false, true];
  const writers = pool(dir, { output: { ...output, openSuffix: false, lock: () => answers.shift() ?? true } });
  const [written] = await writers.write([{ prefix: 'P', records: await recordsOf() }]);
  assert.equal(written![0]!.filename, 'P-00001.warc');
  await writers.close();
});

test('where there are no hard links, a file still gets its name without replacing another', async (t) => {
  const dir = tempDir(t);
  const link = () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' }));
  const writers = pool(dir, { output: { ...output, link } });
  for (const prefix of ['free', 'taken']) await writers.write([{ prefix, records: await recordsOf() }]);
  writeFileSync(join(dir, 'taken-00000.warc'), 'precious');
  await writers.close();
  assert.deepEqual(readdirSync(dir), ['free-00000.warc', 'taken-00000.warc', 'taken-00001.warc']);
  assert.equal(readFileSync(join(dir, 'taken-00000.warc'), 'latin1'), 'precious');
  assert.equal((await readAll(join(dir, 'free-00000.warc'))).length, 3);
});

test('a write that takes only a part is continued, with thousands of pieces too', async (t) => {
  const dir = tempDir(t);
  const create = async (path: string) => {
    const handle = await createExclusively(path);
    return {
      fd: handle.fd,
      truncate: (size: number) => handle.truncate(size),
      sync: () => handle.sync(),
      close: () => handle.close(),
      read: (...part: Parameters<typeof handle.read>) => handle.read(...part),
      stat: (options: { readonly bigint: true }) => handle.stat(options),
      writev: (pieces: readonly Buffer[], position: number) => handle.writev([Buffer.concat(pieces).subarray(0, 1000)], position),
    };
  };
  const pieces = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index}`.repeat(index % 3)));
  for (const options of [output, { ...output, create }]) {
    const file = await OutputFile.create(dir, counted(), options);
    await file.append(pieces);
    await file.append([]);
    await file.append([Buffer.from('end')]);
    await file.close(counted());
    const expected = Buffer.concat([...pieces, Buffer.from('end')]);
    assert.equal(file.size, expected.length);
    assert.deepEqual(readFileSync(file.path), expected);
  }
});

function counted(): () => string {
  let count = 0;
  return () => `file-${(count += 1)}`;
}

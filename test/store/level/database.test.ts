import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseError } from '../../../src/store/errors.ts';
import { Databases } from '../../../src/store/level/database.ts';
import { levelPlayback } from '../../../src/store/level/playback.ts';
import { startChild, tempDir, withDatabase } from './support.ts';

async function refused(folder: string): Promise<DatabaseError> {
  let error: unknown;
  await withDatabase(folder, () => Promise.resolve()).catch((reason: unknown) => (error = reason));
  assert.ok(error instanceof DatabaseError, String(error));
  assert.equal(error.folder, folder);
  assert.ok(!error.message.includes('\n'));
  assert.ok(error.message.startsWith(`database ${folder} `), error.message);
  return error;
}

test('a folder is created with its parents, and has after reopening what was put in it', async (t) => {
  const folder = join(tempDir(t), 'deep', 'down', 'db');
  await withDatabase(folder, ({ section }) => section('a').batch([{ type: 'put', key: 'ключ', value: 'значение 🙂' }]));
  assert.equal(await withDatabase(folder, ({ section }) => section('a').get('ключ')), 'значение 🙂');
});

test('sections do not see each other, and one of the same name is the same', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    await section('a').batch([{ type: 'put', key: 'key', value: 'in a' }]);
    await section('ab').batch([{ type: 'put', key: 'key', value: 'in ab' }]);
    assert.equal(await section('a').get('key'), 'in a');
    assert.equal(await section('ab').get('key'), 'in ab');
    assert.equal(await section('b').get('key'), undefined);
  });
});

test('one folder by several paths is opened once, also at the same time', async (t) => {
  const dir = tempDir(t);
  const folder = join(dir, 'db');
  mkdirSync(folder);
  symlinkSync(folder, join(dir, 'link'));
  await using databases = new Databases();
  const paths = [folder, `${folder}/`, join(dir, 'x', '..', 'db'), join(dir, 'link')];
  const opened = await Promise.all(paths.map((path) => databases.open(path)));
  await opened[0]!.section('a').batch([{ type: 'put', key: 'key', value: 'value' }]);
  for (const { section } of opened) assert.equal(await section('a').get('key'), 'value');
});

test('several folders are open at the same time and closed together', async (t) => {
  const dir = tempDir(t);
  const databases = new Databases();
  const sections = await Promise.all(['a', 'b'].map(async (name) => (await databases.open(join(dir, name))).section('s')));
  await sections[0]!.batch([{ type: 'put', key: 'key', value: 'value' }]);
  assert.equal(await sections[1]!.get('key'), undefined);
  await databases.close();
  await databases.close();
  for (const section of sections) await assert.rejects(section.get('key'));
});

test('a folder that another process has is refused, and free again when that one was killed', async (t) => {
  const folder = join(tempDir(t), 'db');
  const child = await startChild(t, folder, 'open');
  const error = await refused(folder);
  assert.equal(error.code, 'DATABASE_LOCKED');
  // Only Linux tells which process it is.
  const owner = existsSync('/proc/locks') ? `another process, ${child.pid}` : 'another process';
  assert.equal(error.message, `database ${folder} is in use by ${owner}; stop that one, or name another folder`);
  await child.kill();
  await withDatabase(folder, ({ section }) => section('a').batch([{ type: 'put', key: 'key', value: 'value' }]));
});

test('after a refusal the same folder can be opened once the reason is gone', async (t) => {
  const folder = join(tempDir(t), 'db');
  writeFileSync(folder, '');
  await using databases = new Databases();
  await assert.rejects(databases.open(folder));
  rmSync(folder);
  await databases.open(folder);
});

test('a file is refused, also as a part of the path', async (t) => {
  const file = join(tempDir(t), 'warcprox.sqlite');
  writeFileSync(file, 'SQLite format 3\0');
  for (const folder of [file, join(file, 'db')]) {
    const error = await refused(folder);
    assert.equal(error.code, 'DATABASE_FOREIGN');
    assert.match(error.message, / is a file; name a folder$/);
  }
});

test('a folder that holds other things is refused and left as it is', async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, '000001.log'), 'not of a database');
  const error = await refused(folder);
  assert.equal(error.code, 'DATABASE_FOREIGN');
  assert.match(error.message, / is no database: the folder holds other things, such as "000001\.log"; name another one$/);
  assert.deepEqual(readdirSync(folder), ['000001.log']);
});

test('an empty folder, and one where a database was begun and not finished, becomes a database', async (t) => {
  for (const names of [[], ['LOCK', 'LOG'], ['LOCK', 'LOG', 'LOG.old', 'MANIFEST-000001', '000001.dbtmp']]) {
    const folder = tempDir(t);
    for (const name of names) writeFileSync(join(folder, name), '');
    await withDatabase(folder, ({ section }) => section('a').batch([{ type: 'put', key: 'key', value: 'value' }]));
  }
});

test('the playback index fits into a section', async (t) => {
  await withDatabase(join(tempDir(t), 'db'), async ({ section }) => {
    const index = levelPlayback(section('playback'));
    const place = {
      file: 'A.warc',
      offset: 12,
      length: 34,
      recordId: '<urn:uuid:1>',
      type: 'response',
      payloadDigest: 'sha1:aa',
      payloadSize: 5,
    };
    await index.save([{ ...place, url: 'http://a.example/', startedAt: new Date(0), method: 'GET', lanes: ['GET whole'] }]);
    assert.deepEqual(await index.find('http://a.example/', 'GET whole', 'last'), { ...place, startedAt: new Date(0) });
  });
});

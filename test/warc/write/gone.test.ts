/** A WARC file that somebody moves or deletes while it is written to: nothing that was answered is lost. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { buildRecords } from '../../../src/archive/records.ts';
import { silentLog } from '../../../src/util/log.ts';
import { WarcWriteError } from '../../../src/warc/errors.ts';
import type { PoolOptions, PrefixedRecords } from '../../../src/warc/write/pool.ts';
import { exchange, output, pool, readAll, recordOptions, tempDir } from '../support.ts';

async function batch(name: string, awaited: boolean, bodyBytes = 10): Promise<PrefixedRecords[]> {
  const captures = [exchange({ url: `http://example.com/${name}`, body: Buffer.alloc(bodyBytes, name) })];
  return (await buildRecords(captures, recordOptions())).map((records) => ({ prefix: 'P', records, awaited }));
}

/** A pool in a folder of its own, with the errors that it has logged. */
function started(t: TestContext, changes: Partial<PoolOptions> & { gzip?: boolean } = {}) {
  const dir = join(tempDir(t), 'warcs');
  mkdirSync(dir);
  const errors: string[] = [];
  const log = { ...silentLog, error: (_: object, message: string) => void errors.push(message) };
  return { dir, errors, open: join(dir, 'P-00000.warc.open'), make: () => pool(dir, { log, ...changes }) };
}

/** The last parts of the URLs of all responses in a file. */
async function names(file: string): Promise<string[]> {
  const all = await readAll(file);
  assert.equal(all[0]?.type, 'warcinfo');
  return all.filter(({ type }) => type === 'response').map((record) => record.header('WARC-Target-URI')!.replace(/.*\//, ''));
}

const THERE_AGAIN = /^a WARC file was gone, moved or deleted while it was written to: everything that was in it is there again$/;
const LOST = /^a WARC file is gone, and what was in it is lost: /;

const WAYS: Readonly<Record<string, (open: string) => void>> = {
  deleted: (open) => rmSync(open),
  'deleted with its folder': (open) => rmSync(dirname(open), { recursive: true }),
  moved: (open) => renameSync(open, `${dirname(open)}.elsewhere`),
};

for (const gzip of [false, true]) {
  for (const [way, lose] of Object.entries(WAYS)) {
    test(`a file that was ${way} is there again before anybody is told of a record in it${gzip ? ' (gzip)' : ''}`, async (t) => {
      const { dir, errors, make } = started(t, { gzip });
      const suffix = gzip ? '.gz' : '';
      const writers = make();
      await writers.write(await batch('before', false, 3_000_000));
      lose(join(dir, `P-00000.warc${suffix}.open`));
      const [[place] = []] = await writers.write(await batch('after', true));
      assert.deepEqual(await names(join(dir, `P-00000.warc${suffix}.open`)), ['before', 'after']);
      assert.equal(place?.filename, `P-00000.warc${suffix}`);
      await writers.write(await batch('later', true));
      await writers.close();
      assert.deepEqual(readdirSync(dir), [`P-00000.warc${suffix}`]);
      assert.deepEqual(await names(join(dir, `P-00000.warc${suffix}`)), ['before', 'after', 'later']);
      assert.equal(errors.length, 1);
      assert.match(errors[0]!, THERE_AGAIN);
    });
  }
}

test('nobody waits for a record: it is found out within a second', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { errors, open, make } = started(t);
  const writers = make();
  await writers.write(await batch('first', false));
  rmSync(open);
  await writers.write(await batch('second', false));
  assert.ok(!existsSync(open));
  t.mock.timers.tick(1000);
  await writers.write([]);
  assert.deepEqual(await names(open), ['first', 'second']);
  t.mock.timers.tick(1000);
  await writers.close();
  assert.equal(errors.length, 1);
});

test('a file that is gone when it is closed is there again, under its final name', async (t) => {
  const { dir, errors, open, make } = started(t);
  const writers = make();
  await writers.write(await batch('first', false));
  rmSync(open);
  await writers.close();
  assert.deepEqual(await names(join(dir, 'P-00000.warc')), ['first']);
  assert.match(errors.join(), THERE_AGAIN);
});

test("somebody else's file stands in its place: that stays, and ours goes on under the next name", async (t) => {
  const { dir, open, make } = started(t);
  const writers = make();
  await writers.write(await batch('before', false));
  rmSync(open);
  writeFileSync(open, 'theirs');
  await writers.write(await batch('after', true));
  await writers.close();
  assert.deepEqual(readdirSync(dir).sort(), ['P-00000.warc.open', 'P-00001.warc']);
  assert.deepEqual(await names(join(dir, 'P-00001.warc')), ['before', 'after']);
});

test('what cannot be read back is lost, and said so; what was in memory is in the next file', async (t) => {
  const create: (typeof output)['create'] = async (path) => {
    const handle = await output.create(path);
    const read = () => Promise.reject(new Error('EIO: i/o error, read'));
    return Object.assign(handle, { read });
  };
  const { dir, errors, open, make } = started(t, { output: { ...output, create } });
  const writers = make();
  await writers.write(await batch('before', false));
  rmSync(open);
  const [[place] = []] = await writers.write([...(await batch('one', true)), ...(await batch('two', true))]);
  await writers.close();
  assert.deepEqual(readdirSync(dir), [place?.filename]);
  assert.deepEqual(await names(join(dir, place!.filename)), ['one', 'two']);
  assert.match(errors.join(), LOST);
});

test('when no new file can be made either, who waits is told, and nothing more is taken', async (t) => {
  const { dir, errors, make } = started(t);
  const writers = make();
  await writers.write(await batch('before', false));
  rmSync(dir, { recursive: true });
  writeFileSync(dir, 'no folder');
  await assert.rejects(writers.write(await batch('after', true)), WarcWriteError);
  await assert.rejects(writers.write(await batch('later', true)), WarcWriteError);
  assert.match(errors.join(), LOST);
  await writers.close();
});

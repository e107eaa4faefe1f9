/** Steps for finished files: each is done at least once, in order, whatever fails and whenever the program ends. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../warc/support.ts';
import { fileIn, openFinished, stepOf, tellingLog, until } from './support.ts';

const JOURNAL = '.warctap-finished';

test('each file has all steps in their order, and is told with what is in it', async (t) => {
  const dir = tempDir(t);
  const seen: string[] = [];
  const steps = ['first', 'second'].map((name) =>
    stepOf(name, ({ path, prefix, size, digest }) => seen.push(`${name} ${path} ${prefix} ${size} ${digest.slice(0, 15)}`)),
  );
  const finished = await openFinished(dir, steps);
  finished.add(fileIn(dir, 'A-1.warc', 'abc'), 'A');
  await finished.close();
  assert.deepEqual(seen, ['first A-1.warc A 3 sha256:ba7816bf', 'second A-1.warc A 3 sha256:ba7816bf']);
  assert.deepEqual(finished.state, {
    waiting: 0,
    steps: ['first', 'second'].map((step) => ({ step, done: 1, failed: 0, lastError: null })),
  });
});

test('what was there before a step was asked for first is left alone; what an ended program has left is done', async (t) => {
  const dir = tempDir(t);
  fileIn(dir, 'old.warc');
  fileIn(dir, 'half.warc.gz.open');
  const seen: string[] = [];
  const step = () => stepOf('step', ({ path }) => seen.push(path));
  await (await openFinished(dir, [step()])).close();
  assert.deepEqual(seen, []);
  // A program that was killed has told nobody of this one.
  fileIn(dir, 'new.warc');
  await (await openFinished(dir, [step()])).close();
  assert.deepEqual(seen, ['new.warc']);
  await (await openFinished(dir, [step(), stepOf('later', () => assert.fail('asked for later'))])).close();
  assert.deepEqual(seen, ['new.warc']);
});

test('a step that fails is tried again, and no other file waits for it', async (t) => {
  const dir = tempDir(t);
  const { log, told } = tellingLog();
  let tried = 0;
  const seen: string[] = [];
  const step = stepOf('step', ({ path }) => {
    if (path === 'a.warc' && ++tried < 3) throw new Error(`not now\nbut later`);
    seen.push(path);
  });
  const finished = await openFinished(dir, [step], log);
  finished.add(fileIn(dir, 'a.warc'), undefined);
  finished.add(fileIn(dir, 'b.warc'), undefined);
  await until(() => seen.length === 2);
  assert.deepEqual(seen, ['b.warc', 'a.warc']);
  assert.deepEqual([finished.state.steps[0]?.failed, finished.state.steps[0]?.lastError?.startsWith('not now')], [2, true]);
  assert.equal(told.filter(({ level }) => level === 'warn').length, 2);
  await finished.close();
});

test('what fails too often, or when the program ends, is done at the next start', async (t) => {
  const dir = tempDir(t);
  const { log, told } = tellingLog();
  const bad = stepOf('step', () => Promise.reject(new Error('no')), { tries: 1 });
  const finished = await openFinished(dir, [bad], log);
  finished.add(fileIn(dir, 'a.warc'), undefined);
  await until(() => finished.state.waiting === 0);
  assert.equal(told.at(-1)?.message, 'step of a finished WARC file is left to the next start');
  await finished.close();
  const patient = await openFinished(dir, [stepOf('step', () => Promise.reject(new Error('no')))], log);
  await until(() => patient.state.steps[0]?.failed === 1);
  // It waits for its next try now.
  await patient.close();
  const seen: string[] = [];
  await (await openFinished(dir, [stepOf('step', ({ path }) => seen.push(path))])).close();
  assert.deepEqual(seen, ['a.warc']);
});

test('a file that is gone is told once a try, and forgotten with the journal; torn lines are as if they were not there', async (t) => {
  const dir = tempDir(t);
  const seen: string[] = [];
  const step = () => stepOf('step', ({ path }) => seen.push(path));
  const finished = await openFinished(dir, [step()]);
  finished.add(fileIn(dir, 'a.warc'), undefined);
  finished.add(fileIn(dir, 'b.warc'), undefined);
  await finished.close();
  rmSync(join(dir, 'a.warc'));
  writeFileSync(join(dir, JOURNAL), `${readFileSync(join(dir, JOURNAL), 'utf8')}{"path":"b.wa`);
  await (await openFinished(dir, [step()])).close();
  assert.equal(readFileSync(join(dir, JOURNAL), 'utf8'), '{"path":"","step":"step"}\n{"path":"b.warc","step":"step"}\n');
  assert.deepEqual(seen.sort(), ['a.warc', 'b.warc']);
  assert.ok(!existsSync(join(dir, `${JOURNAL}.tmp`)));
});

test('no more files at once than a step takes', async (t) => {
  const dir = tempDir(t);
  let [now, most] = [0, 0];
  const release: (() => void)[] = [];
  const step = stepOf('step', async () => {
    most = Math.max(most, ++now);
    await new Promise<void>((done) => release.push(done));
    now--;
  });
  const finished = await openFinished(dir, [step]);
  for (let nth = 0; nth < 7; nth++) finished.add(fileIn(dir, `${nth}.warc`), undefined);
  for (let nth = 0; nth < 7; nth++) {
    await until(() => release.length > 0);
    release.shift()?.();
  }
  await finished.close();
  assert.equal(most, 2);
});

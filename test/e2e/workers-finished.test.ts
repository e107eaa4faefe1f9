/** What is done with finished WARC files where many processes write them: each file once, whatever becomes of who wrote it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { moto, startS3 } from '../finished/support.ts';
import { ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram, type Program } from '../support/program.ts';
import { fetchBy, statusOf, stopped, tempDir, until } from '../support/workers.ts';

interface Finishing {
  readonly finished_files?: { readonly waiting: number };
}

const warcsIn = (dir: string) => readdirSync(join(dir, 'warcs')).filter((name) => name.endsWith('.warc'));

/** Requests of many clients, in whose midst one of the workers is killed; what it has left is seen to when this is over. */
async function loadOverKill(program: Program, origin: string): Promise<void> {
  const ask = (from: number) =>
    Promise.allSettled(Array.from({ length: 40 }, (_, nth) => fetchBy(program.port, `${origin}/${from + nth}`.padEnd(60, '.'))));
  await ask(0);
  const { workers = [] } = await statusOf(program.port);
  const under = ask(100);
  process.kill(workers[0]!.pid, 'SIGKILL');
  await under;
  await program.logged('another worker has taken its place');
  await ask(200);
}

test('a command runs once for each file, with its index there, also after a kill, and nothing is left to the next start', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path.repeat(20))));
  const list = join(dir, 'list');
  const command = `test -f "$WARC_FILE.cdxj" && echo "\${WARC_FILE##*/}" >> '${list}'`;
  const args = ['--workers', '2', '--size', '20k', '--cdxj', '--on-finished', command];
  await using program = await startProgram(dir, args);
  await loadOverKill(program, origin.url);
  await stopped(program);
  const told = () => readFileSync(list, 'utf8').trim().split('\n').sort();
  assert.deepEqual(told(), warcsIn(dir).sort());
  assert.ok(told().length > 4, told().join());
  assert.deepEqual(
    readdirSync(join(dir, 'warcs')).filter((name) => name.endsWith('.open')),
    [],
  );
  await using again = await startProgram(dir, args);
  await until(
    () => statusOf(again.port) as Promise<unknown> as Promise<Finishing>,
    ({ finished_files: finished }) => finished?.waiting === 0,
  );
  await stopped(again);
  assert.deepEqual(told(), warcsIn(dir).sort());
});

test('an upload has each file once, and deletes it, also after a kill', { skip: moto.skip }, async (t) => {
  const dir = await tempDir(t);
  const s3 = await startS3(t);
  await fetch(`${s3}/bucket`, { method: 'PUT' });
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path.repeat(20))));
  const variables = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' };
  const args = ['--workers', '2', '--size', '20k', '--upload', 's3://bucket/all', '--upload-endpoint', s3, '--upload-delete'];
  await using program = await startProgram(dir, args, { variables });
  await loadOverKill(program, origin.url);
  await stopped(program);
  assert.deepEqual(warcsIn(dir), []);
  const uploads = program.log().filter(({ msg }) => msg.startsWith('upload') && msg.endsWith('is done'));
  const objects = (await (await fetch(`${s3}/bucket?list-type=2`)).text()).match(/<Key>all\/[^<]*\.warc<\/Key>/g) ?? [];
  assert.ok(objects.length > 4);
  assert.equal(uploads.length, objects.length);
});

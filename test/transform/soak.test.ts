/**
 * Many jobs, many workers, and workers that are killed in between: each job ends, once, and nothing is left. And what a large one takes.
 *
 * In the suite it is short. By hand, with what was built:
 * `WARCTAP_TEST_BUILT=1 WARCTAP_TRANSFORM_JOBS=500 node --import tsx --test test/transform/soak.test.ts`
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { BUILT, jobArchive, jobJson, logOf, startService, submit, tarOf, Workplace, type Service } from './support.ts';

const JOBS = Number(process.env.WARCTAP_TRANSFORM_JOBS ?? 16);
const SUBMITTERS = 4;

const MODULE = `
import { writeFileSync } from 'node:fs';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function work(dir, logger, { n }) {
  await pause(20 + (n * 37) % 200);
  if (n % 10 === 3) process.kill(process.pid, 'SIGKILL');
  if (n % 10 === 5) throw new Error('made to fail');
  writeFileSync(dir + '/made.txt', String(n));
}
`;

test(`${JOBS} jobs, 8 workers in two processes that are killed in turn`, { timeout: JOBS > 100 ? Infinity : 110_000 }, async (t) => {
  const place = new Workplace();
  place.write('soak.mjs', MODULE);
  const variables = { CIRCE_TRANSFORMATIONS_MODULE: 'soak' };
  await using server = await startService(place, ['serve'], variables);
  const start = () => startService(place, ['start-workers', '-w', '4'], variables);
  const workers: Service[] = await Promise.all([start(), start()]);
  const ids = new Map<string, number>();
  let killed = 0;
  const killing = (async () => {
    const enough = Math.max(2, Math.floor(JOBS / 25));
    while (killed < enough) {
      // Not by a clock: when some more have ended.
      const ended = done(place) + Math.max(2, Math.floor(JOBS / (enough + 2)));
      while (done(place) < Math.min(ended, JOBS - 1)) await setTimeout(30);
      const index = killed % workers.length;
      await workers[index]?.stop('SIGKILL');
      killed++;
      workers[index] = await start();
    }
  })();
  let next = 0;
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async () => {
      for (let n = next++; n < JOBS; n = next++) ids.set(await submit(server.url, jobArchive([['work', { n }]])), n);
    }),
  );
  await killing;
  while (done(place) < JOBS) await setTimeout(50);
  for (const worker of workers) assert.equal(await worker.stop(), 0);

  assert.equal(ids.size, JOBS);
  assert.equal(done(place), JOBS);
  assert.deepEqual([place.names('queue'), place.names('tmp')], [[], []]);
  assert.deepEqual(
    place.names('done').filter((name) => name.startsWith('.')),
    [],
  );
  let gaveUp = 0;
  for (const [id, n] of ids) {
    const answer = await fetch(`${server.url}/job/${id}`);
    assert.equal(answer.status, 200, id);
    const log = await logOf(Buffer.from(await answer.arrayBuffer()));
    const last = log.at(-1)?.message ?? '';
    if (last.includes('came to its end in none')) {
      gaveUp++;
      continue;
    }
    // Its folder was a new one: what an earlier start logged is not there.
    assert.equal(log.filter(({ message }) => message === 'Executing transformation work').length, 1);
    const expected =
      n % 10 === 3
        ? 'Transformation work failed: its process was ended by SIGKILL'
        : n % 10 === 5
          ? 'Transformation work failed: made to fail'
          : 'Executing transformation work';
    assert.equal(last, expected);
    assert.equal(answer.headers.get('x-circe-job-status'), last === 'Executing transformation work' ? 'done' : 'failed');
  }
  t.diagnostic(`${JOBS} jobs, ${killed} workers killed, ${gaveUp} jobs given up after three starts`);
});

function done(place: Workplace): number {
  return place.names('done').filter((name) => name.endsWith('.tar.gz') && !name.startsWith('.')).length;
}

const MEGABYTES = 95;
/** It is 125 MB; a busy machine collects later. With the archive in memory it would be 200. */
const MOST_KB = 175_000;

test(
  `an archive of ${MEGABYTES} MB and its result are never in the server's memory`,
  { skip: process.platform !== 'linux' && 'needs /proc', timeout: 110_000 },
  async (t) => {
    const place = new Workplace();
    await using service = await startService(place, ['run', '-w', '1'], {}, BUILT);
    const archive = join(place.dir, 'large.tar');
    const size = MEGABYTES * 1_000_000 - ((MEGABYTES * 1_000_000) % 512);
    const fd = openSync(archive, 'w');
    writeSync(fd, tarOf([jobJson(), { name: 'large.bin', size }], false));
    const noise = randomBytes(1_000_448);
    for (let left = size; left > 0; left -= noise.length) writeSync(fd, noise, 0, Math.min(left, noise.length));
    writeSync(fd, Buffer.alloc(1024));
    closeSync(fd);
    const length = await new Promise<number>((resolve, reject) => {
      const call = request(
        `${service.url}/job/?block=1`,
        { method: 'POST', headers: { 'Content-Length': statSync(archive).size } },
        (answer) => {
          let received = 0;
          answer
            .on('data', (piece: Buffer) => (received += piece.length))
            .on('end', () => resolve(received))
            .on('error', reject);
          assert.equal(answer.statusCode, 200);
        },
      );
      pipeline(createReadStream(archive), call).catch(reject);
    });
    assert.ok(length > 0);
    const [, peak = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${service.run.child.pid}/status`, 'utf8')) ?? [];
    t.diagnostic(`peak of the server: ${(Number(peak) / 1000).toFixed(0)} MB`);
    assert.ok(Number(peak) < MOST_KB, `${peak} kB`);
  },
);

/**
 * The real program killed at random moments while it writes under load, again and again in the same folder.
 *
 * A kill alone seldom tears a record, as the system finishes a write that has begun. So after every second one the test takes away some
 * of the last bytes itself, as a power failure does: then records are torn, and the indexes point at what is not there.
 * Most rounds are short and as fast as can be; every fourth is long, so that most of its exchanges have to be in the archive.
 * At the end other people's validators read all files, where they are installed (`test/interop/install.sh`).
 * WARCTAP_KILL_ROUNDS sets the number of rounds, WARCTAP_KILL_SEED the seed.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { assertAcceptedByOthers } from '../interop/validators.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram, type Program } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';

const ROUNDS = Number(process.env.WARCTAP_KILL_ROUNDS ?? 4);
const CLIENTS = 8;
/** An exchange that was answered so long before the kill is in the archive. */
const SETTLED_MS = 1000;
/** Between the requests of a client in a long round: its records are all read again in every round after it. */
const PACE_MS = 15;
/** At most so much is taken away from a file. */
const TORN_BYTES = 30_000;
/** What a file must hold to be cut, and not to be deleted because nothing in it is whole. */
const BEGUN_BYTES = TORN_BYTES + 10_000;
const BEGUN_WITHIN_MS = 30_000;

const isTearing = (round: number): boolean => round % 2 === 1;
const isLong = (round: number): boolean => round % 4 === 2;

let state = Number(process.env.WARCTAP_KILL_SEED ?? 1);
const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;

/** @returns true when there was something to take away */
async function tearOpenFiles(dir: string): Promise<boolean> {
  const open = (await warcsIn(dir)).filter((file) => file.endsWith('.open'));
  for (const file of open) {
    const { size } = await stat(file);
    await truncate(file, size - Math.floor(random() * Math.min(size, TORN_BYTES)));
  }
  return open.length > 0;
}

/** Until enough is in the open file: killed before, on a slow disk, the program leaves no file to look at, or nothing to tear. */
async function begun(dir: string): Promise<void> {
  for (const startedAtMs = performance.now(); performance.now() < startedAtMs + BEGUN_WITHIN_MS; await passed(5)) {
    const files = existsSync(dir) ? (await warcsIn(dir)).filter((file) => file.endsWith('.open')) : [];
    // A file may have got its final name meanwhile.
    const sizes = await Promise.all(files.map(async (file) => (await stat(file).catch(() => undefined))?.size ?? 0));
    if (sizes.some((size) => size > BEGUN_BYTES)) return;
  }
  throw new Error(`nothing was written within ${BEGUN_WITHIN_MS / 1000} s`);
}

async function warcsIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).sort().map((name) => join(dir, name));
}

for (const kind of ['plain', 'gzip'] as const) {
  test(
    `after kill -9 under load every WARC verifies and no revisit dangles (${kind}, ${ROUNDS} rounds)`,
    { timeout: 60_000 + ROUNDS * 30_000 },
    async (t) => {
      const dir = await mkdtemp(join(tmpdir(), 'warctap-kill-'));
      const args = ['--size', '400000', ...(kind === 'gzip' ? ['--gzip'] : [])];
      const text = 'all work and no play makes a dull archive. '.repeat(40);
      // Every second body is one of an earlier round or of this one, so that it becomes a revisit; some are larger than a write.
      await using origin = await startOrigin(({ path, socket }) => {
        const number = Number(path.slice(path.lastIndexOf('-') + 1));
        const key = number % 2 === 1 ? number : Math.floor(number / 2) | 1;
        const size = key % 101 === 0 ? 1_200_000 : 200 + ((key * 37) % 1500);
        socket.write(ok(`${key} `.padEnd(size, text)));
      });
      let program: Program | undefined;
      t.after(async () => {
        await program?.[Symbol.asyncDispose]();
        await rm(dir, { recursive: true, force: true });
      });
      const answered: { url: string; atMs: number }[] = [];
      const settled: string[] = [];
      let answers = 0;
      let torn = 0;
      let number = 0;
      for (let round = 0; round <= ROUNDS; round += 1) {
        program = await startProgram(dir, args);
        const { child, port, stderr, ended } = program;
        // It listens now, and has not been asked for anything: all files are those of the rounds before.
        const files = existsSync(join(dir, 'warcs')) ? await warcsIn(join(dir, 'warcs')) : [];
        const faults: string[] = [];
        await verifyFiles(files, {
          allowUnresolved: false,
          onFault: ({ file, offset, problem }) => faults.push(`${file} ${offset} ${problem}`),
        });
        assert.deepEqual(faults, [], `round ${round}, ${stderr()}`);
        assert.deepEqual(
          files.filter((file) => file.endsWith('.open')),
          [],
          stderr(),
        );
        if (round > 0) assert.ok(files.length > 0);
        torn += (stderr().match(/cut from \d+/g) ?? []).length;
        if (round === ROUNDS) break;

        let killed = false;
        const load = Array.from({ length: CLIENTS }, async () => {
          try {
            using client = await RawClient.connect(port);
            while (!killed) {
              const url = `${origin.url}/r${round}-${(number += 1)}`;
              client.send(get(url));
              await client.response();
              answers += 1;
              answered.push({ url, atMs: performance.now() });
              if (isLong(round)) await passed(PACE_MS);
            }
          } catch (error) {
            if (!killed) throw error;
          }
        });
        const enough = isLong(round)
          ? passed(1500 + random() * 1000)
          : origin.requested(origin.requests.length + 50 + Math.floor(random() * 1500));
        await Promise.race([enough.then(() => begun(join(dir, 'warcs'))), ...load]);
        killed = true;
        child.kill('SIGKILL');
        const killedAtMs = performance.now();
        await ended;
        await Promise.all(load);
        const tearing = isTearing(round) && (await tearOpenFiles(join(dir, 'warcs')));
        if (tearing) answered.length = 0;
        settled.push(...answered.splice(0).flatMap(({ url, atMs }) => (atMs < killedAtMs - SETTLED_MS ? [url] : [])));
      }
      program?.child.kill('SIGTERM');
      assert.deepEqual(await program?.ended, [0, null]);
      const records = await readFolder(join(dir, 'warcs'));
      const archived = new Set(records.map(({ url }) => url));
      assert.deepEqual(
        settled.filter((url) => !archived.has(url)),
        [],
      );
      assert.ok(records.some(({ type }) => type === 'revisit'));
      assert.ok(torn > 0, 'no file was torn');
      if (ROUNDS > 2) assert.ok(settled.length > 0, 'no exchange had to be there');
      const files = await warcsIn(join(dir, 'warcs'));
      t.diagnostic(
        `${answers} exchanges, ${settled.length} of them had to be there; ${records.length} records in ${files.length} files, ${torn} of them cut`,
      );
      assertAcceptedByOthers(t, files);
    },
  );
}

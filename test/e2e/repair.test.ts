/**
 * The real program killed at random moments while it writes under load, again and again in the same folder.
 *
 * A kill alone seldom tears a record, as the system finishes a write that has begun. So after every second one the test takes away some
 * of the last bytes itself, as a power failure does: then records are torn, and the indexes point at what is not there.
 * WARCTAP_KILL_ROUNDS sets the number of rounds, WARCTAP_KILL_SEED the seed.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifyFiles } from '../../src/warc/verify.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { readFolder } from '../support/proxy.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROUNDS = Number(process.env.WARCTAP_KILL_ROUNDS ?? 4);
const CLIENTS = 8;
/** An exchange that was answered so long before the kill is in the archive. */
const SETTLED_MS = 1000;

let state = Number(process.env.WARCTAP_KILL_SEED ?? 1);
const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;

interface Program {
  readonly child: ChildProcess;
  readonly port: number;
  readonly stderr: () => string;
}

async function startProgram(dir: string, args: readonly string[]): Promise<Program> {
  const files = ['--dir', join(dir, 'warcs'), '--certs-dir', join(dir, 'certs'), '--cacert', await testCaFile()];
  const stores = ['--dedup-db-file', join(dir, 'db'), '--stats-db-file', join(dir, 'db'), '--playback-port', '0'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WARCTAP_') && !name.startsWith('NODE_')));
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), `${ROOT}src/cli/main.ts`, '-p', '0', '--allow-localhost', ...files, ...stores, ...args],
    { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  for await (const line of createInterface(child.stdout)) {
    const port = /listens on http:\/\/[^ ]*:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { child, port: Number(port), stderr: () => stderr };
  }
  throw new Error(`did not start: ${stderr}`);
}

/** @returns true when there was something to take away */
async function tearOpenFiles(dir: string): Promise<boolean> {
  const open = (await warcsIn(dir)).filter((file) => file.endsWith('.open'));
  for (const file of open) {
    const { size } = await stat(file);
    await truncate(file, size - Math.floor(random() * Math.min(size, 30_000)));
  }
  return open.length > 0;
}

async function warcsIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).sort().map((name) => join(dir, name));
}

for (const kind of ['plain', 'gzip'] as const) {
  test(
    `after kill -9 under load every WARC verifies and no revisit dangles (${kind}, ${ROUNDS} rounds)`,
    { timeout: 600_000 },
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
        program?.child.kill('SIGKILL');
        await rm(dir, { recursive: true, force: true });
      });
      const answered: { url: string; atMs: number }[] = [];
      const settled: string[] = [];
      let torn = 0;
      let number = 0;
      for (let round = 0; round <= ROUNDS; round += 1) {
        program = await startProgram(dir, args);
        const { child, port, stderr } = program;
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

        const exited = once(child, 'exit');
        let killed = false;
        const load = Array.from({ length: CLIENTS }, async () => {
          try {
            using client = await RawClient.connect(port);
            while (!killed) {
              const url = `${origin.url}/r${round}-${(number += 1)}`;
              client.send(get(url));
              await client.response();
              answered.push({ url, atMs: performance.now() });
            }
          } catch (error) {
            if (!killed) throw error;
          }
        });
        await Promise.race([origin.requested(origin.requests.length + 50 + Math.floor(random() * 1500)), ...load]);
        killed = true;
        child.kill('SIGKILL');
        const killedAtMs = performance.now();
        await exited;
        await Promise.all(load);
        const tearing = round % 2 === 1 && (await tearOpenFiles(join(dir, 'warcs')));
        if (tearing) answered.length = 0;
        settled.push(...answered.splice(0).flatMap(({ url, atMs }) => (atMs < killedAtMs - SETTLED_MS ? [url] : [])));
      }
      const stopped = once(program!.child, 'exit');
      program!.child.kill('SIGTERM');
      assert.deepEqual(await stopped, [0, null]);
      const records = await readFolder(join(dir, 'warcs'));
      const archived = new Set(records.map(({ url }) => url));
      assert.deepEqual(
        settled.filter((url) => !archived.has(url)),
        [],
      );
      assert.ok(records.some(({ type }) => type === 'revisit'));
      assert.ok(torn > 0, 'no file was torn');
      t.diagnostic(`${records.length} records, ${settled.length} exchanges that had to be there, ${torn} files cut`);
    },
  );
}

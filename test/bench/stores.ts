/**
 * What claiming and publishing cost, by where the dedup index is: a database of this process, one of the process that workers ask, or a
 * server that many share.
 *
 *   node --import tsx test/bench/stores.ts
 *
 * For each number of keys a batch: µs until all are claimed (median and 99th percentile of the batches), then until all are published (median),
 * and µs of processor time a key of this process and of the one that is asked. Keys are new ones; the entries have URLs of 65 characters.
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Duplex } from 'node:stream';
import type { DedupStore, Published } from '../../src/store/dedup.ts';
import { Databases } from '../../src/store/level/database.ts';
import { levelDedup } from '../../src/store/level/dedup.ts';
import { remoteDedup } from '../../src/store/remote/dedup.ts';
import { storeAddress } from '../../src/store/valkey/address.ts';
import { openSharedStore } from '../../src/store/valkey/open.ts';
import { silentLog } from '../../src/util/log.ts';
import { Wire } from '../../src/util/wire.ts';

const BATCHES = 400;
const folder = mkdtempSync(join(tmpdir(), 'warctap-stores-'));
const socket = join(folder, 's');
const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--hash-max-listpack-value', '512'], {
  cwd: folder,
});
for await (const piece of server.stdout) if (String(piece).includes('eady to accept')) break;

/** µs of processor time of who is asked */
type Time = () => number | Promise<number>;

const serverTime: Time = () => {
  const info = execFileSync('redis-cli', ['-s', socket, 'INFO', 'cpu'], { encoding: 'utf8' });
  const seconds = Array.from(info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm), ([, text]) => Number(text));
  return seconds.reduce((sum, each) => sum + each, 0) * 1e6;
};
const own = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const published = (): Published => ({
  key: `sha1:${randomBytes(20).toString('hex')}|`,
  original: {
    recordId: `<urn:uuid:${randomUUID()}>`,
    url: `http://a.example/${'x'.repeat(48)}`,
    date: new Date().toISOString(),
    answer: '200',
  },
  place: { file: 'A.warc', offset: 0 },
});
const at = (all: number[], share: number): number => all.sort((a, b) => a - b)[Math.floor(all.length * share)] ?? 0;

async function measure(name: string, store: DedupStore, keys: number, time: Time): Promise<void> {
  const index = store.holder();
  const [claims, publishes]: [number[], number[]] = [[], []];
  const batches = Array.from({ length: BATCHES }, () => Array.from({ length: keys }, published));
  const [before, beforeServer] = [own(), await time()];
  for (const batch of batches) {
    const began = performance.now();
    await index.claim(batch.map(({ key }) => ({ key, claims: true })));
    const claimed = performance.now();
    await index.publish(batch);
    claims.push((claimed - began) * 1000);
    publishes.push((performance.now() - claimed) * 1000);
  }
  const [cpu, cpuServer] = [(own() - before) / BATCHES / keys, ((await time()) - beforeServer) / BATCHES / keys];
  const times = [at(claims, 0.5), at(claims, 0.99), at(publishes, 0.5)].map((us) => Math.round(us));
  const figures = [...times, cpu.toFixed(1), cpuServer.toFixed(1)];
  process.stdout.write(`${name.padEnd(10)} ${String(keys).padStart(4)}  ${figures.map((each) => String(each).padStart(8)).join('')}\n`);
}

const address = storeAddress(`unix://${socket}`);
if (address === undefined) throw new Error('no address');
const databases = new Databases();
const openFiles = new Set(['A.warc']);
const level = levelDedup((await databases.open(join(folder, 'level'))).section('dedup'), { openFiles });
const shared = await openSharedStore({ address, database: await databases.open(join(folder, 'local')), openFiles, log: silentLog });
const primary = startPrimary();
process.stdout.write('store      keys  claim µs     p99 publish µs  CPU µs a key: here, asked\n');
for (const keys of [1, 16, 64, 128]) {
  await measure('LevelDB', level, keys, () => 0);
  await measure('primary', primary.dedup, keys, primary.time);
  await measure('server', shared.dedup, keys, serverTime);
}
await shared.close();
await databases.close();
primary.end();
server.kill('SIGKILL');
await once(server, 'exit');
rmSync(folder, { recursive: true, force: true });

/** As a worker has it. */
function startPrimary(): { dedup: DedupStore; time: Time; end: () => void } {
  const entry = join(import.meta.dirname, 'stores-primary.ts');
  const child = fork(entry, [join(folder, 'primary')], { stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe', 'pipe'] });
  const [, , , , told, said] = child.stdio as readonly unknown[];
  if (!(told instanceof Duplex && said instanceof Duplex)) throw new Error('no way to speak with it');
  const wire = new Wire(said, told);
  return { dedup: remoteDedup(wire), time: () => wire.call('time') as Promise<number>, end: () => void child.kill('SIGKILL') };
}

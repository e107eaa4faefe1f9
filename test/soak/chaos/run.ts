/**
 * `node --import tsx test/soak/chaos/run.ts [--minutes N] [--workers N] [--machines N] [--pace MS] [--checked N]`, after `npm run build`.
 *
 * By default 30 minutes, 4 workers of one machine, some 600 requests a second; with `--machines 2` each has so many workers, they share a
 * Valkey or Redis, and that is killed, too. At the end other people's validators look at so many of the WARC files (40; 0: at all), where
 * `test/interop/install.sh` has put them. Exit code 1 when anything is amiss.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jwarc, warcio } from '../../interop/validators.ts';
import { chaos } from './chaos.ts';
import { filesOf } from './judge.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    workers: { type: 'string', default: '4' },
    machines: { type: 'string', default: '1' },
    pace: { type: 'string', default: '75' },
    checked: { type: 'string', default: '40' },
  },
});
const [minutes = 0, workers = 0, machines = 0, paceMs = 0, checked = 0] = [
  values.minutes,
  values.workers,
  values.machines,
  values.pace,
  values.checked,
].map(Number);
if (!(minutes > 0 && workers > 1 && machines > 0 && paceMs >= 0 && checked >= 0)) {
  console.error('expected: numbers above 0, and more than one worker');
  process.exit(1);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const dir = await mkdtemp(join(tmpdir(), 'warctap-chaos-'));
const report = await chaos({
  ...{ dir, command: [process.execPath, 'bin/warctap.js'], seconds: minutes * 60, machines, workers, clients: 48, paceMs, gzip: true },
  ...{ killEveryMs: 3000, primaryEvery: 20, storeEvery: machines > 1 ? 7 : 0, settledMs: 1000, print: (line) => console.log(line) },
});
const faults = [...report.faults];
const all = await filesOf(Array.from({ length: machines }, (_, nth) => ({ machine: nth + 1, warcs: join(dir, `m${nth + 1}`, 'warcs') })));
const step = checked === 0 ? 1 : Math.max(1, all.length / checked);
const some = Array.from({ length: Math.ceil(all.length / step) }, (_, nth) => all[Math.floor(nth * step)] ?? '').filter(Boolean);
for (const { name, skip, check } of [warcio(), jwarc()]) {
  if (skip !== false) {
    console.log(`${name}: skipped, ${skip}`);
    continue;
  }
  const { accepted, complaints } = check(...some);
  console.log(`${name}: ${accepted ? 'accepts' : 'refuses'} ${some.length} of ${all.length} files`);
  if (!accepted) faults.push(...complaints.slice(0, 10).map((complaint) => `${name}: ${complaint}`), `${name} refuses them`);
}
for (const fault of faults) console.log(fault);
if (faults.length === 0) await rm(dir, { recursive: true, force: true });
else console.log(`files: ${dir}`);
process.exitCode = faults.length > 0 ? 1 : 0;

/** `node --import tsx test/soak/chaos-run.ts [MINUTES [WORKERS]]`, after `npm run build`: exit code 1 when anything is amiss. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chaos } from './chaos.ts';

const [minutes = 30, workers = 4] = process.argv.slice(2).map(Number);
if (!(minutes > 0) || !(workers > 1)) {
  console.error('expected: chaos-run.ts [MINUTES [WORKERS]], more than one worker');
  process.exit(1);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const dir = await mkdtemp(join(tmpdir(), 'warctap-chaos-'));
const { faults } = await chaos({
  dir,
  command: [process.execPath, 'bin/warctap.js'],
  seconds: minutes * 60,
  workers,
  clients: 48,
  killEveryMs: 3000,
  primaryEvery: 20,
  paceMs: 20,
  gzip: true,
  settledMs: 1000,
  print: (line) => console.log(line),
});
for (const fault of faults) console.log(fault);
if (faults.length === 0) await rm(dir, { recursive: true, force: true });
else console.log(`files: ${dir}`);
process.exitCode = faults.length > 0 ? 1 : 0;

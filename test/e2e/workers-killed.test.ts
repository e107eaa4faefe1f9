/** Workers killed at random moments under load; `test/soak/chaos/run.ts` does it for minutes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chaos } from '../soak/chaos/chaos.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const SECONDS = Number(process.env.WARCTAP_CHAOS_SECONDS ?? 6);

test(
  `after kill -9 of workers for ${SECONDS} s nothing is lost, dangles or is written twice, and nobody else's connection is cut`,
  {
    timeout: 100_000 + SECONDS * 3000,
  },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'warctap-chaos-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const { faults, kills, revisits, cut } = await chaos({
      dir,
      command: [process.execPath, '--import', import.meta.resolve('tsx'), MAIN],
      seconds: SECONDS,
      machines: 1,
      workers: 3,
      clients: 12,
      killEveryMs: 1500,
      primaryEvery: 0,
      storeEvery: 0,
      paceMs: 30,
      gzip: true,
      // This machine may do much else.
      settledMs: 5000,
      print: (line) => t.diagnostic(line),
    });
    assert.deepEqual(faults, []);
    assert.ok(kills.worker > 0 && revisits > 0 && cut > 0, `${kills.worker} kills, ${revisits} revisits, ${cut} connections cut`);
  },
);

/** The soak itself, for some seconds; `npm run soak -- 20` runs it for minutes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './soak.ts';

const SECONDS = 8;

test(
  `${SECONDS} s of mixed traffic with faults lose nothing, and archive nothing else`,
  { skip: process.platform !== 'linux' && 'watches the program through /proc', timeout: 120_000 },
  async (t) => {
    const { faults, answers, archive } = await soak({ minutes: SECONDS / 60, print: (line) => t.diagnostic(line) });
    assert.deepEqual(faults, []);
    assert.ok(answers > 50, `${answers} answers`);
    assert.ok((archive?.revisits ?? 0) > 0);
  },
);

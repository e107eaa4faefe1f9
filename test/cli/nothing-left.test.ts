/** A command that waits for what can never come says so, and does not end as if it had done its work. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** Of a call that is lost. */
const NEVER = 'data:text/javascript,globalThis.fetch=()=>new Promise(()=>undefined)';

test('when nothing is left to wait for, a command that is not done ends with a line and exit code 1', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--import', NEVER, MAIN, 'queue', 'list'],
    {
      env: { PATH: process.env.PATH, HEROSHI_ADMIN_KEY: 'admin:correct-horse-battery' },
      encoding: 'utf8',
    },
  );
  assert.equal(status, 1);
  assert.equal(stderr, 'warctap: a fault in warctap: what it waits for can never come, exiting\n');
});

/** starbelly_pb.ts is what buf makes of starbelly.proto today. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findTool } from '../../support/tools.ts';

const ROOT = join(import.meta.dirname, '../../..');
const BIN = join(ROOT, 'node_modules/.bin');
const buf = findTool({ commands: [join(BIN, 'buf')], ask: ['--version'], says: /^\d+\.\d+\.\d+/m, needs: 'buf, from npm ci' });

test('the generated messages are those of the .proto', { skip: buf.skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-proto-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const made = spawnSync(buf.command, ['generate', '-o', folder], {
    cwd: ROOT,
    env: { ...process.env, PATH: `${BIN}:${process.env.PATH ?? ''}` },
    encoding: 'utf8',
  });
  assert.equal(made.status, 0, made.stderr);
  const file = 'src/crawl/proto/starbelly_pb.ts';
  assert.equal(readFileSync(join(ROOT, file), 'utf8'), readFileSync(join(folder, file), 'utf8'), 'npm run generate');
});

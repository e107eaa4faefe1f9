/** docs/queue.md: its calls are made, in their order, and its tables are those of the code. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { optionsTable } from '../../src/options/markdown.ts';
import { QUEUE_ROWS, QUEUE_WORKER_ROWS } from '../../src/options/rows/queue.ts';
import { found, read } from '../support/docs.ts';
import { tool } from '../support/tools.ts';
import { ADMIN, BORIS, startQueue } from './support.ts';

const text = read('docs/queue.md');
const curl = tool('curl');

test('the tables of options are those of the code', () => {
  for (const rows of [QUEUE_ROWS, QUEUE_WORKER_ROWS]) {
    const table = optionsTable(rows);
    assert.ok(text.includes(table), `the table must be:\n\n${table}`);
  }
});

/** What differs from run to run. */
function without(answer: string): string {
  return answer
    .replace(/\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d/g, '2026-01-05$110:00:00')
    .replace(/"uptime":\d+/g, '"uptime":0')
    .trimEnd();
}

test('each call has the answer that stands behind it', { skip: curl.skip }, async () => {
  await using queue = await startQueue();
  for (const name of ['boris', 'inga']) await queue.admin(`/api-keys/${name}`, { method: 'DELETE' });
  const calls = found(text, /^```console\n([^]*?)^```/gm).flatMap((block) =>
    [...block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, line = '', answer = '']) => ({ line, answer })),
  );
  assert.ok(calls.length > 20, String(calls.length));
  const env = { PATH: process.env.PATH, Q: queue.url, ADMIN: `X-Heroshi-Auth: ${ADMIN}`, BORIS: `X-Heroshi-Auth: ${BORIS}` };
  for (const { line, answer } of calls) {
    const { stdout } = await promisify(execFile)('sh', ['-c', line.replace(/\bcurl /, `${curl.command} -s `)], { env });
    assert.equal(without(stdout), without(answer), line);
  }
});

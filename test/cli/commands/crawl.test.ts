/** The commands that ask a crawl server, as people call them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { JobRunState } from '../../../src/crawl/client.ts';
import { MemoryJobs } from '../../crawl/support/memory-jobs.ts';
import { crawlServer, newFolder } from '../../crawl/support/server.ts';
import { runToEnd, start } from '../child.ts';

test('a policy is copied, a job made of it, watched and read, in JSON', async (t) => {
  const jobs = new MemoryJobs();
  const { program } = await crawlServer(t, jobs);
  const env = { STARBELLY_URL: program.url, STARBELLY_USERNAME: 'admin', STARBELLY_PASSWORD: 'a password' };
  const call = async (...args: string[]) => {
    const { code, stdout, stderr } = await runToEnd(['crawl', ...args], { env });
    assert.deepEqual([code, stderr], [0, '']);
    return stdout;
  };
  const json = async (...args: string[]) => JSON.parse(await call(...args)) as Record<string, unknown>;

  const { policies } = (await json('list-policies', '--limit', '1')) as { policies: { policyId: string; name: string }[] };
  assert.deepEqual(
    policies.map(({ name }) => name),
    ['Broad Crawl'],
  );
  const { policyId, ...policy } = await json('get-policy', policies[0]!.policyId);
  assert.equal(policyId, policies[0]!.policyId);
  const file = join(newFolder(t), 'policy.json');
  writeFileSync(file, JSON.stringify({ ...policy, name: 'Copy' }));
  const made = await json('set-policy', file);

  const { jobId } = (await json(
    'set-job',
    '--policy-id',
    String(made.policyId),
    '--tags',
    'a,b',
    '--seeds',
    'http://a.example/',
    'http://b.example/',
  )) as {
    jobId: string;
  };
  const id = Buffer.from(jobId, 'base64');
  const job = await json('get-job', id.toString('hex'));
  assert.deepEqual(
    [job.seeds, job.tags, job.runState, (job.policy as { name: string }).name],
    [['http://a.example/', 'http://b.example/'], ['a', 'b'], 'RUNNING', 'Copy'],
  );

  jobs.add(id);
  jobs.add(id, { isSuccess: false, exception: 'Error: no', answer: undefined, body: undefined });
  const items = await json('get-job-items', jobId, '--include-success', '0', '--include-exception', '1');
  assert.deepEqual([items.total, (items.items as { exception: string }[])[0]?.exception], [1, 'Error: no']);
  const watching = start(['crawl', 'subscribe-job-sync', jobId], { env });
  await watching.line('"token"');
  assert.deepEqual(await json('set-job', '--job-id', jobId, '--run-state', 'cancelled'), {});
  assert.equal(jobs.peek(id)?.runState, JobRunState.CANCELLED);
  const { code, stdout } = await watching.ended;
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { token: string });
  assert.deepEqual([code, lines.length], [0, 2]);
  assert.equal((await call('subscribe-job-sync', jobId, '--sync-token', lines[0]!.token)).trim().split('\n').length, 1);
  assert.equal((await json('get-job', jobId, '--watch')).runState, 'CANCELLED');
});

test('what cannot be done is one line, and an exit code', async (t) => {
  const { program } = await crawlServer(t);
  const env = { STARBELLY_URL: program.url, STARBELLY_PASSWORD: 'a password' };
  const refused = async (code: number, line: RegExp, args: string[], own: Record<string, string> = {}) => {
    const ended = await runToEnd(['crawl', ...args], { env: { ...env, ...own } });
    assert.deepEqual([ended.code, ended.stdout], [code, '']);
    assert.match(ended.stderr, line);
  };
  await refused(1, /^warctap: No job exists with ID=0{8}-0{4}-0{4}-0{4}-0{12}\n$/, ['get-job', '0'.repeat(32)]);
  await refused(1, /^warctap: no connection to ws:\S+: the name or the password is wrong\n$/, ['list-jobs'], { STARBELLY_PASSWORD: 'x' });
  await refused(2, /^warctap: expected an identifier as 32 hexadecimal digits, a UUID or Base64, got "x"\n$/, ['get-job', 'x']);
  await refused(2, /^warctap: crawl get-job: expected an identifier: .*, see crawl get-job --help\n$/, ['get-job']);
  await refused(2, /^warctap: --run-state: expected cancelled or .*, got "gone"/, ['set-job', '--run-state', 'gone']);
});

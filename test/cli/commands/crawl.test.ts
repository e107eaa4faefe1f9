/** The commands that ask a crawl server, as people call them. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CrawlClient, JobRunState } from '../../../src/crawl/client.ts';
import { pages, policy, startSite } from '../../crawl/jobs/support.ts';
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
  const watching = begin(t, ['crawl', 'subscribe-job-sync', jobId], { env });
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

/** It ends with its test, whatever becomes of that: a program that goes on keeps the file running. */
function begin(t: TestContext, ...args: Parameters<typeof start>): ReturnType<typeof start> {
  const program = start(...args);
  t.after(() => program.child.kill('SIGKILL'));
  return program;
}

const serve = (folder: string, ...args: string[]) => [
  ...[
    'crawl',
    'serve',
    '-p',
    '0',
    '--db',
    join(folder, 'db'),
    '--dir',
    join(folder, 'warcs'),
    '--allow-localhost',
    '--min-free-space',
    '0',
  ],
  ...['--dedup-db-file', join(folder, 'stores'), '--stats-db-file', join(folder, 'stores'), ...args],
];

test('crawl serve tells a password once, pauses what runs on SIGTERM, and has it again at its next start', async (t) => {
  const folder = newFolder(t);
  const site = await startSite(t, () => undefined);
  const program = begin(t, serve(folder));
  const url = /ws:\S+/.exec(await program.line('listens on'))![0];
  const password = / password (\S+) /.exec(await program.line('told this once'))![1]!;
  const client = await CrawlClient.connect({ url, username: 'admin', password });
  const { policyId } = await client.get({ case: 'setPolicy', value: { policy: policy() } }, 'newPolicy');
  const { jobId } = await client.get({ case: 'setJob', value: { policyId, seeds: [site.url] } }, 'newJob');
  // {SHA} of "test".
  appendFileSync(join(folder, 'db', 'users'), 'another:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n');
  program.child.kill('SIGUSR2');
  await program.line('reloaded: --auth-file');
  await using other = await CrawlClient.connect({ url, username: 'another', password: 'test' });
  assert.equal((await other.get({ case: 'listJobs', value: {} }, 'listJobs')).total, 1);
  const inUse = await runToEnd(serve(folder));
  assert.match(inUse.stderr, /^warctap: database .+ is in use by .*--db\n$/);
  assert.equal(inUse.code, 1);
  program.child.kill('SIGTERM');
  const { code, stderr } = await program.ended;
  assert.equal(code, 0);
  assert.match(stderr, /closed, everything is written/);
  await client.close();

  const again = begin(t, serve(folder));
  const next = /ws:\S+/.exec(await again.line('listens on'))![0];
  const { runState } = await CrawlClient.connect({ url: next, username: 'admin', password }).then(async (after) => {
    const job = await after.get({ case: 'getJob', value: { jobId } }, 'job');
    await after.close();
    return job;
  });
  assert.equal(runState, JobRunState.PAUSED);
  again.child.kill('SIGTERM');
  const { stdout } = await again.ended;
  assert.ok(!stdout.includes('password'), stdout);
});

test('crawl serve takes files of htpasswd, and refuses others by a line', async (t) => {
  const folder = newFolder(t);
  const file = join(folder, 'htpasswd');
  // of "crawl" and "test"
  const bcrypt = 'jo:$2y$05$JUty0nlr7BuqWRf86tsa7uhcJYfOa3xECDq53QBGC6fgi0/siGwV2';
  writeFileSync(file, `${bcrypt}\n# a note\nal:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n`, { mode: 0o600 });
  const program = begin(t, serve(folder, '--auth-file', file));
  const url = /ws:\S+/.exec(await program.line('listens on'))![0];
  for (const [username, password] of [
    ['jo', 'crawl'],
    ['al', 'test'],
  ] as const)
    await (await CrawlClient.connect({ url, username, password })).close();
  await assert.rejects(CrawlClient.connect({ url, username: 'jo', password: 'test' }), /the name or the password is wrong/);
  program.child.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);

  for (const [text, line] of [
    ['jo:$apr1$old$hash\n', /^warctap: --auth-file: expected lines USER:HASH .*\(line 1 is none\), got /],
    ['', /^warctap: --auth-file: expected at least one line USER:HASH /],
  ] as const) {
    writeFileSync(file, text);
    const ended = await runToEnd(serve(folder, '--auth-file', file));
    assert.deepEqual([ended.code, ended.stdout], [2, '']);
    assert.match(ended.stderr, line);
  }
  chmodSync(file, 0o666);
  assert.match((await runToEnd(serve(folder, '--auth-file', file))).stderr, /only its owner may write to/);
});

test('crawl run crawls a site to its end, and names the WARC files', async (t) => {
  const folder = newFolder(t);
  const site = await startSite(t, pages({ '/': '<a href=/a>a</a><a href=/b>b</a>', '/a': 'a', '/b': 'b' }));
  const [, , ...args] = serve(folder, '--delay', '0');
  const { code, stdout } = await runToEnd(['crawl', 'run', site.url, ...args, '--max-items', '2']);
  assert.equal(code, 0);
  const [end, ...files] = stdout
    .slice(stdout.indexOf('\njob ') + 1)
    .trim()
    .split('\n');
  assert.match(end!, /^job [0-9a-f]{32} has ended: 2 items, 2 with success, 0 errors, 0 exceptions$/);
  assert.deepEqual(files, readdirSync(join(folder, 'warcs')));
  const none = await runToEnd(['crawl', 'run', 'example', ...args]);
  assert.deepEqual([none.code, none.stderr.trim().split('\n').at(-1)], [1, 'warctap: Invalid seed URL: example']);
});

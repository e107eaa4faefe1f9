/** The client in Python of examples/crawl-client goes on where it was, when its server has stopped and is there again. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { JobRunState } from '../../src/crawl/proto/starbelly_pb.ts';
import { findTool } from '../support/tools.ts';
import { MemoryJobs } from './support/memory-jobs.ts';
import { crawlServer, newFolder } from './support/server.ts';

const ROOT = join(import.meta.dirname, '../..');
const python = findTool({
  commands: [process.env.WARCTAP_CLIENTS_PYTHON, join(ROOT, 'tmp/clients/protobuf/bin/python'), 'python3'],
  ask: ['-c', 'import google.protobuf, grpc_tools.protoc, websockets; print("websockets", websockets.__version__)'],
  says: /^websockets \d/m,
  needs: 'protobuf, grpcio-tools and websockets for python3 (or WARCTAP_CLIENTS_PYTHON)',
});

test('each item once, over a stop of the server', { skip: python.skip }, async (t) => {
  const folder = newFolder(t);
  copyFileSync(join(ROOT, 'examples/crawl-client/sync.py'), join(folder, 'sync.py'));
  const proto = join(ROOT, 'src/crawl/proto');
  const made = spawnSync(python.command, [
    '-m',
    'grpc_tools.protoc',
    `-I${proto}`,
    `--python_out=${folder}`,
    join(proto, 'starbelly.proto'),
  ]);
  assert.equal(made.status, 0, made.stderr.toString());

  const jobs = new MemoryJobs();
  const { program, client } = await crawlServer(t, jobs);
  const asking = await client();
  const { policies } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  const value = { policyId: policies[0]!.policyId, seeds: ['http://a.example/'] };
  const { jobId } = await asking.get({ case: 'setJob', value }, 'newJob');
  await asking.close();
  const port = Number(new URL(program.url).port);
  const child = spawn(python.command, ['sync.py', Buffer.from(jobId).toString('hex')], {
    cwd: folder,
    env: { ...process.env, STARBELLY_URL: `ws://127.0.0.1:${port}/ws/`, STARBELLY_PASSWORD: 'a password' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const urls: string[] = [];
  const take = async (count: number) => {
    while (urls.length < count) {
      const next: IteratorResult<string> = await lines.next();
      if (next.done === true) return;
      urls.push(next.value.split(' ')[0] ?? '');
    }
  };
  for (let times = 0; times < 5; times++) jobs.add(jobId);
  await take(5);
  await program.close();
  for (let times = 0; times < 5; times++) jobs.add(jobId);
  await jobs.setState(jobId, JobRunState.COMPLETED);
  await crawlServer(t, jobs, { given: { port } });
  await take(11);
  assert.deepEqual(
    urls,
    Array.from({ length: 10 }, (_, index) => `http://example.org/${index + 1}`),
  );
  assert.equal(await ended, 0);
});

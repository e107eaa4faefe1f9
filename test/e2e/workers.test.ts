/** One proxy of several processes: they share the port, the stores and the folder, and nobody outside can tell. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';
import { fetchBy, statusOf, stopped, tempDir, until } from '../support/workers.ts';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('connections go to all workers in turn, each writes files of its own, and one page says what all of them do', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using program = await startProgram(dir, ['--workers', '3']);
  const { port } = program;
  const clients = await Promise.all(Array.from({ length: 9 }, () => RawClient.connect(port)));
  for (const [nth, client] of clients.entries()) {
    for (let more = 0; more < 4; more++) {
      client.send(get(`${origin.url}/${nth}-${more}`));
      assert.equal((await client.response()).status, 200);
    }
  }
  const status = await until(
    () => statusOf(port),
    ({ urls_processed: urls }) => urls >= 36,
  );
  assert.equal(status.urls_processed, 36);
  assert.equal(status.pid, program.child.pid);
  assert.deepEqual([status.threads, status.queue_max_size], [1000, 500]);
  const shares = status.workers?.map(({ urls_processed: urls }) => urls) ?? [];
  assert.equal(shares.length, 3);
  assert.ok(
    shares.every((urls) => urls >= 4),
    shares.join(),
  );
  assert.ok(status.warc_bytes_written > 0);
  assert.ok(status.postfetch_chain.some(({ processor }) => processor === 'DedupLoader'));
  for (const client of clients) client[Symbol.dispose]();
  await stopped(program);
  const names = await readdir(join(dir, 'warcs'));
  assert.deepEqual(names.map((name) => /-00000-(w[123])[a-z0-9]{6}\.warc$/.exec(name)?.[1]).sort(), ['w1', 'w2', 'w3']);
  const records = await readFolder(join(dir, 'warcs'));
  const urls = Array.from({ length: 36 }, (_, nth) => `${origin.url}/${Math.floor(nth / 4)}-${nth % 4}`);
  assert.deepEqual(
    records
      .filter(({ type }) => type === 'response')
      .map(({ url }) => url)
      .sort(),
    urls.sort(),
  );
  assert.match(program.stderr(), /"msg":"closed, everything is written"/);
});

test('what comes to all workers at once is written once; the others refer to it', async (t) => {
  const dir = await tempDir(t);
  const waiting: (() => void)[] = [];
  await using origin = await startOrigin(({ socket }) => void waiting.push(() => socket.write(ok('the very same'))));
  await using program = await startProgram(dir, ['--workers', '3']);
  const answers = Array.from({ length: 30 }, (_, nth) => fetchBy(program.port, `${origin.url}/${nth}`));
  await origin.requested(30);
  for (const answer of waiting) answer();
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  await stopped(program);
  const records = await readFolder(join(dir, 'warcs'));
  const [response, ...others] = records.filter(({ type }) => type === 'response');
  assert.deepEqual(others, []);
  const revisits = records.filter(({ type }) => type === 'revisit');
  assert.equal(revisits.length, 29);
  for (const { fields } of revisits) assert.equal(fields.get('warc-refers-to'), response?.fields.get('warc-record-id'));
});

test('a limit of N lets exactly N requests pass, whichever workers they come to', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using program = await startProgram(dir, ['--workers', '3']);
  const meta = `Warcprox-Meta: ${JSON.stringify({ stats: { buckets: ['b'] }, limits: { 'b/total/urls': 25 } })}\r\n`;
  for (let nth = 0; nth < 25; nth++) assert.equal((await fetchBy(program.port, `${origin.url}/${nth}`, meta)).status, 200, String(nth));
  for (let nth = 0; nth < 4; nth++) {
    const { status, head } = await fetchBy(program.port, `${origin.url}/more`, meta);
    assert.equal(status, 420);
    assert.match(head, /"total":\{"urls":25,/);
  }
  assert.equal(origin.requests.length, 25);
  await stopped(program);
});

test('records of clients are written by whichever worker, and all are played back from one port', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using program = await startProgram(dir, ['--workers', '2', '--playback-port', '0']);
  const playback = /playback +http:\/\/127\.0\.0\.1:(\d+)/.exec(program.stdout())?.[1];
  for (let nth = 0; nth < 4; nth++) {
    const url = `http://example.com/record-${nth}`;
    using client = await RawClient.connect(program.port);
    const fields = 'Content-Type: text/plain\r\nWARC-Type: metadata\r\nContent-Length: 5\r\n';
    client.send(`WARCPROX_WRITE_RECORD ${url} HTTP/1.1\r\nHost: example.com\r\n${fields}\r\nhello`);
    assert.equal((await client.response()).status, 204);
    await fetchBy(program.port, `${origin.url}/${nth}`);
  }
  await until(
    () => statusOf(program.port),
    ({ urls_processed: urls }) => urls === 8,
  );
  for (let nth = 0; nth < 4; nth++) {
    for (let again = 0; again < 2; again++) {
      assert.equal((await fetchBy(Number(playback), `${origin.url}/${nth}`)).body.toString(), `/${nth}`);
      assert.equal((await fetchBy(Number(playback), `http://example.com/record-${nth}`)).body.toString(), 'hello');
    }
  }
  await stopped(program);
});

test('names do not collide, whatever the template, and files are as many as there have to be', async (t) => {
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path.padEnd(400, '.'))));
  for (const template of ['{prefix}', '{prefix}-{serialno}']) {
    const dir = await tempDir(t);
    await using program = await startProgram(dir, ['--workers', '3', '--size', '1', '--warc-filename', template]);
    await Promise.all(Array.from({ length: 30 }, (_, nth) => fetchBy(program.port, `${origin.url}/${nth}`)));
    await stopped(program);
    const names = await readdir(join(dir, 'warcs'));
    assert.deepEqual(
      names.filter((name) => !/^WARCPROX(-\d{5})?\.warc$/.test(name)),
      [],
    );
    const faults: string[] = [];
    const files = names.map((name) => join(dir, 'warcs', name));
    await verifyFiles(files, { allowUnresolved: false, onFault: ({ problem }) => faults.push(problem) });
    assert.deepEqual(faults, []);
    const records = await readFolder(join(dir, 'warcs'));
    assert.equal(new Set(records.map(({ url }) => url)).size, 30);
    assert.equal(records.filter(({ type }) => type === 'response').length, 30);
    assert.doesNotMatch(program.stderr(), /"level":"error"/);
  }
});

test('a worker that is killed is replaced; who is with another does not notice', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using program = await startProgram(dir, ['--workers', '2']);
  const clients = await Promise.all([0, 1].map(() => RawClient.connect(program.port)));
  const ask = async (client: RawClient, path: string) => {
    client.send(get(`${origin.url}${path}`));
    return (await client.response()).status;
  };
  assert.equal(await ask(clients[0]!, '/first'), 200);
  const before = await until(
    () => statusOf(program.port),
    ({ urls_processed: urls }) => urls === 1,
  );
  const dies = before.workers!.find(({ urls_processed: urls }) => urls === 1)!;
  process.kill(dies.pid, 'SIGKILL');
  await assert.rejects(ask(clients[0]!, '/cut'));
  for (let nth = 0; nth < 5; nth++) assert.equal(await ask(clients[1]!, `/other-${nth}`), 200);
  await program.logged('another worker has taken its place');
  const after = await until(
    () => statusOf(program.port),
    ({ workers, urls_processed: urls }) => workers?.length === 2 && urls === 6,
  );
  assert.notEqual(after.workers?.find(({ worker }) => worker === dies.worker)?.pid, dies.pid);
  for (const client of clients) client[Symbol.dispose]();
  await Promise.all([0, 1, 2, 3].map((nth) => fetchBy(program.port, `${origin.url}/new-${nth}`)));
  await stopped(program);
  const records = await readFolder(join(dir, 'warcs'));
  assert.deepEqual(
    records
      .filter(({ type }) => type === 'response')
      .map(({ url }) => url.slice(origin.url.length))
      .sort(),
    ['/first', '/new-0', '/new-1', '/new-2', '/new-3', ...[0, 1, 2, 3, 4].map((nth) => `/other-${nth}`)],
  );
  assert.deepEqual(
    (await readdir(join(dir, 'warcs'))).filter((name) => name.endsWith('.open')),
    [],
  );
});

test('a connection that was on its way to a worker when that was killed is closed, and never without anybody behind it', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using program = await startProgram(dir, ['--workers', '2']);
  await fetchBy(program.port, `${origin.url}/first`);
  const { workers = [] } = await until(
    () => statusOf(program.port),
    ({ urls_processed: urls }) => urls === 1,
  );
  const { pid = 0 } = workers[0] ?? {};
  // It takes nothing any more, as one that has much to do when it dies.
  process.kill(pid, 'SIGSTOP');
  const asked: Promise<number>[] = [];
  for (let nth = 0; nth < 6; nth++) {
    const client = await RawClient.connect(program.port);
    t.after(() => client[Symbol.dispose]());
    client.send(get(`${origin.url}/${nth}`));
    asked.push(client.response().then(({ status }) => status));
  }
  // So all before it have gone to somebody.
  assert.equal(await asked[5], 200);
  process.kill(pid, 'SIGKILL');
  const results = await Promise.allSettled(asked);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 5);
  await program.logged('another worker has taken its place');
  await stopped(program);
});

test('when the primary process is killed its workers end, and the next start repairs what all of them have left', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  const program = await startProgram(dir, ['--workers', '2']);
  await Promise.all(Array.from({ length: 8 }, (_, nth) => fetchBy(program.port, `${origin.url}/${nth}`)));
  const { workers = [] } = await until(
    () => statusOf(program.port),
    ({ urls_processed: urls }) => urls === 8,
  );
  program.child.kill('SIGKILL');
  await program.ended;
  await until(
    () => Promise.resolve(workers.some(({ pid }) => isAlive(pid))),
    (alive) => !alive,
  );
  assert.equal((await readdir(join(dir, 'warcs'))).filter((name) => name.endsWith('.open')).length, 2);
  await using again = await startProgram(dir, ['--workers', '2']);
  assert.deepEqual(
    (await readdir(join(dir, 'warcs'))).filter((name) => name.endsWith('.open')),
    [],
  );
  await fetchBy(again.port, `${origin.url}/3`);
  await stopped(again);
  const records = await readFolder(join(dir, 'warcs'));
  assert.deepEqual(
    [records.filter(({ type }) => type === 'response').length, records.filter(({ type }) => type === 'revisit').length],
    [8, 1],
  );
});

test('SIGUSR2 has all of them take over what is reloadable', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  const config = join(dir, 'config.yaml');
  await writeFile(config, 'quiet: false\n');
  await using program = await startProgram(dir, ['--workers', '2', '--config', config]);
  for (let nth = 0; nth < 4; nth++) assert.equal((await fetchBy(program.port, `${origin.url}/`)).status, 200);
  await writeFile(config, 'deny: [127.0.0.0/8]\nmax-threads: 7\n');
  program.child.kill('SIGUSR2');
  await program.logged('takes effect at the next start: --max-threads');
  assert.match(program.stderr(), /reloaded: --deny/);
  for (let nth = 0; nth < 4; nth++) assert.notEqual((await fetchBy(program.port, `${origin.url}/`)).status, 200);
  await stopped(program);
});

test('a plugin is in each of them, and one that cannot be loaded is told in one line', async (t) => {
  const dir = await tempDir(t);
  const plugin = join(dir, 'plugin.mjs');
  await writeFile(
    plugin,
    `export default () => ({ name: 'seen', notify(capture) { process.stderr.write('seen ' + process.pid + '\\n'); } });\n`,
  );
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using program = await startProgram(dir, ['--workers', '2', '--plugin', plugin]);
  await Promise.all([0, 1, 2, 3].map((nth) => fetchBy(program.port, `${origin.url}/${nth}`)));
  await stopped(program);
  assert.equal(new Set(program.stderr().match(/^seen \d+$/gm)).size, 2, program.stderr());
  await assert.rejects(
    startProgram(dir, ['--workers', '2', '--plugin', join(dir, 'none.mjs')]),
    /exit code 2: warctap: --plugin: expected [^\n]*none\.mjs[^\n]*\n$/,
  );
});

test('what keeps it from starting is one line, and nothing is left running', async (t) => {
  const dir = await tempDir(t);
  await using program = await startProgram(dir, ['--workers', '2']);
  await assert.rejects(
    startProgram(await tempDir(t), ['--workers', '2', '-p', String(program.port)]),
    /exit code 1: [^\n]*the port is in use, by a warctap[^\n]*\n$/,
  );
  await assert.rejects(startProgram(dir, ['--workers', '2']), /exit code 1: [^\n]*db[^\n]*\n$/);
  await assert.rejects(
    startProgram(dir, ['--workers', '3', '--max-threads', '2']),
    /exit code 2: warctap: --workers: expected at most 2[^\n]*\n$/,
  );
  await assert.rejects(
    startProgram(dir, ['--workers', '0']),
    /exit code 2: warctap: --workers: expected a whole number[^\n]*auto[^\n]*\n$/,
  );
  await stopped(program);
});

test('auto is one for each core, and one alone is a process without any other', async (t) => {
  const dir = await tempDir(t);
  await using program = await startProgram(dir, ['--workers', 'auto']);
  assert.equal((await statusOf(program.port)).workers?.length ?? 1, availableParallelism());
  await stopped(program);
  await using one = await startProgram(dir, ['--workers', '1']);
  const { workers, pid } = await statusOf(one.port);
  assert.deepEqual([workers, pid], [undefined, one.child.pid]);
  if (existsSync('/proc/self/task')) assert.deepEqual(await workersOf(pid), []);
  await stopped(one);
});

/** Processes that were started as workers; what reads TypeScript has one of its own. */
async function workersOf(pid: number): Promise<string[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')));
  const pids = lists.flatMap((list) => list.split(' ').filter(Boolean));
  const lines = await Promise.all(pids.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes('worker'));
}

test('connections are limited for all together: who leaves makes room, whichever worker had it', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using program = await startProgram(dir, ['--workers', '2', '--max-connections', '4']);
  const clients = await Promise.all([0, 1, 2, 3].map(() => RawClient.connect(program.port)));
  for (const client of clients) {
    client.send(get(`${origin.url}/`));
    assert.equal((await client.response()).status, 200);
  }
  using fifth = await RawClient.connect(program.port);
  assert.equal((await fifth.rest()).length, 0);
  await program.logged('too many client connections');
  for (let round = 0; round < 3; round++) {
    clients[round]![Symbol.dispose]();
    const answered = await until(
      async () => {
        const client = await RawClient.connect(program.port);
        client.send(get(`${origin.url}/again`));
        const status = await client.response().then(
          (response) => response.status,
          () => undefined,
        );
        if (status === undefined) client[Symbol.dispose]();
        else clients.push(client);
        return status;
      },
      (status) => status !== undefined,
    );
    assert.equal(answered, 200);
  }
  for (const client of clients) client[Symbol.dispose]();
  await stopped(program);
});

/** One control page for all workers of a proxy: whichever of them is asked tells of all, and one that hangs keeps nobody waiting. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { CaptureEvent } from '../../src/web/captures/event.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { fetchBy, pageOf, statusOf, stopped, tempDir, until } from '../support/workers.ts';
import { take, told, type Told } from '../web/captures/support.ts';

/** Over a connection of its own each time: whichever worker has it. */
async function listen(t: TestContext, port: number, more = ''): Promise<AsyncGenerator<Told>> {
  const over = new AbortController();
  t.after(() => over.abort());
  const response = await fetch(`http://127.0.0.1:${port}/events${more}`, { signal: over.signal });
  assert.equal(response.status, 200);
  return told(response.body!);
}

const numbersOf = (all: readonly Told[]) => all.map(({ id }) => Number(id.split('-')[1]));
const pathsOf = (all: readonly Told[]) => all.map(({ data }) => new URL((data as CaptureEvent).url).pathname);

/** Value of a line of metrics. */
function metric(text: string, line: string): number | undefined {
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

test('captures of all workers stand in one order, and whoever was cut off goes on with any of them', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using program = await startProgram(dir, ['--workers', '2']);
  const { port } = program;
  const clients = await Promise.all([0, 1].map(() => RawClient.connect(port)));
  const ask = async (from: number, to: number) => {
    for (let nth = from; nth <= to; nth++) {
      const client = clients[nth % 2]!;
      client.send(get(`${origin.url}/${nth}`));
      assert.equal((await client.response()).status, 200);
    }
  };
  await ask(1, 4);
  const { workers = [] } = await until(
    () => statusOf(port),
    ({ urls_processed: urls }) => urls === 4,
  );
  assert.deepEqual(
    workers.map(({ urls_processed: urls }) => urls),
    [2, 2],
  );
  // What came before anybody looked, then what comes.
  const first = await listen(t, port, '?last=100');
  const before = await take(first, 4);
  assert.deepEqual(pathsOf(before).sort(), ['/1', '/2', '/3', '/4']);
  assert.deepEqual(numbersOf(before), [1, 2, 3, 4]);
  await ask(5, 8);
  const after = await take(first, 4);
  assert.deepEqual(numbersOf(after), [5, 6, 7, 8]);
  assert.deepEqual(pathsOf(after).sort(), ['/5', '/6', '/7', '/8']);
  // By several connections, so by both workers.
  for (let nth = 0; nth < 4; nth++) {
    const again = await take(await listen(t, port, `?last-event-id=${before[1]!.id}`), 6);
    assert.deepEqual(again, [...before.slice(2), ...after]);
  }
  const { captures } = JSON.parse(await pageOf(port, '/dashboard/captures.json')) as { captures: CaptureEvent[] };
  assert.deepEqual(
    captures.map(({ id }) => id),
    [8, 7, 6, 5, 4, 3, 2, 1],
  );
  const [instance] = before[0]!.id.split('-');
  for (const { id, url, recordId } of captures) {
    for (const query of [`id=${id}&instance=${instance}`, `record=${encodeURIComponent(recordId)}&url=${encodeURIComponent(url)}`]) {
      const shown = JSON.parse(await pageOf(port, `/dashboard/capture.json?${query}`)) as { url: string; records: { head: string }[] };
      assert.equal(shown.url, url);
      assert.match(shown.records[0]!.head, /^HTTP\/1\.1 200/);
    }
  }
  for (const client of clients) client[Symbol.dispose]();
  await stopped(program);
  assert.deepEqual(await first.next(), { done: true, value: undefined });
});

test('numbers are those of all workers together, and go on when one of them is killed', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) =>
    socket.write(path === '/0' ? ok('').replace('200 OK', '404 Not Found') : ok(path)),
  );
  await using program = await startProgram(dir, ['--workers', '2', '--max-connections', '77']);
  const { port } = program;
  const clients = await Promise.all([0, 1].map(() => RawClient.connect(port)));
  const meta = `Warcprox-Meta: ${JSON.stringify({ 'warc-prefix': 'job', stats: { buckets: ['b'] } })}\r\n`;
  for (let nth = 0; nth < 8; nth++) {
    const client = clients[nth % 2]!;
    client.send(get(`${origin.url}/${nth}`, meta));
    await client.response();
  }
  const isCounted = (text: string) => metric(text, 'warctap_captures_total{archived="new"}') === 8;
  const text = await until(() => pageOf(port, '/metrics'), isCounted);
  assert.deepEqual(
    ['warctap_answers_total{status="2xx"}', 'warctap_answers_total{status="4xx"}'].map((line) => metric(text, line)),
    [7, 1],
  );
  assert.equal(metric(text, 'warctap_capture_duration_seconds_count'), 8);
  assert.equal(metric(text, 'warctap_warc_files_total'), 2);
  assert.equal(metric(text, 'warctap_bound_limit{bound="max-threads",unit="number"}'), 1000);
  assert.equal(metric(text, 'warctap_bound_limit{bound="max-connections",unit="number"}'), 77);
  assert.ok(metric(text, 'warctap_bound_used{bound="max-connections",unit="number"}')! >= 2);
  assert.equal(metric(text, 'warctap_bound_limit{bound="recent-captures",unit="number"}'), 10_000);
  for (const process of ['primary', 'worker 1', 'worker 2'])
    assert.ok(metric(text, `process_resident_memory_bytes{process="${process}"}`)! > 10_000_000);
  const stateOf = async () =>
    JSON.parse(await pageOf(port, '/dashboard/state.json')) as {
      totals: object;
      slots: { new: number[] };
      prefixes: { prefix: string; captures: number }[];
      buckets: { bucket: string; total?: { urls: number } }[];
      files: object[];
    };
  const state = await stateOf();
  assert.deepEqual([state.prefixes.map(({ prefix, captures }) => [prefix, captures]), state.files.length], [[['job', 8]], 2]);
  assert.equal(state.buckets.find(({ bucket }) => bucket === 'b')?.total?.urls, 8);
  const { workers = [] } = await statusOf(port);
  process.kill(workers[0]!.pid, 'SIGKILL');
  await program.logged('another worker has taken its place');
  await fetchBy(port, `${origin.url}/more`, meta);
  const isMore = (later: string) => metric(later, 'warctap_captures_total{archived="new"}') === 9;
  const later = await until(() => pageOf(port, '/metrics'), isMore);
  assert.deepEqual([metric(later, 'warctap_capture_duration_seconds_count'), metric(later, 'warctap_answers_total{status="2xx"}')], [9, 8]);
  const { prefixes, slots } = await stateOf();
  assert.deepEqual([prefixes[0]?.captures, slots.new.reduce((sum, count) => sum + count, 0)], [9, 9]);
  for (const client of clients) client[Symbol.dispose]();
  await stopped(program);
});

test('a worker that hangs is told of, and keeps no page waiting for it', async (t) => {
  const dir = await tempDir(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  await using program = await startProgram(dir, ['--workers', '2']);
  const { port } = program;
  await Promise.all([0, 1, 2, 3].map((nth) => fetchBy(port, `${origin.url}/${nth}`)));
  const { workers = [] } = await until(
    () => statusOf(port),
    ({ urls_processed: urls }) => urls === 4,
  );
  assert.ok(workers.every(({ problem }) => problem === null));
  const hangs = workers[0]!;
  process.kill(hangs.pid, 'SIGSTOP');
  // The first connection may be handed to the one that hangs, further ones are not.
  const first = await Promise.any([0, 1].map(() => statusOf(port)));
  assert.equal(first.urls_processed, 4);
  const [one, other] = first.workers ?? [];
  assert.match(one?.problem ?? '', /^no answer in \d+\.\d s$/);
  assert.deepEqual([one?.pid, one?.urls_processed, other?.problem], [hangs.pid, hangs.urls_processed, null]);
  const metrics = await pageOf(port, '/metrics');
  assert.deepEqual(
    workers.map(({ worker }) => metric(metrics, `warctap_worker_up{worker="${worker}"}`)),
    [0, 1],
  );
  assert.equal(metric(metrics, 'warctap_captures_total{archived="new"}'), 4);
  const state = JSON.parse(await pageOf(port, '/dashboard/state.json')) as { workers: { worker: number; problem: string | null }[] };
  assert.deepEqual(
    workers.map(({ worker }) => state.workers.find((each) => each.worker === worker)?.problem === null),
    [false, true],
  );
  // Captures of the other are told of meanwhile, and of this one once it goes on.
  const events = await listen(t, port, '?last=100&url=/later');
  await fetchBy(port, `${origin.url}/later`);
  assert.deepEqual(pathsOf(await take(events, 1)), ['/later']);
  process.kill(hangs.pid, 'SIGCONT');
  const well = await until(
    () => statusOf(port),
    ({ workers: all }) => all?.every(({ problem }) => problem === null) === true,
  );
  assert.equal(well.workers?.length, 2);
  await stopped(program);
});

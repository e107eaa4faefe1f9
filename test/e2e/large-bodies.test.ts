/**
 * Large bodies, which go to their WARC file while they come, by each way in which they can end.
 *
 * Source: docs/lifecycle.md, docs/reliability.md.
 */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { RawClient } from '../support/client.ts';
import { get, ok, okHead } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { readFolder, startProxy } from '../support/proxy.ts';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';

const LARGE = 2 * 1024 * 1024;

/** `/whole-N` is one of them, `/half-N` half of one and no more, anything else is small. */
function origin(): Promise<Origin> {
  return startOrigin(({ path, socket }) => {
    const name = path.slice(1);
    const body = `${name} `.repeat(Math.ceil(LARGE / (name.length + 1))).slice(0, LARGE);
    if (name.startsWith('whole')) socket.write(ok(body));
    else if (name.startsWith('same')) socket.write(ok('same '.repeat(LARGE / 5)));
    else if (name.startsWith('half')) socket.write(okHead(LARGE) + body.slice(0, LARGE / 2));
    else socket.write(ok(name));
  });
}

async function assertWhole(dir: string, open = false): Promise<void> {
  const files = (await readdir(dir)).map((name) => join(dir, name));
  const faults: string[] = [];
  await verifyFiles(files, { allowUnresolved: false, onFault: ({ file, offset, problem }) => faults.push(`${file} ${offset} ${problem}`) });
  assert.deepEqual(faults, []);
  if (!open)
    assert.deepEqual(
      files.filter((file) => file.endsWith('.open')),
      [],
    );
}

/** Until so many bytes are in open files. */
async function written(dir: string, bytes: number): Promise<void> {
  for (;;) {
    const names = await readdir(dir).catch(() => []);
    const sizes = await Promise.all(
      names.map(async (name) =>
        stat(join(dir, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    if (sizes.reduce((sum, size) => sum + size, 0) > bytes) return;
    await passed(5);
  }
}

const WAYS = [
  { way: 'whole', path: 'whole', type: 'response', truncated: undefined, options: {} },
  { way: 'larger than may be', path: 'whole', type: 'response', truncated: 'length', options: { maxResourceSize: LARGE / 2 } },
  { way: 'silent', path: 'half', type: 'response', truncated: 'time', options: { socketTimeout: 1 } },
] as const;

for (const { way, path, type, truncated, options } of WAYS) {
  test(`a large body that is ${way}`, { timeout: 60_000 }, async () => {
    await using site = await origin();
    await using proxy = await startProxy(options);
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${site.url}/${path}-1`));
    await client.response().catch(() => undefined);
    await proxy.captured(1);
    const records = await proxy.records();
    assert.deepEqual(
      records.map((record) => [record.type, record.fields.get('warc-truncated')]),
      [
        [type, truncated],
        ['request', undefined],
      ],
    );
    await assertWhole(join(proxy.dir, 'warcs'));
  });
}

const ONE_CORE = availableParallelism() === 1 ? 'nothing is hashed elsewhere where there is one core' : false;

test('large bodies are hashed in a thread, which begins with the first of them', { skip: ONE_CORE, timeout: 60_000 }, async (t) => {
  const threads: string[] = [];
  const begun = (message: unknown) => void threads.push(String((message as { worker: Worker }).worker.threadId));
  subscribe('worker_threads', begun);
  t.after(() => unsubscribe('worker_threads', begun));
  await using site = await origin();
  await using proxy = await startProxy();
  const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(proxy.port)));
  const fetchFrom = async (client: RawClient, path: string) => {
    client.send(get(`${site.url}/${path}`));
    return (await client.response()).body.length;
  };
  await Promise.all(clients.map((client, nth) => fetchFrom(client, `small-${nth}`)));
  assert.equal(threads.length, 0);
  for (let round = 0; round < 5; round++) {
    const sizes = await Promise.all(clients.map((client, nth) => fetchFrom(client, `whole-${round}-${nth}`)));
    assert.deepEqual(new Set(sizes), new Set([LARGE]));
  }
  assert.equal(threads.length, 1);
  for (const client of clients) client[Symbol.dispose]();
  await proxy.captured(48);
  assert.equal((await proxy.records()).filter(({ type }) => type === 'response').length, 48);
  await assertWhole(join(proxy.dir, 'warcs'));
});

test('a large body has been counted when its client has it, for requests of other connections, too', { timeout: 60_000 }, async () => {
  await using site = await origin();
  await using proxy = await startProxy();
  using one = await RawClient.connect(proxy.port);
  for (let round = 0; round < 12; round++) {
    const meta = { stats: { buckets: [`b${round}`] }, limits: { [`b${round}/total/urls`]: 1 } };
    const fields = `Warcprox-Meta: ${JSON.stringify(meta)}\r\n`;
    one.send(get(`${site.url}/whole-${round}`, fields));
    assert.equal((await one.response()).body.length, LARGE);
    using other = await RawClient.connect(proxy.port);
    other.send(get(`${site.url}/small-${round}`, fields));
    assert.equal((await other.response()).status, 420, `round ${round}`);
  }
});

test('the same large body again, and one of a client that leaves', { timeout: 60_000 }, async () => {
  await using site = await origin();
  await using proxy = await startProxy({ finishAbandoned: 'never', size: 100_000_000 });
  for (const name of ['same-1', 'same-2']) {
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${site.url}/${name}`, name === 'same-2' ? 'Warcprox-Meta: {"warc-prefix":"other"}\r\n' : ''));
    await client.response();
    await proxy.captureOf(`${site.url}/${name}`);
  }
  {
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${site.url}/half-1`));
    await written(join(proxy.dir, 'warcs'), LARGE + LARGE / 4);
    client.socket.resetAndDestroy();
  }
  await proxy.captureOf(`${site.url}/half-1`);
  const records = await proxy.records();
  assert.deepEqual(
    records
      .filter(({ type }) => type !== 'warcinfo' && type !== 'request')
      .map(({ type, url, fields }) => `${type} ${url.slice(url.lastIndexOf('/'))} ${fields.get('warc-truncated') ?? ''}`)
      .sort(),
    ['response /half-1 disconnect', 'response /same-1 ', 'revisit /same-2 length'],
  );
  await assertWhole(join(proxy.dir, 'warcs'));
  const names = (await readdir(join(proxy.dir, 'warcs'))).filter((name) => name.startsWith('other'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(proxy.dir, 'warcs', name))).size));
  assert.ok(
    sizes.every((size) => size < 10_000),
    'the body of a revisit is cut off',
  );
});

test('killed while a large body comes: what was answered is there, and nothing else', { timeout: 120_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-large-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const warcs = join(dir, 'warcs');
  await using site = await origin();
  {
    await using program = await startProgram(dir);
    using client = await RawClient.connect(program.port);
    for (const name of ['small-1', 'whole-1', 'small-2']) {
      client.send(get(`${site.url}/${name}`));
      await client.response();
    }
    await written(warcs, LARGE);
    using other = await RawClient.connect(program.port);
    other.send(get(`${site.url}/half-1`));
    await written(warcs, LARGE + LARGE / 4);
    await passed(1000);
    program.child.kill('SIGKILL');
    await program.ended;
  }
  await using again = await startProgram(dir);
  await assertWhole(warcs);
  assert.match(again.stderr(), /cut from|deleted/);
  const urls = (await readFolder(warcs)).filter(({ type }) => type === 'response').map(({ url }) => url.slice(url.lastIndexOf('/')));
  assert.deepEqual(urls.sort(), ['/small-1', '/small-2', '/whole-1']);
});

test(
  'the disk full while a large body comes: that one fails, and the others are whole',
  { skip: noSmallDisk, timeout: 120_000 },
  async () => {
    using disk = makeSmallDisk(3);
    await using site = await origin();
    await using proxy = await startProxy({ dir: disk.dir, maxSpool: 0 });
    const ask = async (name: string) => {
      using client = await RawClient.connect(proxy.port);
      client.send(get(`${site.url}/${name}`));
      const answer = await client.response().catch(() => undefined);
      await proxy.captureOf(`${site.url}/${name}`);
      return answer?.status;
    };
    assert.equal(await ask('small-1'), 200);
    assert.equal(await ask('whole-1'), 200);
    assert.equal(await ask('whole-2'), undefined);
    assert.equal(await ask('small-2'), 200);
    await proxy.proxy.close();
    await assertWhole(disk.dir);
    const urls = (await readFolder(disk.dir)).filter(({ type }) => type === 'response').map(({ url }) => url.slice(url.lastIndexOf('/')));
    assert.deepEqual(urls.sort(), ['/small-1', '/small-2', '/whole-1']);
  },
);

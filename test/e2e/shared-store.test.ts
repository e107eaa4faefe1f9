/** Proxies that share a store, on a real server, to which everything is done that may happen to one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createCore } from '../../src/index.ts';
import { runHere } from '../cli/child.ts';
import { keptLog, metaLine, type KeptLog } from '../support/api.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy, type TestRecord } from '../support/proxy.ts';
import { freePort, NO_SERVER, relay, startServer, type Server } from '../store/valkey/server.ts';

const REAL = { timeout: 30_000 };
const BODY = 'x'.repeat(500);

interface Member {
  readonly proxy: TestProxy;
  readonly log: KeptLog;
  /** @returns the status of the answer, once its capture has left the chain unless it was refused */
  readonly get: (path: string, meta?: object) => Promise<{ status: number; body: string }>;
  readonly database: () => Promise<{ folder: string; state: string; problem: string | null; entries_waiting: number }>;
}

/** Proxies in front of one origin, which answers everything alike. */
async function members(t: TestContext, store: string, count = 2): Promise<readonly Member[]> {
  const origin = await startOrigin(({ socket }) => socket.write(ok(BODY)));
  t.after(() => origin[Symbol.asyncDispose]());
  const start = async (): Promise<Member> => {
    const log = keptLog();
    const proxy = await startProxy({ store, log });
    t.after(() => proxy[Symbol.asyncDispose]());
    const ask = async (head: string, meta?: object) => {
      using client = await RawClient.connect(proxy.port);
      client.send(`${head}\r\n`);
      client.send(metaLine(meta));
      client.send('\r\n');
      const { status, body } = await client.response();
      return { status, body: body.toString() };
    };
    return {
      proxy,
      log,
      async get(path, meta) {
        const url = `http://127.0.0.1:${origin.port}${path}`;
        const answer = await ask(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}`, meta);
        if (answer.status === 200) await proxy.captureOf(url);
        return answer;
      },
      async database() {
        const { body } = await ask('GET /status HTTP/1.1\r\nHost: localhost');
        const { databases } = JSON.parse(body) as { databases: Awaited<ReturnType<Member['database']>>[] };
        return databases[0] ?? assert.fail();
      },
    };
  };
  return Promise.all(Array.from({ length: count }, start));
}

async function recordsOf(all: readonly Member[]): Promise<readonly TestRecord[]> {
  return (await Promise.all(all.map(({ proxy }) => proxy.records()))).flat();
}

/** Each revisit stands for a response that is there. @returns how many there are of both */
function checked(records: readonly TestRecord[]): { responses: number; revisits: number } {
  const ids = new Set(records.filter(({ type }) => type === 'response').map(({ fields }) => fields.get('warc-record-id')));
  const revisits = records.filter(({ type }) => type === 'revisit');
  for (const { fields } of revisits) assert.ok(ids.has(fields.get('warc-refers-to')), 'a revisit of nothing');
  return { responses: ids.size, revisits: revisits.length };
}

const meta = (limit: number) => ({ stats: { buckets: ['b'] }, limits: { 'b/total/urls': limit } });

// Some of them mostly wait.
describe('proxies that share a store', { skip: NO_SERVER, concurrency: 3 }, () => {
  test('a payload that comes to two proxies at once, many times, is written once', REAL, async (t) => {
    const all = await members(t, (await startServer(t)).url);
    await Promise.all(Array.from({ length: 40 }, async (_, nth) => all[nth % 2]?.get(`/${nth}`)));
    assert.deepEqual(checked(await recordsOf(all)), { responses: 1, revisits: 39 });
  });

  test('a limit of N holds for all together, with requests in turn: N or N + 1 pass', REAL, async (t) => {
    const all = await members(t, (await startServer(t)).url);
    const statuses: number[] = [];
    for (let nth = 0; nth < 12; nth++) statuses.push((await all[nth % 2]?.get(`/${nth}`, meta(6)))?.status ?? 0);
    const passed = statuses.filter((status) => status === 200).length;
    assert.ok(passed === 6 || passed === 7, statuses.join(' '));
    assert.ok(statuses.slice(passed).every((status) => status === 420));
  });

  test('the server is killed, and comes back: nothing is lost, limits are answered 503 meanwhile, all is delivered', REAL, async (t) => {
    const server = await startServer(t, { flags: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const all = await members(t, server.url);
    const [a, b] = all;
    assert.ok(a !== undefined && b !== undefined);
    await a.get('/before', meta(100));
    await server.kill();
    for (const each of all) assert.equal((await each.get('/during')).status, 200);
    const refused = await a.get('/limited', meta(100));
    assert.equal(refused.status, 503);
    assert.match(refused.body, /^limits cannot be compared with what was counted: store unix:\S+ cannot be reached: /);
    assert.match((await a.database()).problem ?? '', /^store unix:\S+ cannot be reached/);
    assert.equal((await a.database()).state, 'away');
    await server.start();
    await Promise.all(all.map(({ log }) => log.line('what waited for the store is in it')));
    assert.deepEqual(await a.database(), { folder: server.url, state: 'in use', problem: null, entries_waiting: 0, entries_lost: 0 });
    assert.equal((await b.get('/after', meta(100))).status, 200);
    assert.equal((await b.get('/last', meta(2))).status, 420);
    const { responses, revisits } = checked(await recordsOf(all));
    assert.equal(responses + revisits, 4);
    assert.ok(responses <= 2);
    assert.equal(server.ask('HGET', 'w:s:__all__', '1'), '4');
  });

  test('the server is full: requests with limits are told so, the others go on', REAL, async (t) => {
    const server = await startServer(t);
    const [a] = await members(t, server.url, 1);
    assert.ok(a !== undefined);
    server.ask('CONFIG', 'SET', 'maxmemory', '1');
    assert.equal((await a.get('/1', { stats: { buckets: ['b'] } })).status, 200);
    const refused = await a.get('/2', meta(1));
    assert.equal(refused.status, 503);
    assert.match(refused.body, /is full: raise its maxmemory, or make room/);
    server.ask('CONFIG', 'SET', 'maxmemory', '0');
    await a.log.line('what waited for the store is in it');
    assert.equal((await a.get('/2', meta(1))).status, 420);
  });

  test('the password changes while it runs: the log says so, and all is delivered with the right one', REAL, async (t) => {
    const server = await startServer(t);
    server.ask('ACL', 'SETUSER', 'w', 'on', '>right', '~w:*', '+@all');
    const [a] = await members(t, server.url.replace('unix://', 'unix://w:right@'), 1);
    assert.ok(a !== undefined);
    server.ask('ACL', 'SETUSER', 'w', 'resetpass', '>wrong');
    server.ask('CLIENT', 'KILL', 'USER', 'w');
    assert.equal((await a.get('/1')).status, 200);
    await a.log.line('refuses the user or password');
    server.ask('ACL', 'SETUSER', 'w', 'resetpass', '>right');
    await a.log.line('what waited for the store is in it');
    await recordsOf([a]);
    assert.equal(server.ask('HGET', 'w:s:__all__', '1'), '1');
    assert.ok(a.log.lines.every((line) => !line.includes('right@')));
  });

  test('Sentinels make another server the primary: it is used from then on', REAL, async (t) => {
    const [first, second, sentinel] = [await freePort(), await freePort(), await freePort()];
    const primary = await startServer(t, { port: first });
    const replica = await startServer(t, { port: second, flags: ['--replicaof', '127.0.0.1', String(first)] });
    const watching = await startSentinel(t, sentinel, first);
    const [a] = await members(t, `valkey://127.0.0.1:${sentinel}/0?sentinel=main`, 1);
    assert.ok(a !== undefined);
    assert.equal((await a.get('/1')).status, 200);
    assert.match(primary.ask('WAIT', '1', '10000'), /^1$/);
    await until(() => watching.ask('SENTINEL', 'REPLICAS', 'main').includes(String(second)));
    await primary.kill();
    assert.equal((await a.get('/2')).status, 200);
    await a.log.line('is in use again');
    assert.match(replica.ask('ROLE'), /^master/);
    assert.equal((await a.get('/3', meta(100))).status, 200);
    const { responses, revisits } = checked(await recordsOf([a]));
    assert.equal(responses, 1);
    assert.equal(revisits, 2);
    assert.equal(replica.ask('HGET', 'w:s:__all__', '1'), '3');
  });
});

async function startSentinel(t: TestContext, port: number, primary: number): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-sentinel-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'sentinel.conf');
  const lines = [`sentinel monitor main 127.0.0.1 ${primary} 1`, 'sentinel down-after-milliseconds main 300'];
  writeFileSync(file, [...lines, 'sentinel failover-timeout main 2000', ''].join('\n'));
  return startServer(t, { port, sentinel: file });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('what keeps it from starting is told in one line, without the password', { skip: NO_SERVER, concurrency: 2 }, () => {
  const cases: readonly (readonly [what: string, url: (server: Server, t: TestContext) => Promise<string> | string, line: RegExp, flags?: string[]])[] = [
    ['nobody listens', async () => `valkey://u:secret@127.0.0.1:${await freePort()}`, /cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:\d+$/],
    ['no such socket', ({ folder }) => `unix://${folder}/gone`, /cannot be reached: connect ENOENT \S+gone$/],
    ['a name that nobody knows', () => 'valkey://u:secret@nowhere.invalid', /cannot be reached: getaddrinfo \S+ nowhere\.invalid$/],
    ['wrong password', ({ url }) => url.replace('//', '//:secret@'), /refuses the user or password of the URL$/, ['--requirepass', 'other']],
    ['wrong user', ({ url }) => url.replace('//', '//u:secret@'), /refuses the user or password of the URL$/],
    ['no password', ({ url }) => url, /wants a password: name it as in valkey:\/\/USER:PASSWORD@HOST\/DB, or with --store-password-file$/, ['--requirepass', 'x']],
    ['a database that it does not have', ({ url }) => `${url}?db=99`, /has no such database: DB index is out of range$/],
    ['a cluster', ({ url }) => url, /is part of a cluster, which cannot be a store: name a single server, or Sentinels$/, ['--cluster-enabled', 'yes']],
    ['a replica', ({ url }) => url, /is a replica, which takes no writes: name its primary, or Sentinels with \?sentinel=NAME$/, ['--replicaof', '127.0.0.1', '1']],
    [
      'an old version',
      async ({ socket }, t) => `valkey://127.0.0.1:${await relay(t, socket, (text) => text.replace(/redis_version:\d/, 'redis_version:5').replace(/valkey_version/, 'valkey_vorsion'))}`,
      /is Redis 5\.\S+, which is too old: it takes 6\.2 or newer, or Valkey$/,
    ],
    ['something that is no store', async ({ socket }, t) => `valkey://127.0.0.1:${await relay(t, socket, () => 'HTTP/1.1 400 Bad Request\r\n\r\n')}`, /does not speak as Valkey or Redis do$/],
    ['made by another version', (server) => (server.ask('SET', 'w:format', '7'), server.url), /was made by another version of warctap \(format 7, here 1\)$/],
    ['full', ({ url }) => url, /is full: raise its maxmemory, or make room$/, ['--maxmemory', '1']],
  ]; // prettier-ignore
  for (const [what, url, line, flags = []] of cases) {
    test(what, { timeout: 30_000 }, async (t) => {
      const server = await startServer(t, { flags, auth: flags.includes('--requirepass') ? ['-a', flags[1] ?? ''] : [] });
      const dir = mkdtempSync(join(tmpdir(), 'warctap-start-'));
      t.after(() => rmSync(dir, { recursive: true, force: true }));
      const store = await url(server, t);
      await assert.rejects(
        createCore({ dir: join(dir, 'warcs'), dedupDbFile: join(dir, 'db'), statsDbFile: '', store }),
        (error: Error) => {
          assert.match(error.message, line);
          assert.match(error.message, /^store (?:valkey|unix):\S+ [^\n]+$/);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }

  test('the program ends with exit code 1 then, and with 2 for what is no URL of a store', { timeout: 30_000 }, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'warctap-start-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const port = await freePort();
    const own = ['--dir', join(dir, 'warcs'), '--dedup-db-file', join(dir, 'db'), '--stats-db-file', join(dir, 'db')];
    const run = async (store: string) => {
      const { code, stderr } = await runHere(
        '-p',
        '0',
        '--cacert',
        await testCaFile(),
        '--certs-dir',
        join(dir, 'certs'),
        ...own,
        '--store',
        store,
      );
      return { code, stderr };
    };
    assert.deepEqual(await run(`valkey://u:secret@127.0.0.1:${port}`), {
      code: 1,
      stderr: `warctap: store valkey://127.0.0.1:${port}/0 cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
    const unknown = await run('mysql://u:secret@a.example/');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /^warctap: --store: expected a URL such as valkey:[^\n]*\n$/);
    assert.doesNotMatch(unknown.stderr, /secret@/);
  });

  test('the password may stand in a file', { timeout: 30_000 }, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'warctap-start-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const storePasswordFile = join(dir, 'password');
    writeFileSync(storePasswordFile, 'right\n', { mode: 0o600 });
    const server = await startServer(t, { flags: ['--requirepass', 'right'], auth: ['-a', 'right'] });
    await using proxy = await startProxy({ store: server.url, storePasswordFile });
    assert.ok(proxy.port > 0);
  });
});

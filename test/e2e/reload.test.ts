/** SIGUSR2: what is reloadable is taken over by the program that runs, and nothing is lost by it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hashPassword } from '../../src/auth/password-hash.ts';
import { changesOf } from '../../src/options/changes.ts';
import { resolveOptions } from '../../src/options/resolve.ts';
import { PROXY_OPTIONS } from '../../src/options/table.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram, type Program } from '../support/program.ts';
import { readFolder, startProxy } from '../support/proxy.ts';

const as = (user: string, password: string) => `Proxy-Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}\r\n`;
const ALICE = as('alice', 'one');
const BOB = as('bob', 'two');
const HALF = 'a'.repeat(50);

async function statusOf(program: { readonly port: number }, url: string, more = ''): Promise<number> {
  using client = await RawClient.connect(program.port);
  client.send(get(url, more));
  return (await client.response()).status;
}

async function reload(program: Program, says: string): Promise<string> {
  const before = program.stderr().length;
  program.child.kill('SIGUSR2');
  for (;;) {
    await program.logged(says);
    const since = program.stderr().slice(before);
    if (since.includes(says)) return since;
    await new Promise((done) => program.child.stderr?.once('data', done));
  }
}

test(
  'a download goes on, a host is denied, a user comes and another goes; what is broken changes nothing',
  { skip: process.platform === 'win32' && 'needs signals' },
  async (t: TestContext) => {
    const dir = await mkdtemp(join(tmpdir(), 'warctap-reload-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const [users, config] = [join(dir, 'users'), join(dir, 'warctap.yaml')];
    const [one, two] = await Promise.all([hashPassword('one'), hashPassword('two')]);
    await writeFile(users, `alice:${one}\n`, { mode: 0o600 });
    await writeFile(config, `proxy-auth-file: ${users}\n`);

    let download: Socket | undefined;
    await using slow = await startOrigin(({ socket }) => {
      download = socket;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${HALF}`);
    });
    await using other = await startOrigin(({ socket }) => socket.write(ok()), { address: '127.0.0.2' });
    const url = `http://127.0.0.2:${other.port}/`;
    await using program = await startProgram(dir, ['--config', config]);

    using client = await RawClient.connect(program.port);
    client.send(get(`${slow.url}/long`, ALICE));
    assert.match(await client.head(), /^HTTP\/1\.1 200 /);
    assert.equal((await client.bytes(50)).toString(), HALF);
    assert.equal(await statusOf(program, url, ALICE), 200);
    assert.equal(await statusOf(program, url, BOB), 407);

    // Each is broken in one of its parts: the other part is not taken over, either.
    await writeFile(users, 'nonsense\n');
    await writeFile(config, `proxy-auth-file: ${users}\ndeny: 127.0.0.2\n`);
    assert.match(await reload(program, 'not reloaded'), /all stays as it was: proxy-auth-file in .*: expected lines USER:/);
    await writeFile(users, `bob:${two}\n`);
    await writeFile(config, `proxy-auth-file: ${users}\ndeny: 127.0.0.x\n`);
    assert.match(await reload(program, 'not reloaded'), /all stays as it was: deny in .*: expected an IP address or a network/);
    assert.equal(await statusOf(program, url, ALICE), 200);
    assert.equal(await statusOf(program, url, BOB), 407);

    await writeFile(config, `proxy-auth-file: ${users}\ndeny: 127.0.0.2\nverbose: true\nmax-threads: 7\n`);
    const told = await reload(program, 'at the next start: --max-threads');
    assert.match(told, /"reloaded: --deny, --proxy-auth-file, log level verbose"/);
    const connections = other.connections;
    assert.equal(await statusOf(program, url, BOB), 400, 'kept connections are not used any more');
    assert.equal(other.connections, connections);
    assert.equal(await statusOf(program, url, ALICE), 407);
    assert.equal(await statusOf(program, `${slow.url}/nobody-asks-twice`, ALICE), 407);

    download?.write('b'.repeat(50));
    assert.equal((await client.bytes(50)).toString(), 'b'.repeat(50));

    await reload(program, 'reloaded, nothing has changed');
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, [0, null]);
    const long = (await readFolder(join(dir, 'warcs'))).find((record) => record.type === 'response' && record.url.endsWith('/long'));
    assert.ok(long !== undefined);
    assert.match(long.block.toString(), /a{50}b{50}$/);
    assert.equal(long.fields.get('warc-truncated'), undefined);
  },
);

test('a program that embeds the proxy reloads it as well, and an address that was denied can be reached', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()), { address: '127.0.0.2' });
  const url = `http://127.0.0.2:${origin.port}/`;
  const options = { allowLocalhost: true, deny: ['127.0.0.2'] };
  await using running = await startProxy(options);
  assert.equal(await statusOf(running, url), 400);
  const { dir, proxy } = running;
  const given = {
    port: 0,
    dir: join(dir, 'warcs'),
    cacert: proxy.caFile,
    certsDir: join(dir, 'certs'),
    minFreeSpace: 0,
    tlsEvidence: 'off',
  } as const;
  const db = { dedupDbFile: join(dir, 'db'), statsDbFile: join(dir, 'db') };
  assert.deepEqual(await proxy.reload({ ...given, ...db, ...options, deny: [], gzip: true }), { now: ['deny'], atNextStart: ['gzip'] });
  assert.equal(await statusOf(running, url), 200);
  await assert.rejects(proxy.reload({ deny: ['nowhere'] }), /^OptionError: option deny: expected an IP address or a network/);
  // Whether there is a log-in is decided by the start.
  const again = await proxy.reload({ ...given, ...db, ...options, deny: [], proxyAuthFile: '/nowhere' });
  assert.deepEqual(again, { now: [], atNextStart: ['proxyAuthFile'] });
});

test('changes are told apart by the rows of the options', () => {
  const before = resolveOptions({ deny: ['10.0.0.0/8'] });
  const after = resolveOptions({ deny: ['10.0.0.0/8'], allow: ['10.1.0.0/16'], socksProxy: 'proxy:1080' });
  assert.deepEqual(changesOf(PROXY_OPTIONS, before, after), { now: ['allow'], atNextStart: ['socksProxy'] });
  assert.deepEqual(changesOf(PROXY_OPTIONS, after, after), { now: [], atNextStart: [] });
});

/**
 * How the real program ends while it has work: by a signal, by a second one, by a fault of its own.
 *
 * Source: spec/warcprox.md §12.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { RawClient } from '../support/client.ts';
import { get, ok, refusal } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProgram, type Program } from '../support/program.ts';
import { readFolder, type TestRecord } from '../support/proxy.ts';

const SHUTTING_DOWN = refusal('503 Service Unavailable', 'proxy is shutting down');
const BEGUN = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';

async function newFolder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-stopping-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Names of the WARC files, which have been checked. */
async function warcsIn(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, 'warcs'));
  const faults: string[] = [];
  await verifyFiles(
    names.map((name) => join(dir, 'warcs', name)),
    { allowUnresolved: false, onFault: ({ file, problem }) => faults.push(`${file} ${problem}`) },
  );
  assert.deepEqual(faults, []);
  return names;
}

async function untilStatus(program: Program, active: number, waiting: number): Promise<void> {
  using client = await RawClient.connect(program.port);
  for (;;) {
    client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const status = JSON.parse((await client.response()).body.toString()) as Record<string, number>;
    if (status.active_requests === active && status.unaccepted_requests === waiting) return;
  }
}

/** An origin that takes connections and never reads. */
async function startDeafOrigin(): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => Promise.resolve(void server.close()),
  };
}

test('SIGTERM with 100 requests under way: 503 or cut, what came is kept, the files are closed', { timeout: 60_000 }, async (t) => {
  const dir = await newFolder(t);
  let heads = 0;
  let wake = () => {};
  await using origin = await startOrigin(({ path, socket }) => path.startsWith('/begun-') && socket.write(BEGUN + path), {
    onHead: () => (heads++, wake()),
  });
  await using deaf = await startDeafOrigin();
  await using program = await startProgram(dir, ['--max-threads', '75']);
  const send = (count: number, request: (index: number) => string) =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const client = await RawClient.connect(program.port);
        t.after(() => client[Symbol.dispose]());
        client.send(request(index));
        return client;
      }),
    );
  const upload = (url: string, size: number, sent: number) =>
    `POST ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(sent)}`;

  const silent = await send(30, () => get(`${origin.url}/silent`));
  const begun = await send(20, (index) => get(`${origin.url}/begun-${index}`));
  for (const [index, client] of begun.entries()) {
    await client.head();
    assert.equal((await client.bytes(`/begun-${index}`.length)).toString(), `/begun-${index}`);
  }
  const uploading = await send(20, () => upload(`${origin.url}/upload`, 1000, 500));
  const stuck = await send(5, () => upload(`${deaf.url}/stuck`, 16_000_000, 16_000_000));
  while (heads < 70) await new Promise<void>((resolve) => (wake = resolve));
  await untilStatus(program, 75, 0);
  const queued = await send(25, () => get(`${origin.url}/queued`));
  await untilStatus(program, 75, 25);

  program.child.kill('SIGTERM');
  assert.deepEqual(await program.ended, [0, null], program.stderr());
  assert.match(program.stderr(), /closed, everything is written/);
  assert.deepEqual(
    program.log().filter(({ level }) => level !== 'info'),
    [],
  );
  for (const client of [...silent, ...uploading, ...queued]) assert.equal((await client.rest()).toString(), SHUTTING_DOWN);
  for (const client of begun) assert.equal((await client.rest()).length, 0);
  // Its connection may have been reset, as it had more to send.
  for (const client of stuck) assert.ok(['', SHUTTING_DOWN].includes((await client.rest()).toString()));
  while (origin.open > 0) await new Promise(setImmediate);

  assert.ok((await warcsIn(dir)).every((name) => name.endsWith('.warc')));
  const records = await readFolder(join(dir, 'warcs'));
  const responses = records.filter(({ type }) => type === 'response');
  assert.deepEqual(responses.map(({ url }) => url).sort(), begun.map((_, index) => `${origin.url}/begun-${index}`).sort());
  for (const { url, fields, block } of responses) {
    assert.equal(fields.get('warc-truncated'), 'disconnect');
    assert.equal(block.toString(), BEGUN + new URL(url).pathname);
  }
  assert.equal(records.length, 2 * begun.length);
});

/** Starts the program with a plugin that stands behind everything that stores captures. */
async function startWithPlugin(dir: string, process: string): Promise<Program> {
  const plugin = join(dir, 'plugin.mjs');
  await writeFile(plugin, `export default (_, { log }) => ({ name: 'Test', process(batch) { ${process} } });\n`);
  return await startProgram(dir, ['--plugin', plugin]);
}

/** The next start finds open files, and makes them whole. @returns what is in them */
async function nextStart(dir: string): Promise<TestRecord[]> {
  assert.ok((await readdir(join(dir, 'warcs'))).some((name) => name.endsWith('.warc.open')));
  await using program = await startProgram(dir);
  assert.match(program.stderr(), /WARC file of an earlier run: whole, \d+ records, now /);
  program.child.kill('SIGTERM');
  assert.deepEqual(await program.ended, [0, null]);
  assert.ok((await warcsIn(dir)).every((name) => name.endsWith('.warc')));
  return await readFolder(join(dir, 'warcs'));
}

async function fetchAll(program: Program, origin: Origin, paths: readonly string[]): Promise<void> {
  using client = await RawClient.connect(program.port);
  for (const path of paths) {
    client.send(get(`${origin.url}${path}`));
    assert.equal((await client.response()).status, 200);
  }
}

function urlsOf(records: readonly TestRecord[]): string[] {
  return records.filter(({ type }) => type === 'response' || type === 'revisit').map(({ url }) => url);
}

for (const second of ['SIGINT', 'SIGTERM'] as const) {
  test(
    `${second} while SIGTERM is being obeyed ends the program at once; the next start closes its files`,
    { timeout: 60_000 },
    async (t) => {
      const dir = await newFolder(t);
      await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
      await using program = await startWithPlugin(dir, `log.info({}, 'held'); return new Promise(() => {});`);
      await fetchAll(program, origin, ['/held']);
      await program.logged('"held"');
      program.child.kill('SIGTERM');
      await program.logged('stopping; a second signal exits at once');
      // The same signal counts again after a moment only: npm passes on what the process group has got.
      const again = setInterval(() => program.child.kill(second), 20);
      t.after(() => clearInterval(again));
      assert.deepEqual(await program.ended, [null, second], program.stderr());
      clearInterval(again);
      assert.equal(program.stderr().match(/exiting at once, the next start repairs open files/g)?.length, 1);
      assert.deepEqual(urlsOf(await nextStart(dir)), [`${origin.url}/held`]);
    },
  );
}

test('a fault in the program ends it with 1 and one line; the next start closes its files, and all that was stored is there', async (t) => {
  const dir = await newFolder(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  // In a module of its own: what stands in the plugin's file would be told of as its fault.
  const throwLater = `import("data:text/javascript,setImmediate(() => { throw new Error('what nobody expected'); })");`;
  await using program = await startWithPlugin(dir, `if (batch.some(({ url }) => url.endsWith('/fault'))) ${throwLater}`);
  const paths = [...Array.from({ length: 50 }, (_, index) => `/${index}`), '/fault'];
  await fetchAll(program, origin, paths);
  assert.deepEqual(await program.ended, [1, null], program.stderr());
  const errors = program.log().filter(({ level }) => level === 'error');
  assert.equal(errors.length, 1, program.stderr());
  assert.match(errors[0]!.msg, /^a fault in warctap, exiting at once: what nobody expected/);
  assert.deepEqual(
    urlsOf(await nextStart(dir)),
    paths.map((path) => origin.url + path),
  );
});

test('what a plugin throws in a timer, or rejects where nobody waits, is its own fault: told, counted, and nothing else', async (t) => {
  const dir = await newFolder(t);
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
  const faults = `for (const { url } of batch) {
    if (url.endsWith('/timer')) setTimeout(() => { throw new Error('in a timer'); }, 1);
    if (url.endsWith('/promise')) setTimeout(async () => { throw new Error('in a promise'); }, 1);
  }`;
  await using program = await startWithPlugin(dir, faults);
  await fetchAll(program, origin, ['/timer', '/promise']);
  await program.logged('failed outside of a call: in a timer');
  await program.logged('failed outside of a call: in a promise');
  await fetchAll(program, origin, ['/after']);
  using client = await RawClient.connect(program.port);
  client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const { postfetch_chain: chain } = JSON.parse((await client.response()).body.toString()) as {
    postfetch_chain: { processor: string; errors: number }[];
  };
  assert.deepEqual(
    chain.filter(({ errors }) => errors > 0).map(({ errors }) => errors),
    [2],
  );
  program.child.kill('SIGTERM');
  assert.deepEqual(await program.ended, [0, null], program.stderr());
});

/**
 * A log that nobody reads: the real program works on, says later how much is missing, and ends when it is told to.
 *
 * Source: docs/reliability.md.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atExit } from '../support/at-exit.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { tool } from '../support/tools.ts';

const skip = process.platform === 'linux' ? tool('mkfifo').skip : 'needs Linux, where a pipe can be opened anew';
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const REQUESTS = 400;
/** In each line of the log: together they are more than the pipe and the buffer hold. */
const LONG = 'x'.repeat(4000);

interface Unread {
  readonly child: ChildProcess;
  readonly port: number;
  /** what it has logged, once it is read */
  readonly log: Socket;
}

/** Nothing of its standard error is read, unless somebody does. */
async function start(t: TestContext): Promise<Unread> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-unread-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WARCTAP_') && !name.startsWith('NODE_')));
  const args = ['-p', '0', '--allow-localhost', '--verbose', '--cacert', await testCaFile(), '--certs-dir', join(dir, 'certs')];
  // A pipe, as a shell makes it: what Node makes for a child is a pair of sockets.
  execFileSync('mkfifo', [join(dir, 'log')]);
  const reader = openSync(join(dir, 'log'), constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(join(dir, 'log'), constants.O_WRONLY);
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, ...args], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', writer],
  });
  closeSync(writer);
  t.after(atExit(() => child.kill('SIGKILL')));
  const log = new Socket({ fd: reader, writable: false });
  log.pause();
  t.after(() => log.destroy());
  assert.ok(child.stdout !== null);
  for await (const line of createInterface(child.stdout)) {
    const port = /listens on http:\/\/[^ ]*:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { child, port: Number(port), log };
  }
  return assert.fail('did not start');
}

async function fetchMany(port: number, url: string): Promise<void> {
  using client = await RawClient.connect(port);
  for (let nth = 0; nth < REQUESTS; nth++) {
    client.send(get(`${url}/${nth}?${LONG}`));
    assert.equal((await client.response()).status, 200);
  }
}

test(
  'all requests are answered while nobody reads the log, and then it says how many lines are missing',
  { skip, timeout: 90_000 },
  async (t) => {
    await using origin = await startOrigin(({ socket }) => socket.write(ok('hello')));
    const { child, port, log } = await start(t);
    await fetchMany(port, origin.url);
    const lines = createInterface(log);
    let read = 0;
    let missing = 0;
    for await (const line of lines) {
      const { msg, lines: count } = JSON.parse(line) as { msg: string; lines?: number };
      read++;
      if (msg !== 'log lines are missing here: nobody took them, and they did not fit into memory') continue;
      missing = count ?? 0;
      break;
    }
    assert.ok(missing > 0 && read > 50, `${read} lines, ${missing} missing`);
    log.resume();
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  },
);

test('a log that is never read keeps nobody from ending the program', { skip, timeout: 90_000 }, async (t) => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('hello')));
  const { child, port } = await start(t);
  await fetchMany(port, origin.url);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

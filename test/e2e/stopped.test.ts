/**
 * The real program stopped and continued, as a laptop that sleeps: what has come meanwhile is read before anybody is late.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';

const skip = process.platform === 'win32' && 'there is no SIGSTOP here';
/** Longer than all limits below. */
const STOP_MS = 1500;

test('what a client and an origin have sent during a stop counts, whatever the time limits', { skip }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-stopped-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await using origin = await startOrigin(({ path, socket }) => {
    if (path !== '/slow') socket.write(ok(path));
  });
  await using program = await startProgram(dir, ['--socket-timeout', '1', '--head-timeout', '1', '--fetch-timeout', '1']);
  using half = await RawClient.connect(program.port);
  using waiting = await RawClient.connect(program.port);
  using idle = await RawClient.connect(program.port);
  // Keeps the half of a head from being merely in the system's buffers.
  half.send(`${get(`${origin.url}/before`)}GET ${origin.url}/half HTTP/1.1\r\n`);
  assert.equal((await half.response()).body.toString(), '/before');
  idle.send(get(`${origin.url}/idle`));
  assert.equal((await idle.response()).body.toString(), '/idle');
  waiting.send(get(`${origin.url}/slow`));
  await origin.requested(3);

  program.child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, STOP_MS));
  half.send('Host: a\r\n\r\n');
  idle.send(get(`${origin.url}/again`));
  origin.requests[2]?.socket.write(ok('/slow'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  program.child.kill('SIGCONT');

  assert.equal((await half.response()).body.toString(), '/half');
  assert.equal((await waiting.response()).body.toString(), '/slow');
  assert.equal((await idle.response()).body.toString(), '/again');
});

/** The program is killed, or told to stop, while WebSockets are open: files stay readable, and indexes can be made again from them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { WebSocket } from 'ws';
import { reindex } from '../../src/archive/reindex.ts';
import { memoryDedup } from '../../src/store/memory/dedup.ts';
import { memoryPlayback } from '../../src/store/memory/playback.ts';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { startProgram } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';
import { messagesIn, openThrough, startSocketOrigin } from '../support/websocket.ts';

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap websocket-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function said(socket: WebSocket, text: string): Promise<void> {
  socket.send(text);
  await once(socket, 'message');
}

const warcs = async (dir: string) => (await readdir(join(dir, 'warcs'))).map((name) => join(dir, 'warcs', name));

async function assertWhole(dir: string): Promise<void> {
  const faults: string[] = [];
  await verifyFiles(await warcs(dir), { allowUnresolved: false, onFault: ({ problem }) => faults.push(problem) });
  assert.deepEqual(faults, []);
}

test('killed: what had ended is there, what was open is not, and the next start goes on', async (t) => {
  const dir = await folder(t);
  await using origin = await startSocketOrigin((socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  {
    await using program = await startProgram(dir);
    const proxy = { port: program.port, ca: '' };
    const ended = await openThrough(proxy, `${origin.url}/ended`);
    await said(ended, 'kept');
    ended.close();
    await once(ended, 'close');
    const open = await openThrough(proxy, `${origin.url}/open`);
    while ((await readFolder(join(dir, 'warcs'))).length < 3) await said(open, 'lost');
    open.on('error', () => undefined);
    program.child.kill('SIGKILL');
    assert.equal((await once(open, 'close'))[0], 1006);
  }
  await using program = await startProgram(dir);
  const again = await openThrough({ port: program.port, ca: '' }, `${origin.url}/again`);
  await said(again, 'hello');
  program.child.kill('SIGTERM');
  assert.equal((await once(again, 'close'))[0], 1006);
  assert.deepEqual(await program.ended, [0, null]);
  const messages = (await readFolder(join(dir, 'warcs'))).filter(({ type }) => type === 'resource');
  assert.deepEqual(messages.map(({ url, fields }) => [url, fields.get('warc-truncated')]).sort(), [
    [`${origin.url}/again`, 'disconnect'],
    [`${origin.url}/ended`, undefined],
  ]);
  assert.deepEqual(messagesIn(messages.find(({ url }) => url.endsWith('/again'))), [
    'sent 1 hello',
    'received 1 hello',
    'closed 1006 by proxy, not clean',
  ]);
  await assertWhole(dir);

  const playback = memoryPlayback();
  for (const file of await warcs(dir)) {
    await reindex(file, file, { dedup: memoryDedup().holder(), playback, keysOf: () => [''] }, { records: 0, dedup: 0, playback: 0 });
  }
  for (const lane of ['websocket', 'custom']) assert.equal((await playback.find(`${origin.url}/ended`, lane, 'last'))?.type, 'resource');
  assert.equal(await playback.find(`${origin.url}/ended`, 'GET whole', 'last'), undefined);
});

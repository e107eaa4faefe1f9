/** Pings keep a silent connection open, and find out who has gone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { crawlServer } from '../support/server.ts';

const PING_MS = 30_000;

test('a client that answers pings stays, one that does not is dropped at the third', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { program, client } = await crawlServer(t);
  const asking = await client();
  const authorization = `Basic ${Buffer.from('admin:a password').toString('base64')}`;
  const silent = new WebSocket(`${program.url.replace('http', 'ws')}/ws/`, { headers: { authorization }, autoPong: false });
  await once(silent, 'open');
  const closed = once(silent, 'close');
  for (let times = 0; times < 2; times++) {
    const pinged = [once(asking.socket, 'ping'), once(silent, 'ping')];
    t.mock.timers.tick(PING_MS);
    await Promise.all(pinged);
    // The pong is on its way before this request.
    await asking.ask({ case: 'listJobs', value: {} });
  }
  t.mock.timers.tick(PING_MS);
  assert.equal(((await closed) as [number])[0], 1006);
  assert.ok((await asking.ask({ case: 'listJobs', value: {} })).isSuccess);
});

/** The example of a worker in Python works for a real manager. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tool } from '../support/tools.ts';
import { add, BORIS, look, startQueue, statistics } from './support.ts';

const python = tool('python3');

test('examples/queue-worker/worker.py fetches and reports until the queue is empty', { skip: python.skip }, async (t) => {
  const site = createServer((request, response) => response.writeHead(request.url === '/gone' ? 404 : 200).end('a page'));
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close());
  const home = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  await using queue = await startQueue();
  await add(queue, `${home}/`, `${home}/gone`, 'http://127.0.0.1:1/');
  const file = fileURLToPath(new URL('../../examples/queue-worker/worker.py', import.meta.url));
  const { stdout } = await promisify(execFile)(python.command, [file, queue.url], {
    env: { PATH: process.env.PATH, HEROSHI_API_KEY: BORIS },
  });
  assert.deepEqual(stdout.trim().split('\n').sort(), [`${home}/`, `${home}/gone`, 'http://127.0.0.1:1/'].sort());
  const said = await Promise.all([`${home}/`, `${home}/gone`, 'http://127.0.0.1:1/'].map((url) => look(queue, url)));
  assert.deepEqual(
    said.map(({ report }) => [report.status_code, report.length]),
    [
      [200, 6],
      [404, 6],
      [null, 0],
    ],
  );
  assert.equal((await statistics(queue))['crawled-urls'], 3);
});

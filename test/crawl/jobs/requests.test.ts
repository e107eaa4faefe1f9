/** Requests of jobs: what is held keeps its place, however long it takes after the answer has come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { HostTurns } from '../../../src/crawl/jobs/host-turns.ts';
import { Requests, type Asker, type SitePage } from '../../../src/crawl/jobs/requests.ts';

const TIMEOUT_MS = 30;

function requestsOf(body: () => AsyncGenerator<Buffer>) {
  const onFree = () => undefined;
  const turns = new HostTurns({ delays: { delayOf: () => 0 }, clock: { elapsed: () => performance.now() }, onFree });
  const fetch = (url: string): Promise<Omit<SitePage, 'release'>> =>
    Promise.resolve({
      ...{ url, status: 200, reason: 'OK', headers: [], header: () => undefined, body: body(), cancel: () => undefined },
      archived: Promise.resolve({ archive: true }),
    });
  return new Requests({ fetch, turns, maxDownloads: 1, timeoutMs: TIMEOUT_MS, onFree });
}

const asker = (signal = new AbortController().signal): Asker => ({ meta: {}, signal, downloads: { current: 0 } });
const HELD = { headers: [], upstream: undefined, held: true };

test('a page that is read and still held keeps its place until it is released', async () => {
  const requests = requestsOf(async function* () {
    yield await Promise.resolve(Buffer.from('all of it'));
  });
  const page = await requests.open(asker(), 'http://a.example/', HELD);
  for await (const piece of page.body) assert.equal(piece.toString(), 'all of it');
  await wait(TIMEOUT_MS * 3);
  assert.deepEqual([requests.current, requests.free], [1, false]);
  page.release();
  assert.deepEqual([requests.current, requests.free], [0, true]);
});

test('an answer that does not end gives its place back when its time is over, and one of a job that stops at once', async () => {
  const requests = requestsOf(async function* () {
    yield Buffer.from('more');
    await new Promise(() => undefined);
  });
  const late = await requests.open(asker(), 'http://a.example/', HELD);
  await late.body[Symbol.asyncIterator]().next();
  await wait(TIMEOUT_MS * 3);
  assert.equal(requests.current, 0);
  const stop = new AbortController();
  await requests.open(asker(stop.signal), 'http://a.example/', HELD);
  assert.equal(requests.current, 1);
  stop.abort(new Error('paused'));
  assert.equal(requests.current, 0);
});

/** Many workers as one: what adds up, what is the worst or oldest of all, and what stays of those that are gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusForm } from '../../../src/programs/cluster/said.ts';
import { pastFigures, summedFigures, summedStatus, type OwnState } from '../../../src/programs/cluster/summed.ts';

const own: OwnState = {
  ...{ version: '1', host: 'h', address: '127.0.0.1', port: 8000, startedAt: new Date(0), maxExchanges: 10, maxQueued: 20, databases: [] },
  past: { captures: 100, warcBytes: 1000 },
};
const form = (part: Partial<StatusForm>): StatusForm => ({
  ...{ version: '1', host: 'h', address: 'other', port: 1, maxExchanges: 1, maxQueued: 1, databases: [], metaIgnored: 0 },
  ...{ activeRequests: 0, waitingRequests: 0, queued: 0, secondsBehind: 0, urlsProcessed: 0, warcBytesWritten: 0 },
  ...{ earliestFetch: undefined, earliestInChain: undefined, processors: [], rates: [] },
  ...part,
});
const rate = (elapsed: number, urls: number, bytes: number) => ({ actual_elapsed: elapsed, urls_per_sec: urls, warc_bytes_per_sec: bytes });
const steps = (...all: (readonly [queued: number, errors: number])[]) =>
  all.map(([queued, errors], nth) => ({ name: `step ${nth}`, queued, errors }));
const inChain = (url: string) => ({ url, processor: undefined });

const one = form({
  ...{ activeRequests: 1, waitingRequests: 2, queued: 3, secondsBehind: 0.5, urlsProcessed: 5, warcBytesWritten: 60, metaIgnored: 7 },
  ...{ earliestFetch: { startedAt: 9000, clientAddress: ['::1', 1] }, earliestInChain: inChain('http://one/') },
  ...{ processors: steps([1, 0], [2, 1]), rates: [rate(60, 1, 10), rate(300, 2, 20), rate(900, 3, 30)] },
});
const two = form({
  ...{ activeRequests: 10, waitingRequests: 20, queued: 30, secondsBehind: 4, urlsProcessed: 50, warcBytesWritten: 600, metaIgnored: 70 },
  ...{ earliestFetch: { startedAt: 8000, clientAddress: ['::1', 2] }, earliestInChain: inChain('http://two/') },
  ...{ processors: steps([10, 5], [20, 6]), rates: [rate(20, 10, 100), rate(20, 20, 200), rate(20, 30, 300)] },
});
const idle = form({ processors: steps([0, 0], [0, 0]), rates: [rate(1, 0, 0), rate(1, 0, 0), rate(1, 0, 0)] });
const status = summedStatus(own, [one, two, idle].map((state, nth) => ({ worker: nth + 1, pid: 40 + nth, state }))); // prettier-ignore

test('counts add up, with those of workers that are gone', () => {
  const { activeRequests, waitingRequests, queued, urlsProcessed, warcBytesWritten, metaIgnored, processors } = status;
  assert.deepEqual([activeRequests, waitingRequests, queued, metaIgnored], [11, 22, 33, 77]);
  assert.deepEqual([urlsProcessed, warcBytesWritten], [155, 1660]);
  assert.deepEqual(processors, steps([11, 5], [22, 7]));
});

test('what is furthest behind, and the oldest, is that of all', () => {
  assert.equal(status.secondsBehind, 4);
  assert.deepEqual(status.earliestInChain, inChain('http://two/'));
  assert.deepEqual(status.earliestFetch, { startedAt: new Date(8000), clientAddress: ['::1', 2] });
});

test('rates add up, over the longest time that one of them has behind it', () => {
  assert.deepEqual(status.rate(1), rate(60, 11, 110));
  assert.deepEqual(status.rate(15), rate(900, 33, 330));
});

test('it is the page of the primary process, with a line for each worker', () => {
  const { address, port, maxExchanges, maxQueued, pid, workers } = status;
  assert.deepEqual([address, port, maxExchanges, maxQueued, pid], ['127.0.0.1', 8000, 10, 20, process.pid]);
  assert.deepEqual(workers?.[1], { worker: 2, pid: 41, activeRequests: 10, waitingRequests: 20, queued: 30, urlsProcessed: 50 });
  assert.equal(workers.length, 3);
});

test('without any worker, as all are being started again, there is a page still', () => {
  const none = summedStatus(own, []);
  assert.deepEqual([none.secondsBehind, none.urlsProcessed, none.earliestFetch, none.earliestInChain], [0, 100, undefined, undefined]);
  assert.deepEqual([none.processors, none.workers, none.rate(5)], [[], [], rate(0, 0, 0)]);
});

test('of a worker that is gone what it has done stays, and nothing is under way any more', () => {
  const figures = { captures: 1, new: 2, duplicates: 3, errors: 4, warcBytes: 5, warcFiles: 6, active: 7, waiting: 8, queued: 9 };
  const past = pastFigures(figures);
  assert.deepEqual(past, { ...figures, active: 0, waiting: 0, queued: 0 });
  const twice = summedFigures([past, figures]);
  assert.deepEqual(twice, {
    captures: 2,
    new: 4,
    duplicates: 6,
    errors: 8,
    warcBytes: 10,
    warcFiles: 12,
    active: 7,
    waiting: 8,
    queued: 9,
  });
});

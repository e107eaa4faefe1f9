/** Many workers as one: what adds up, what is the worst or oldest of all, and what stays of those that are gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LookForm, StatusForm } from '../../../src/programs/cluster/said.ts';
import {
  pastFigures,
  summedFigures,
  summedLook,
  summedStatus,
  type OneState,
  type OwnState,
} from '../../../src/programs/cluster/summed.ts';

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
const oneState = (worker: number, state: StatusForm, more: Partial<OneState> = {}): OneState => {
  const look = { status: state, warcFiles: 1, bounds: [], disks: [], files: [], processes: [] };
  return { ...{ worker, pid: 39 + worker, figures: summedFigures([]), look, silentMs: 0 }, ...more };
};
const status = summedStatus(own, [oneState(1, one), oneState(2, two), oneState(3, idle)]);

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
  assert.deepEqual(workers?.[1], {
    worker: 2,
    pid: 41,
    activeRequests: 10,
    waitingRequests: 20,
    queued: 30,
    urlsProcessed: 50,
    problem: undefined,
  });
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

test('one that does not answer is told of with what it has said by itself, and is behind by as long as it is silent', () => {
  const figures = { ...summedFigures([]), captures: 7, warcBytes: 70, active: 4, queued: 5 };
  const silent = oneState(2, idle, { figures, problem: 'no answer in 3.0 s', silentMs: 3000 });
  const { workers, urlsProcessed, warcBytesWritten, queued, secondsBehind, processors } = summedStatus(own, [oneState(1, one), silent]);
  assert.deepEqual(
    workers?.map(({ urlsProcessed: urls, problem }) => [urls, problem]),
    [
      [5, undefined],
      [7, 'no answer in 3.0 s'],
    ],
  );
  assert.deepEqual([urlsProcessed, warcBytesWritten, queued, secondsBehind], [112, 1130, 8, 3]);
  assert.deepEqual(processors, steps([1, 0], [2, 1]));
  // One that has never answered.
  const never = summedStatus(own, [{ ...silent, look: undefined }]);
  assert.deepEqual([never.urlsProcessed, never.processors], [107, []]);
});

test('what has a bound adds up but for connections, whose limit each of them has whole; disks are told once, open files first', () => {
  const lookWith = (part: Partial<LookForm>): Partial<OneState> => ({ look: { ...oneState(1, idle).look!, ...part } });
  const process = { cpuSeconds: 1, rss: 2, heapUsed: 3, heapTotal: 4, external: 5, startedAt: 6, activeSeconds: 7 };
  const bound = (name: string, used: number, limit: number | undefined) => ({ name, unit: 'number' as const, used, limit });
  const file = (path: string, open: boolean) => ({ path, prefix: 'P', size: 1, open });
  const disk = { of: 'the WARC files', freeBytes: 9, minBytes: 1 };
  const all = [1, 2].map((nth) =>
    oneState(
      nth,
      idle,
      lookWith({
        bounds: [bound('max-connections', nth, 10), bound('queue-size', nth, 10), bound('max-spool', nth, undefined)],
        disks: [disk],
        files: [file(`open-${nth}`, true), file(`closed-${nth}`, false)],
        processes: [process],
      }),
    ),
  );
  const { bounds, disks, files, processes } = summedLook({ status, warcFiles: 4, own: { ...process, process: 'primary' } }, all);
  assert.deepEqual(bounds, [bound('max-connections', 3, 10), bound('queue-size', 3, 20), bound('max-spool', 3, undefined)]);
  assert.deepEqual(disks, [disk]);
  assert.deepEqual(
    files.map(({ path }) => path),
    ['open-1', 'open-2', 'closed-1', 'closed-2'],
  );
  assert.deepEqual(
    processes.map((each) => each.process),
    ['primary', 'worker 1', 'worker 2'],
  );
});

/** The time limit of a fetch, by a clock that nobody sets. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { performance } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import type { Capture } from '../../src/capture/capture.ts';
import { Admission } from '../../src/fetch/admission.ts';
import type { FinishAbandoned } from '../../src/fetch/answer-limits.ts';
import { Exchange } from '../../src/fetch/exchange.ts';
import { OriginPool } from '../../src/fetch/pool.ts';
import { AS_IT_IS } from '../../src/http/sides.ts';
import { NO_META } from '../../src/meta/meta.ts';
import { FakeClient } from '../support/client-side.ts';
import { outgoingRequest } from '../support/outgoing.ts';

/** An exchange that never gets a connection, with a limit of ten seconds, between two clocks. */
function limited(t: TestContext, finishAbandoned: FinishAbandoned = 'small') {
  let wallMs = Date.UTC(2026, 0, 1);
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const captures: Capture[] = [];
  const connecting: ((error: Error) => void)[] = [];
  const admission = new Admission(
    {
      connect: () => new Promise((_, reject) => connecting.push(reject)),
      pool: new OriginPool(1),
      recording: { digest: { algorithm: 'sha1', base32: false }, spool: { maxMemoryBytes: 0, dir: tmpdir() } },
      now: () => new Date(wallMs),
      newRecordId: () => '<urn:uuid:0>',
      sink: (capture) => void captures.push(capture),
      maxResourceBytes: 0,
      finishAbandoned,
      minRate: { bytesPerSecond: 0, windowMs: 1000 },
    },
    { maxExchanges: 1, fetchTimeoutMs: 10_000, noSpace: () => undefined },
  );
  const client = new FakeClient();
  const request = { outgoing: outgoingRequest(), referer: undefined, meta: NO_META, warcPrefix: 'X', form: () => AS_IT_IS };
  const begin = (asking: FakeClient) => {
    const exchange = admission.exchange(request, asking);
    assert.ok(exchange instanceof Exchange);
    asking.serve(exchange);
  };
  begin(client);
  return {
    admission,
    connecting,
    begin,
    client,
    captures,
    /** the clock of the wall */
    set: (hours: number) => (wallMs += hours * 3_600_000),
    pass: (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        nowMs += 1000;
        t.mock.timers.tick(1000);
      }
    },
    /** the process is stopped */
    stop: (seconds: number) => {
      nowMs += seconds * 1000;
      t.mock.timers.tick(1000);
    },
  };
}

for (const hours of [2, -2]) {
  test(`a clock that is set by ${hours} hours ends no fetch, and makes none last longer`, (t) => {
    const { client, captures, set, pass } = limited(t);
    set(hours);
    pass(9);
    assert.deepEqual(client.failures, []);
    pass(1);
    assert.deepEqual(client.told, ['serve', 'fail connect-timeout']);
    assert.equal(captures[0]?.durationMs, 10_000);
  });
}

test('after a stop of the process what has come is read before a fetch is late', (t) => {
  const { client, stop, pass } = limited(t);
  stop(60);
  assert.deepEqual(client.failures, []);
  pass(1);
  assert.deepEqual(client.told, ['serve', 'fail connect-timeout']);
});

test('who leaves while his origin is being connected to makes room once that is over, not before', async (t) => {
  const { admission, client, connecting, captures, begin } = limited(t, 'never');
  const next = new FakeClient();
  admission.enter(() => {
    begin(next);
  });
  client.leave();
  assert.equal(captures.length, 1);
  assert.deepEqual([admission.active, admission.waiting, connecting.length], [1, 1, 1]);
  connecting[0]?.(new Error('nobody there'));
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([admission.active, admission.waiting, connecting.length], [1, 0, 2]);
  assert.deepEqual(next.told, ['serve']);
});

test('who has left holds up no end', async (t) => {
  const { admission, client } = limited(t, 'never');
  client.leave();
  admission.close();
  await admission.settled();
  assert.equal(admission.active, 0);
});

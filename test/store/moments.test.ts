/** Moments at which people look into the archive: known for a while, for so many, in this process or another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownMoments, momentIn, viewerOf } from '../../src/store/moments.ts';
import { momentsFor, remoteMoments } from '../../src/store/remote/moments.ts';
import { wirePair } from '../support/wires.ts';

const THEN = new Date('2020-03-04T05:06:07Z');
const HOUR_MS = 3_600_000;

test('a time may end anywhere, but is one', () => {
  assert.deepEqual(momentIn('20200304050607'), THEN);
  assert.deepEqual(momentIn('2020'), new Date('2020-01-01T00:00:00Z'));
  assert.deepEqual(momentIn('20200304'), new Date('2020-03-04T00:00:00Z'));
  for (const wrong of ['', '202', '20201', '20201304', '20200230', '202003040506071', 'newest'])
    assert.equal(momentIn(wrong), undefined, wrong);
});

test('it is forgotten when nobody has looked for twelve hours, and the one that is used least when there are too many', async () => {
  let nowMs = 0;
  const moments = new KnownMoments({ max: 2, nowMs: () => nowMs });
  await moments.choose('a', THEN);
  nowMs += 11 * HOUR_MS;
  assert.equal(await moments.of('a'), THEN);
  nowMs += 11 * HOUR_MS;
  assert.equal(await moments.of('a'), THEN);
  await moments.choose('b', THEN);
  await moments.of('a');
  await moments.choose('c', THEN);
  assert.deepEqual([await moments.of('a'), await moments.of('b'), await moments.of('c')], [THEN, undefined, THEN]);
  nowMs += 13 * HOUR_MS;
  assert.equal(await moments.of('a'), undefined);
  await moments.choose('c', undefined);
  assert.equal(await moments.of('c'), undefined);
});

test('who looks is known by address and User-Agent, of which not all is kept', () => {
  assert.notEqual(viewerOf('127.0.0.1', 'a'), viewerOf('127.0.0.2', 'a'));
  assert.ok(viewerOf('::1', 'x'.repeat(10_000)).length < 600);
});

test('another process knows the same', async (t) => {
  const [here, there] = await wirePair(t);
  here.serve(momentsFor(new KnownMoments()));
  const moments = remoteMoments(there);
  assert.equal(await moments.of('a'), undefined);
  await moments.choose('a', THEN);
  assert.deepEqual(await moments.of('a'), THEN);
  await moments.choose('a', undefined);
  assert.equal(await moments.of('a'), undefined);
});

/** What a run of chaos is blamed for, and what not: the one who sees is itself on a machine that does much else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.ts';
import type { Kill, Line } from './seen.ts';

const kill = (atMs: number, more: Partial<Kill> = {}): Kill => ({
  ...{ what: 'worker', machine: 1, worker: 1, behindMs: 0, atMs, wallMs: atMs },
  ...more,
});
const line = (part: Partial<Line>): Line => ({ machine: 1, urls: ['u'], sentMs: 0, endedMs: undefined, ...part });

/** Nothing of it is in any file. */
async function faultsOf(lines: readonly Line[], answeredMs: number, kills: readonly Kill[], lagMs = 0): Promise<readonly string[]> {
  const seen = { kills, lines, answered: new Map([['u', answeredMs]]), limits: [], lagMs, faults: [] };
  return (await judge([], 1000, seen)).faults;
}

test('what was answered a second before its worker was killed has to be there', async () => {
  const lines = [line({ sentMs: 90, endedMs: 1510 })];
  assert.deepEqual(await faultsOf(lines, 100, [kill(900)]), []);
  assert.deepEqual(await faultsOf(lines, 100, [kill(1500)]), ['u is missing, its worker ? was killed 1400 ms later, 0 ms behind']);
  assert.deepEqual(await faultsOf(lines, 100, [kill(1500, { behindMs: 500 })]), []);
  assert.deepEqual(await faultsOf([line({ sentMs: 90 })], 100, []), ['u is missing, its worker ? was not killed']);
});

test('an answer that was read only after the kill was there before it, and is not laid to the next one', async () => {
  const kills = [kill(1200), kill(36_000)];
  assert.deepEqual(await faultsOf([line({ sentMs: 1100 })], 1300, kills), []);
  assert.deepEqual(await faultsOf([line({ sentMs: 1100, endedMs: 36_500 })], 1300, kills, 40_000), []);
  assert.match((await faultsOf([line({ sentMs: 1250 })], 1300, kills)).join(), /34700 ms later/);
});

test('workers whose primary process is killed may answer for a moment', async () => {
  const kills = [kill(1000, { what: 'primary', worker: 0, backMs: 9000 }), kill(36_000)];
  assert.deepEqual(await faultsOf([line({ sentMs: 1050 })], 1100, kills), []);
});

test('a connection that is cut has a kill just before, as far as the clients looked', async () => {
  const lines = [line({ urls: ['never'], sentMs: 0, endedMs: 15_000 })];
  assert.deepEqual(await faultsOf(lines, 0, [kill(1000)]), ['a connection of worker ? was cut, and that was not killed']);
  assert.deepEqual(await faultsOf(lines, 0, [kill(1000)], 5000), []);
  assert.deepEqual(await faultsOf(lines, 0, [kill(1000, { machine: 2 })], 5000), [
    'a connection of worker ? was cut, and that was not killed',
  ]);
});

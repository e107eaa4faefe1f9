/** What all spools together may take: who waits, who has to end, and what is given back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Room } from '../../src/util/free-space.ts';
import { Spool } from '../../src/util/spool.ts';
import { SpoolSpace, type SpoolSpaceOptions } from '../../src/util/spool-space.ts';

const dir = mkdtempSync(join(tmpdir(), 'warctap-spool-space-'));
after(() => rmSync(dir, { recursive: true }));

const KIB = 1024;
const MIB = 1024 * KIB;
const PLENTY: Room = { bytes: Infinity, halfGone: false };

/** Spools in one space, and whom it has told to end. */
async function inSpace(options: Partial<SpoolSpaceOptions>, maxMemoryBytes = 0) {
  const free = { look: () => Promise.resolve(PLENTY) };
  const space = new SpoolSpace({ maxBytes: 0, maxFiles: Infinity, free, ...options });
  await space.look();
  const ended: [name: string, alone: boolean][] = [];
  const spool = (name: string) => new Spool({ maxMemoryBytes, space, dir }, { onFull: (alone: boolean) => void ended.push([name, alone]) });
  return { space, spool, ended };
}

/** Everything that is due has been told. */
const told = () => new Promise(setImmediate);

test('past the bound the largest that grows has to end, once', async () => {
  const { space, spool, ended } = await inSpace({ maxBytes: 10 * KIB });
  const [small, large, late] = [spool('small'), spool('large'), spool('late')];
  assert.equal(small.append(Buffer.alloc(2 * KIB)), true);
  assert.equal(large.append(Buffer.alloc(5 * KIB)), true);
  assert.equal(late.append(Buffer.alloc(3 * KIB)), true);
  assert.equal(space.held, 10 * KIB);
  assert.equal(late.append(Buffer.alloc(1)), false);
  assert.equal(ended.length, 0);
  await told();
  assert.deepEqual(ended, [['large', false]]);
  late.append(Buffer.alloc(1));
  await told();
  assert.equal(ended.length, 1);

  let room = 0;
  late.onDrain(() => room++);
  assert.equal(room, 0);
  large.release();
  assert.equal(room, 1);
  assert.equal(late.append(Buffer.alloc(1)), true);
  for (const each of [small, late, large]) each.release();
  assert.deepEqual([space.held, space.unwritten, space.full], [0, 0, false]);
});

test('what is large by itself is told so', async () => {
  const { spool, ended } = await inSpace({ maxBytes: 10 * KIB });
  const alone = spool('alone');
  for (let i = 0; i < 11; i++) alone.append(Buffer.alloc(KIB));
  await told();
  assert.deepEqual(ended, [['alone', true]]);
  alone.release();
});

test('while there is what will be let go of by itself, the others wait and none has to end', async () => {
  const { spool, ended } = await inSpace({ maxBytes: 10 * KIB });
  const [done, first, second] = [spool('done'), spool('first'), spool('second')];
  done.append(Buffer.alloc(8 * KIB));
  done.finish();
  assert.equal(first.append(Buffer.alloc(2 * KIB)), true);
  assert.equal(first.append(Buffer.alloc(1)), false);
  assert.equal(second.append(Buffer.alloc(1)), false);
  const room: string[] = [];
  first.onDrain(() => room.push('first'));
  second.onDrain(() => room.push('second'));
  await told();
  assert.deepEqual([ended, room], [[], []]);
  done.release();
  assert.deepEqual([ended, room], [[], ['first', 'second']]);
  for (const each of [first, second]) each.release();
});

test('when those have gone and it is still too much, the largest has to end', async () => {
  const { spool, ended } = await inSpace({ maxBytes: 10 * KIB });
  const [done, large] = [spool('done'), spool('large')];
  done.append(Buffer.alloc(KIB));
  done.finish();
  large.append(Buffer.alloc(11 * KIB));
  await told();
  assert.equal(ended.length, 0);
  done.release();
  await told();
  assert.deepEqual(ended, [['large', true]]);
  large.release();
});

test('a disk that runs low: the largest ends, in memory too; one that has half of its minimum left: all that are not small', async () => {
  let room: Room = { bytes: MIB, halfGone: false };
  const free = { look: () => Promise.resolve(room) };
  const { space, spool, ended } = await inSpace({ free }, MIB);
  const names = ['small', 'first', 'second', 'third'];
  const spools = names.map(spool);
  for (const [index, each] of spools.entries()) each.append(Buffer.alloc((index + 1) * 50 * KIB));
  await space.look();
  await told();
  assert.equal(ended.length, 0);
  room = { bytes: -1, halfGone: false };
  await space.look();
  await told();
  assert.deepEqual(ended, [['third', false]]);
  room = { bytes: -51 * KIB, halfGone: true };
  await space.look();
  await told();
  assert.deepEqual(
    ended.map(([name]) => name),
    ['third', 'first', 'second'],
  );
  for (const each of spools) each.release();
  assert.equal(space.held, 0);
});

test('bytes that come have the disk looked at, and wait for it', async () => {
  let looks = 0;
  const look = () => Promise.resolve(++looks === 1 ? { ...PLENTY, bytes: 2 * MIB } : PLENTY);
  const { spool } = await inSpace({ free: { look } }, 8 * MIB);
  const one = spool('one');
  assert.equal(one.append(Buffer.alloc(MIB - 1)), true);
  assert.equal(one.append(Buffer.alloc(1)), false);
  await new Promise<void>((resolve) => one.onDrain(resolve));
  assert.equal(looks, 2);
  assert.equal(one.append(Buffer.alloc(MIB)), true);
  one.release();
});

test('with no temporary file left everything stays in memory, and waits for one before it grows', async () => {
  const { spool, ended } = await inSpace({ maxFiles: 1 });
  const text = (spooled: Spool) => spooled.memory?.join('');
  const [first, second, third] = [spool('first'), spool('second'), spool('third')];
  assert.equal(first.append(Buffer.from('first')), true);
  assert.equal(first.memory, undefined);
  assert.equal(second.append(Buffer.from('second ')), false);
  assert.equal(third.append(Buffer.from('third')), false);
  third.finish();
  const room = new Promise<void>((resolve) => second.onDrain(resolve));
  first.release();
  await room;
  assert.equal(second.append(Buffer.from('more')), true);
  assert.equal(second.memory, undefined);
  const pieces: Buffer[] = [];
  for await (const piece of second.read()) pieces.push(piece);
  assert.equal(Buffer.concat(pieces).toString(), 'second more');
  // What is complete does not go to a file any more.
  assert.equal(text(third), 'third');
  second.release();
  third.onDrain(() => undefined);
  assert.equal(text(third), 'third');
  third.release();
  assert.equal(ended.length, 0);
});

/**
 * The reader of tar files with bytes that nobody would write: it ends, refuses in its own words or agrees with other readers, and never names
 * anything outside. Seeds and runs as in support.ts.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { Refusal } from '../../src/transform/errors.ts';
import { readTar } from '../../src/transform/tar-read.ts';
import { Tree } from '../../src/transform/tree.ts';
import { jobJson, paxRecord, tarOf, type RawMember } from '../transform/support.ts';
import { fuzz, LONG, Tally } from './support.ts';

const name = fc.oneof(
  fc.constantFrom('a', 'a/b', './c', 'a/../b', '/x', 'é', '..', 'job.json', 'd/', 'a//b'),
  fc.string({ maxLength: 12 }),
);
const member: fc.Arbitrary<RawMember> = fc.record(
  {
    name,
    flag: fc.constantFrom('0', '0', '0', '\0', '1', '2', '5', '7', 'x', 'L', 'K', '3', 'S'),
    content: fc.oneof(
      fc.string({ maxLength: 700 }),
      name.map((path) => paxRecord('path', path)),
      fc.nat(600).map((size) => paxRecord('size', String(size))),
    ),
    link: name,
    pax: fc.oneof(
      name.map((path) => paxRecord('path', path)),
      name.map((path) => paxRecord('linkpath', path)),
      fc.string({ maxLength: 30 }),
    ),
  },
  { requiredKeys: ['name'] },
);
/** Valid archives, of which some bytes are then changed. */
const archive = fc
  .tuple(
    fc.array(member, { maxLength: 6 }),
    fc.array(fc.tuple(fc.nat(8000), fc.nat(255)), { maxLength: 3 }),
    fc.option(fc.nat(8000), { freq: 5 }),
  )
  .map(([members, changes, end]) => {
    const bytes = tarOf([jobJson(), ...members]);
    for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
    return end === null ? bytes : bytes.subarray(0, end);
  });

async function* split(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

interface Read {
  readonly members: readonly string[];
  readonly refused: string | undefined;
}

async function read(bytes: Buffer, size: number): Promise<Read> {
  const tree = new Tree({ maxMembers: 100, maxNameBytes: 4096 });
  const members: string[] = [];
  try {
    for await (const each of readTar(split(bytes, size), 1_000_000)) {
      const added = tree.add(each);
      const pieces: Buffer[] = [];
      for await (const piece of each.content()) pieces.push(piece);
      const content = Buffer.concat(pieces);
      assert.equal(content.length, each.size);
      if (added === undefined) continue;
      assert.ok(!added.path.startsWith('/') && !added.path.split('/').includes('..'), added.path);
      members.push(`${each.name} ${each.kind} ${content.toString('latin1')}`);
    }
    tree.checkLinks();
    return { members, refused: undefined };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    assert.doesNotMatch(error.message, /\n/);
    return { members, refused: error.message };
  }
}

/** @returns undefined where it finds a fault */
async function readByTarStream(bytes: Buffer): Promise<string[] | undefined> {
  const members: string[] = [];
  const reader = extract();
  reader.on('entry', (header, stream, next) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece) => pieces.push(piece as Buffer));
    stream.on('end', () => {
      const kind = { directory: 'folder', 'contiguous-file': 'file' }[header.type as string] ?? header.type;
      members.push(`${header.name} ${kind} ${Buffer.concat(pieces).toString('latin1')}`);
      next();
    });
    stream.on('error', () => undefined);
  });
  const state = { failed: false };
  reader.on('error', () => (state.failed = true));
  reader.end(bytes);
  await once(reader, 'close').catch(() => (state.failed = true));
  return state.failed ? undefined : members;
}

test('whatever comes, in pieces of any size, the same members or the same refusal', LONG, async (t) => {
  const tally = new Tally();
  const property = fc.asyncProperty(archive, fc.integer({ min: 1, max: 1500 }), async (bytes, size) => {
    const whole = await read(bytes, bytes.length + 1);
    assert.deepEqual(await read(bytes, size), whole);
    tally.add(whole.refused === undefined ? 'read' : 'refused');
    if (whole.refused !== undefined) return;
    // What both read they read alike; it looks behind the end of an archive, and we do not.
    const other = await readByTarStream(bytes);
    if (other === undefined) return tally.add('refused by tar-stream');
    const files = (list: readonly string[]) => list.filter((each) => each.includes(' file '));
    assert.deepEqual(files(other).slice(0, files(whole.members).length), files(whole.members));
    tally.add('compared');
  });
  await fuzz(t, property, 400, tally);
  assert.ok(tally.of('read') > 20 && tally.of('refused') > 20 && tally.of('compared') > 10, String(tally));
});

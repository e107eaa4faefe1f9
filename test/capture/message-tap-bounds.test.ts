/** What a tap holds, whatever is sent: compressed bombs, messages without end, small ones by the ten thousand. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync, constants } from 'node:zlib';
import { rawFrame } from '../support/websocket.ts';
import { cutInto, tapped, type Piece, type Tapped, type Tapping } from './tap-support.ts';

const MIB = 1024 * 1024;
const KEPT = { clientKeepsContext: true, serverKeepsContext: true };
/** Of what the runtime itself does with memory in the meantime. */
const SLACK = 96 * MIB;

const deflated = (bytes: Buffer | string) => deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
/** A message as permessage-deflate has it: without its last four bytes. */
const compressed = (bytes: Buffer | string) => deflated(bytes).subarray(0, -4);

/** @returns what was tapped, and by how much the process has grown meanwhile */
async function measured(pieces: Iterable<Piece>, options: Tapping): Promise<Tapped & { readonly grown: number }> {
  const before = process.memoryUsage.rss();
  let most = before;
  function* watched(): Generator<Piece> {
    let n = 0;
    for (const piece of pieces) {
      if (n++ % 64 === 0) most = Math.max(most, process.memoryUsage.rss());
      yield piece;
    }
  }
  const tap = await tapped(watched(), options);
  return { ...tap, grown: Math.max(most, process.memoryUsage.rss()) - before };
}

describe('a compressed bomb', () => {
  const bomb = deflated(Buffer.alloc(64 * MIB));

  test('in one frame stops the log where the log has no room, and not the other direction', async () => {
    const pieces: Piece[] = [
      ['origin', rawFrame(1, 'before')],
      ['origin', rawFrame(2, bomb.subarray(0, -4), { rsv: 4 })],
      ['origin', rawFrame(1, 'after')],
      ['origin', rawFrame(8, Buffer.from([0x03, 0xf1]))],
    ];
    const { said, truncated, failures, grown } = await measured(cutInto(65_536, pieces), { deflate: KEPT, maxBytes: 4 * MIB });
    assert.deepEqual(said, ['received 1 before', 'closed 1009 by origin, not clean']);
    assert.deepEqual([truncated, failures], ['length', []]);
    assert.ok(grown < SLACK, `${grown / MIB} MiB`);
  });

  test('in fragments without end: 6 GiB', async () => {
    function* fragments(): Generator<Piece> {
      yield ['client', rawFrame(2, bomb, { rsv: 4, fin: false, mask: true })];
      const next = rawFrame(0, bomb, { fin: false, mask: true });
      for (let i = 0; i < 95; i++) yield ['client', next];
    }
    const { truncated, size, grown } = await measured(fragments(), { deflate: KEPT, maxBytes: 16 * MIB });
    assert.equal(truncated, 'length');
    assert.ok(size < 1000 && grown < SLACK, `${size} bytes, ${grown / MIB} MiB`);
  });

  test('many messages of it within the bound are written whole', async () => {
    const part = rawFrame(2, compressed(Buffer.alloc(MIB)), { rsv: 4 });
    const { lines, truncated, grown } = await measured(
      Array.from({ length: 20 }, (): Piece => ['origin', part]),
      {
        deflate: { clientKeepsContext: false, serverKeepsContext: false },
        maxBytes: 64 * MIB,
      },
    );
    assert.equal(truncated, undefined);
    assert.deepEqual(
      lines.slice(0, -1).map(({ payloadData }) => Buffer.from(payloadData ?? '', 'base64').length),
      Array.from({ length: 20 }, () => MIB),
    );
    assert.ok(grown < 3 * SLACK, `${grown / MIB} MiB`);
  });
});

describe('what is no deflate', () => {
  for (const [what, bytes] of [
    ['noise', Buffer.from('ffff00112233', 'hex')],
    ['a kind of block that is none', Buffer.from('0600', 'hex')],
  ] as const) {
    test(what, async () => {
      const pieces: Piece[] = [
        ['origin', rawFrame(1, bytes, { rsv: 4 })],
        ['origin', rawFrame(1, 'after')],
        ['client', rawFrame(1, 'still', { mask: true })],
      ];
      const { said, truncated, failures } = await tapped(pieces, { deflate: KEPT });
      assert.deepEqual(said, ['sent 1 still', 'closed 1006 by client, not clean']);
      assert.equal(truncated, 'unspecified');
      assert.equal(failures.length, 1);
    });
  }

  test('a final block ends its message, not the others; an empty one and one of stored bytes are read', async () => {
    const pieces: Piece[] = [
      ['origin', rawFrame(1, Buffer.from('f348cdc9c9070000', 'hex'), { rsv: 4 })],
      ['origin', rawFrame(1, Buffer.from('000500faff48656c6c6f00', 'hex'), { rsv: 4 })],
      ['origin', rawFrame(1, Buffer.from('00', 'hex'), { rsv: 4 })],
      ['origin', rawFrame(1, compressed('again'), { rsv: 4 })],
    ];
    for (const size of [1, 3, 100]) {
      const { said } = await tapped(cutInto(size, pieces), { deflate: KEPT });
      assert.deepEqual(said, [
        'received 1 Hello',
        'received 1 Hello',
        'received 1 ',
        'received 1 again',
        'closed 1006 by client, not clean',
      ]);
    }
  });
});

test('100,000 small messages, ten thousand in a read', async () => {
  const read = Buffer.concat(Array.from({ length: 10_000 }, () => rawFrame(1, 'x', { mask: true })));
  const { lines, grown } = await measured(
    Array.from({ length: 10 }, (): Piece => ['client', read]),
    { maxBytes: 64 * MIB },
  );
  assert.equal(lines.length, 100_001);
  assert.ok(grown < 3 * SLACK, `${grown / MIB} MiB`);
});

for (const [kind, opcode] of [
  ['text', 1],
  ['binary', 2],
] as const) {
  test(`a message of 8 MiB of ${kind} by pieces, from the disk`, async () => {
    const payload = Buffer.alloc(8 * MIB, '0123456789äöü€');
    const { lines } = await tapped(cutInto(65_535, [['origin', rawFrame(opcode, payload)]]), { memory: 1000 });
    const data = lines[0]?.payloadData ?? '';
    const read = opcode === 1 && lines[0]?.encoding === undefined ? Buffer.from(data) : Buffer.from(data, 'base64');
    assert.ok(read.equals(payload));
  });
}

test('a message that is longer than the log may be is given up as soon as that is known, and its memory with it', async () => {
  const head = rawFrame(2, Buffer.alloc(0), { lengthBytes: 8 });
  head.writeBigUInt64BE(2n ** 40n, 2);
  function* endless(): Generator<Piece> {
    yield ['origin', head];
    const zeros = Buffer.alloc(65_536);
    for (let i = 0; i < 4096; i++) yield ['origin', zeros];
  }
  const { truncated, size, grown } = await measured(endless(), { maxBytes: MIB });
  assert.equal(truncated, 'length');
  assert.ok(size < 1000 && grown < SLACK, `${grown / MIB} MiB`);
});

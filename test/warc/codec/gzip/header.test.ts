/** Headers of members: what others unpack we unpack, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { gzipDecoder } from '../../../../src/warc/codec/gzip/decoder.ts';
import { FileWindow } from '../../../../src/warc/window.ts';

const DATA = Buffer.from('what is in it');
const FIXED_HEADER_BYTES = 10;
const whole = gzipSync(DATA);

/** @param change of the checksum of the header, where it has one */
function memberWith(flags: number, change: number): Buffer {
  const fixed = Buffer.from(whole.subarray(0, FIXED_HEADER_BYTES));
  fixed[3] = flags;
  const extra = flags & 4 ? Buffer.from([3, 0, 1, 2, 3]) : Buffer.alloc(0);
  const texts = Buffer.from(`${flags & 8 ? 'name\0' : ''}${flags & 16 ? 'comment\0' : ''}`);
  const header = Buffer.concat([fixed, extra, texts]);
  const checksum = Buffer.alloc(flags & 2 ? 2 : 0);
  if (checksum.length > 0) checksum.writeUInt16LE((crc32(header) & 0xffff) ^ change);
  return Buffer.concat([header, checksum, whole.subarray(FIXED_HEADER_BYTES)]);
}

/** What is in it, or undefined. */
async function unpacked(member: Buffer): Promise<Buffer | undefined> {
  const read = (into: Buffer, offset: number, length: number, position: number) =>
    Promise.resolve({ bytesRead: member.copy(into, offset, position, position + length) });
  const unit = gzipDecoder.open(new FileWindow({ read }, member.length))(0);
  const pieces: Buffer[] = [];
  try {
    for await (const piece of unit.data()) pieces.push(piece);
  } catch {
    return undefined;
  }
  assert.equal(unit.end, member.length);
  return Buffer.concat(pieces);
}

function unpackedByZlib(member: Buffer): Buffer | undefined {
  try {
    return gunzipSync(member);
  } catch {
    return undefined;
  }
}

test('with any flags, and a checksum that is right or wrong, it is what zlib says', async () => {
  let refused = 0;
  for (let flags = 0; flags < 256; flags++) {
    for (const change of [0, 1]) {
      const member = memberWith(flags, change);
      const expected = unpackedByZlib(member);
      assert.deepEqual(await unpacked(member), expected, `flags ${flags}, checksum changed by ${change}`);
      if (expected === undefined) refused++;
    }
  }
  // All with one of three bits, and of the others each second with a checksum that was changed.
  assert.equal(refused, 2 * 224 + 16);
});

test('a header that ends within anything is cut off', async () => {
  const member = memberWith(2 | 4 | 8 | 16, 0);
  const headerBytes = member.length - (whole.length - FIXED_HEADER_BYTES);
  for (let length = 1; length < headerBytes; length++) assert.equal(await unpacked(member.subarray(0, length)), undefined, String(length));
});

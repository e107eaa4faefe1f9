/** Frames of Zstandard that are cut, damaged, in need of what is not there, or bombs. Made by hand: RFC 8878 §3.1.1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecoder } from '../../../../src/warc/codec/zstd/decoder.ts';
import { zstdEncoder } from '../../../../src/warc/codec/zstd/encoder.ts';
import { frameHeader } from '../../../../src/warc/codec/zstd/frame.ts';
import { loadZstd } from '../../../../src/warc/codec/zstd/library.ts';
import { CutOffError } from '../../../../src/warc/errors.ts';
import { bytesOf, recordOf } from '../../../../src/warc/record.ts';
import { FileWindow } from '../../../../src/warc/window.ts';

function unitOf(bytes: Buffer, start = 0) {
  const read = (into: Buffer, offset: number, length: number, position: number) =>
    Promise.resolve({ bytesRead: bytes.copy(into, offset, position, position + length) });
  return zstdDecoder.open(new FileWindow({ read }, bytes.length))(start);
}

async function unpacked(bytes: Buffer, start = 0): Promise<{ text: string; end: number | undefined; largest: number }> {
  const unit = unitOf(bytes, start);
  unit.last?.();
  let [text, largest] = ['', 0];
  for await (const piece of unit.data()) {
    text += piece.toString('latin1');
    largest = Math.max(largest, piece.length);
  }
  return { text, end: unit.end, largest };
}

const { hash } = await loadZstd();
function checksumOf(text: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Number(hash.h64Raw(Buffer.from(text)) & 0xffff_ffffn));
  return bytes;
}

const MAGIC = Buffer.from('28b52ffd', 'hex');
/** @param descriptors frame header descriptor, and what follows it */
function frame(descriptors: readonly number[], ...blocks: readonly Buffer[]): Buffer {
  return Buffer.concat([MAGIC, Buffer.from(descriptors), ...blocks]);
}
function block(kind: number, size: number, content: Buffer, isLast: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (kind << 1) | Number(isLast), 0, 3);
  return Buffer.concat([header, content]);
}
const raw = (text: string, isLast = true) => block(0, text.length, Buffer.from(text), isLast);
/** A window of 128 KiB. */
const WINDOW = 7 << 3;

async function packed(): Promise<Buffer> {
  const record = recordOf(
    '<urn:uuid:1>',
    'resource',
    '2024-01-01T00:00:00Z',
    '',
    bytesOf(Buffer.from('text and text and text'.repeat(20))),
    '1.1',
  );
  return Buffer.concat((await zstdEncoder().units([record]).next()) ?? []);
}

test('a frame ends where its last block does, behind its checksum, if it has one', async () => {
  const two = Buffer.concat([frame([0x04, WINDOW], raw('one ', false), raw('two'), checksumOf('one two')), frame([0, WINDOW], raw('x'))]);
  const { text, end } = await unpacked(two);
  assert.equal(text, 'one two');
  assert.deepEqual(await unpacked(two, end), { text: 'x', end: two.length, largest: 1 });
});

test('what stands in front of the first frame to be skipped is skipped', async () => {
  const skipped = Buffer.concat([Buffer.from('5a2a4d1803000000', 'hex'), Buffer.from('abc')]);
  assert.equal((await unpacked(Buffer.concat([skipped, frame([0, WINDOW], raw('x'))]))).text, 'x');
  await assert.rejects(unpacked(skipped), CutOffError);
});

test('a frame that is cut at any byte is cut off, and nothing else', async () => {
  const whole = await packed();
  for (let size = 0; size < whole.length; size++) await assert.rejects(unpacked(whole.subarray(0, size)), CutOffError, String(size));
});

test('a frame with a wrong byte anywhere ends, in text or in an error', async () => {
  const whole = await packed();
  for (let at = 0; at < whole.length; at++) {
    const wrong = Buffer.from(whole);
    wrong[at]! ^= 0x55;
    const { text } = await unpacked(wrong).catch(() => ({ text: '' }));
    assert.ok(text.length < 1_000_000, String(at));
  }
});

test('a checksum that does not match is told', async () => {
  const whole = await packed();
  whole[whole.length - 1]! ^= 1;
  await assert.rejects(unpacked(whole), /checksum does not match/);
});

test('several frames are one unit until its last has been named, empty ones and what is to be skipped included', async () => {
  const skipped = Buffer.from('502a4d1802000000abcd', 'hex');
  const frames = [frame([0, WINDOW], raw('')), skipped, frame([0, WINDOW], raw('one ')), frame([0, WINDOW], raw('two')), skipped];
  const bytes = Buffer.concat(frames);
  const unit = unitOf(bytes);
  let text = '';
  for await (const piece of unit.data()) {
    text += piece.toString('latin1');
    if (text.endsWith('two')) unit.last?.();
  }
  assert.deepEqual([text, unit.end], ['one two', bytes.length]);
});

test('a dictionary, a window that is too large and unknown kinds are told', async () => {
  await assert.rejects(unpacked(frame([0x01, WINDOW, 5], raw('x'))), /packed with the dictionary 5, which is not in the file/);
  await assert.rejects(unpacked(frame([0, 31 << 3], raw('x'))), /needs \d+ bytes of memory/);
  await assert.rejects(unpacked(frame([0x08, WINDOW], raw('x'))), /of a kind that is not known/);
  await assert.rejects(unpacked(frame([0, WINDOW], block(3, 1, Buffer.from('x'), true))), /of a kind that is not known/);
  await assert.rejects(unpacked(Buffer.from('WARC/1.0')), /not the start/);
});

test('a bomb comes in pieces of at most 128 KiB', async () => {
  const run = (isLast: boolean) => block(1, 128 * 1024, Buffer.from('x'), isLast);
  const { text, largest } = await unpacked(frame([0, WINDOW], ...Array.from({ length: 50 }, (_, index) => run(index === 49))));
  assert.deepEqual([text.length, largest], [50 * 128 * 1024, 128 * 1024]);
});

test('headers are read as they are written, of whatever length', () => {
  const single = (descriptor: number, rest: string) =>
    frameHeader(Buffer.concat([MAGIC, Buffer.from([descriptor]), Buffer.from(rest, 'hex')]));
  assert.deepEqual(single(0x20, '10'), { bytes: 6, windowBytes: 16, hasChecksum: false, contentBytes: 16, dictionaryId: 0 });
  assert.deepEqual(single(0x64, '0001'), { bytes: 7, windowBytes: 512, hasChecksum: true, contentBytes: 512, dictionaryId: 0 });
  assert.deepEqual(single(0xa3, '0100000000000100'), {
    bytes: 13,
    windowBytes: 65_536,
    hasChecksum: false,
    contentBytes: 65_536,
    dictionaryId: 1,
  });
  assert.deepEqual(single(0xc0, '380000000001000000'), {
    bytes: 14,
    windowBytes: 131_072,
    hasChecksum: false,
    contentBytes: 4_294_967_296,
    dictionaryId: 0,
  });
  assert.equal(single(0xc0, '38'), undefined);
});

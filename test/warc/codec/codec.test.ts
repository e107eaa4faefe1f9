/** What holds for every way of packing records: what goes in comes out, record by record, from wherever one begins. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Encoder, Units } from '../../../src/warc/codec/codec.ts';
import { decoderAt } from '../../../src/warc/codec/decoders.ts';
import { createEncoder } from '../../../src/warc/codec/encoders.ts';
import { gzipDecoder } from '../../../src/warc/codec/gzip/decoder.ts';
import { inlineCompressor } from '../../../src/warc/codec/gzip/compressor.ts';
import { gzipEncoder } from '../../../src/warc/codec/gzip/encoder.ts';
import { zstdDecoder } from '../../../src/warc/codec/zstd/decoder.ts';
import { train } from '../../../src/warc/codec/zstd/train.ts';
import { plainDecoder } from '../../../src/warc/codec/none/decoder.ts';
import { bytesOf, recordOf, type RecordBytes } from '../../../src/warc/record.ts';
import { readWarc } from '../../../src/warc/read/reader.ts';
import { scanRecords } from '../../../src/warc/read/scan.ts';
import { FileWindow } from '../../../src/warc/window.ts';
import { spoolOf, tempDir } from '../support.ts';

const DICTIONARY = train(Array.from({ length: 50 }, (_, nth) => Buffer.from(`WARC/1.1\r\nWARC-Type: resource\r\n${nth} `.repeat(20))));
const CODECS = [
  { name: 'none', create: () => createEncoder('none'), decoder: plainDecoder, suffix: '.warc' },
  { name: 'gzip', create: () => createEncoder('gzip'), decoder: gzipDecoder, suffix: '.warc.gz' },
  { name: 'gzip on this thread', create: () => gzipEncoder(inlineCompressor), decoder: gzipDecoder, suffix: '.warc.gz' },
  { name: 'zstd with a dictionary', create: () => createEncoder('zstd', DICTIONARY), decoder: zstdDecoder, suffix: '.warc.zst' },
  { name: 'zstd', create: () => createEncoder('zstd'), decoder: zstdDecoder, suffix: '.warc.zst' },
];

/** Sizes around every border, of text and of noise; those that are not in memory have to be streamed. */
function sampleRecords(t: TestContext): RecordBytes[] {
  const sizes = [0, 1, 600, ...Array.from({ length: 80 }, (_, nth) => nth * 40), 16_000, 17_000, 300_000, 1_100_000];
  return sizes.flatMap((size, nth) => {
    const blocks = [bytesOf(Buffer.alloc(size, `${nth} `)), bytesOf(randomBytes(size))];
    const spool = spoolOf(randomBytes(size % 5000), 1);
    t.after(() => spool.release());
    const all = nth % 10 === 0 ? [...blocks, spool] : blocks;
    return all.map((block, which) => recordOf(`<urn:uuid:${nth}-${which}>`, 'resource', '2024-01-01T00:00:00Z', '', block, '1.1'));
  });
}

async function unitOf(encoder: Encoder, units: Units, record: RecordBytes): Promise<Buffer> {
  const pieces = await units.next();
  if (pieces !== undefined) return Buffer.concat(pieces);
  const streamed: Buffer[] = [];
  await encoder.stream(record, Buffer.alloc(4096), async (some) => {
    streamed.push(...some.map((piece) => Buffer.from(piece)));
    await Promise.resolve();
  });
  return Buffer.concat(streamed);
}

async function wholeOf({ head, block }: RecordBytes): Promise<Buffer> {
  const pieces: Buffer[] = [Buffer.from(head)];
  for await (const piece of block.read()) pieces.push(piece);
  return Buffer.concat([...pieces, Buffer.from('\r\n\r\n')]);
}

async function windowOf(t: TestContext, file: string): Promise<FileWindow> {
  const handle: FileHandle = await open(file, 'r');
  t.after(() => handle.close());
  return new FileWindow(handle, (await handle.stat()).size);
}

for (const { name, create, decoder, suffix } of CODECS) {
  test(`${name}: records come back whole, each from its own place`, async (t) => {
    const encoder = create();
    t.after(() => encoder.close());
    assert.equal(encoder.suffix, suffix);
    const records = sampleRecords(t);
    const units = encoder.units(records);
    const start = (await encoder.start?.()) ?? Buffer.alloc(0);
    const packed: Buffer[] = [];
    for (const record of records) packed.push(await unitOf(encoder, units, record));
    assert.throws(() => units.next(), RangeError);
    const file = join(tempDir(t), `F${suffix}`);
    await writeFile(file, Buffer.concat([start, ...packed]));

    const window = await windowOf(t, file);
    assert.equal(await decoderAt(window, 0), decoder);
    const unitAt = decoder.open(window);
    let at = 0;
    let end = start.length;
    for (const [nth, record] of records.entries()) {
      const wanted = await wholeOf(record);
      const unit = unitAt(at);
      const got: Buffer[] = [];
      let size = 0;
      for await (const piece of unit.data()) {
        got.push(piece);
        // One that has no end of its own goes on with the next record.
        if ((size += piece.length) >= wanted.length && !decoder.delimits) break;
        if (size >= wanted.length) unit.last?.();
      }
      assert.ok(Buffer.concat(got).subarray(0, wanted.length).equals(wanted), `record ${nth}`);
      at = end += packed[nth]!.length;
      assert.equal(unit.end, decoder.delimits ? at : undefined);
      if (decoder.delimits) assert.equal(size, wanted.length);
    }

    const { records: whole, end: last, rest } = await scanRecords(window, true);
    assert.deepEqual([whole, last, rest], [records.length, at, undefined]);
    const read: (string | undefined)[] = [];
    for await (const record of readWarc(file)) read.push(record.header('WARC-Record-ID'));
    assert.deepEqual(
      read,
      records.map(({ id }) => id),
    );
  });

  test(`${name}: a block that is shorter than its record says fails, in memory and streamed`, async (t) => {
    const encoder = create();
    t.after(() => encoder.close());
    const [short] = [recordOf('<urn:uuid:1>', 'resource', '', '', bytesOf(Buffer.from('short')), '1.1')];
    const longer = { ...bytesOf(Buffer.from('short')), size: 10 };
    const record: RecordBytes = { id: short.id, type: short.type, date: '', head: short.head, headSize: 0, block: longer };
    assert.throws(() => encoder.units([record]).next(), /has 5 bytes instead of 10/);
    await assert.rejects(
      encoder.stream(record, Buffer.alloc(10), () => Promise.resolve()),
      /has 5 bytes instead of 10/,
    );
  });

  test(`${name}: an error of who takes the pieces ends the stream`, async (t) => {
    const encoder = create();
    t.after(() => encoder.close());
    const record = recordOf('<urn:uuid:1>', 'resource', '', '', bytesOf(Buffer.alloc(3_000_000, 'x')), '1.1');
    const full = () => Promise.reject(new Error('ENOSPC: no space left on device'));
    await assert.rejects(encoder.stream(record, Buffer.alloc(10), full), /ENOSPC/);
  });

  test(`${name}: nothing of a cut file is taken for whole`, async (t) => {
    const encoder = create();
    t.after(() => encoder.close());
    const records = sampleRecords(t).slice(0, 3);
    const units = encoder.units(records);
    const start = (await encoder.start?.()) ?? Buffer.alloc(0);
    const packed: Buffer[] = [];
    for (const record of records) packed.push(await unitOf(encoder, units, record));
    const all = Buffer.concat([start, ...packed]);
    const file = join(tempDir(t), 'F');
    for (let size = 1; size < all.length; size += 7) {
      await writeFile(file, all.subarray(0, size));
      const handle = await open(file, 'r');
      const { end, rest } = await scanRecords(new FileWindow(handle, size), false);
      await handle.close();
      const ends = packed.map((_, nth) => start.length + Buffer.concat(packed.slice(0, nth + 1)).length).filter((each) => each <= size);
      assert.equal(end, ends.at(-1) ?? 0);
      assert.equal(rest?.kind, end === size ? undefined : 'cut');
    }
  });
}

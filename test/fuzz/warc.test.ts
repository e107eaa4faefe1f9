/**
 * Any bytes as a WARC file: read, looked at, checked and repaired.
 *
 * The laws: nothing is thrown but what is declared; what is whole in front of the damage is found, and nothing else is kept; a file is
 * never made longer, and once repaired it is left alone; what is kept can be read by us and by npm's warcio, record by record.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { WARCParser } from 'warcio';
import { WarcReadError } from '../../src/warc/errors.ts';
import { loadLock } from '../../src/warc/write/output.ts';
import { readWarc } from '../../src/warc/read/reader.ts';
import { repair } from '../../src/warc/tools/repair.ts';
import { findRecord, scanRecords } from '../../src/warc/read/scan.ts';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { FileWindow } from '../../src/warc/window.ts';
import { BAD_FILES, LAYOUTS, packed, RECORDS, WARC_TOKENS, type Layout } from './corpus/warc.ts';
import { fuzz, LONG, mutate, mutations, Tally, type Mutation } from './support.ts';

const dir = mkdtempSync(join(tmpdir(), 'warctap-fuzz-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const lock = loadLock();

/** A file that is only in memory. */
function windowOf(bytes: Buffer): FileWindow {
  const read = (into: Buffer, offset: number, length: number, position: number) =>
    Promise.resolve({ bytesRead: bytes.copy(into, offset, position, position + length) });
  return new FileWindow({ read }, bytes.length);
}

const scanned = (bytes: Buffer, wasClosed: boolean) => scanRecords(windowOf(bytes), wasClosed);

/** @param whole offsets up to which the file is as it should be, and at which records end */
async function scanLaws(bytes: Buffer, whole: readonly number[], wasClosed: boolean, tally: Tally): Promise<void> {
  const { records, end, rest } = await scanned(bytes, wasClosed);
  assert.ok(end <= bytes.length && (rest === undefined) === (end === bytes.length));
  assert.ok(end >= (whole.at(-1) ?? 0), `${end} instead of ${whole.at(-1) ?? 0}`);
  assert.ok(records >= whole.length);
  assert.deepEqual(await scanned(bytes.subarray(0, end), wasClosed), { records, end, rest: undefined });
  tally.add(rest?.kind ?? 'whole');
  if (rest === undefined) return;
  assert.match(rest.problem, /^[^\0-\x1f]*$/);
  const next = await findRecord(windowOf(bytes), end);
  if (next !== undefined) assert.ok(next > end && next < bytes.length);
  if (rest.kind === 'noise') assert.equal(next, undefined);
}

async function readLaws(file: string): Promise<number | undefined> {
  let records = 0;
  try {
    for await (const record of readWarc(file)) {
      assert.equal((await record.bytes()).length, record.contentLength);
      await record.length();
      records += 1;
    }
  } catch (error) {
    assert.ok(error instanceof WarcReadError, String(error));
    assert.match(error.message, /^[^\0-\x1f]*$/);
    return undefined;
  }
  return records;
}

/** Number of records that npm's warcio reads. */
async function recordsOfWarcio(bytes: Buffer): Promise<number> {
  let records = 0;
  for await (const record of new WARCParser([bytes], { parseHttp: false })) {
    await record.readFully(false);
    records += 1;
  }
  return records;
}

async function verifyLaws(file: string): Promise<string[]> {
  const faults: string[] = [];
  const [report] = await verifyFiles([file], {
    allowUnresolved: false,
    onFault: ({ problem }) => {
      assert.match(problem, /^[^\0-\x1f]*$/);
      faults.push(problem);
    },
  });
  assert.equal(report?.faults, faults.length);
  return faults;
}

/** What is about a record's fields or digests, and not about where it ends. */
const CONTENT_FAULT = /^(has no WARC-|WARC-(Block|Payload)-Digest does not match|refers to )/;

async function fileLaws(bytes: Buffer, suffix: string, tally: Tally): Promise<void> {
  const closed = join(dir, `file${suffix}`);
  const file = `${closed}.open`;
  for (const name of [file, closed]) rmSync(name, { force: true });
  writeFileSync(file, bytes);
  await readLaws(file);
  await verifyLaws(file);
  const { ok, path, records, bytesCut } = await repair(file, lock);
  if (!ok) {
    tally.add('left');
    assert.ok(path === file && bytesCut === 0);
    assert.deepEqual(readFileSync(file), bytes);
    return;
  }
  if (path === undefined) {
    tally.add('deleted');
    assert.ok(records === 0 && !existsSync(file));
    return;
  }
  tally.add(bytesCut === 0 ? 'whole' : 'cut');
  assert.equal(path, closed);
  const kept = readFileSync(closed);
  assert.deepEqual(kept, bytes.subarray(0, bytes.length - bytesCut));
  assert.equal(await readLaws(closed), records, 'not readable by us');
  const faults = (await verifyLaws(closed)).filter((fault) => !CONTENT_FAULT.test(fault));
  assert.deepEqual(faults, records === 0 ? ['holds no record'] : []);
  // By itself it finds no field with white space before the colon.
  const spaced = /content-length[ \t]+:/i.test(kept.toString('latin1'));
  if (!spaced) assert.equal(await recordsOfWarcio(kept), records, 'not readable by warcio');
  const again = await repair(closed, lock);
  assert.deepEqual([again.ok, again.bytesCut, again.records], [true, 0, records]);
}

interface Made {
  readonly records: readonly Buffer[];
  readonly other: readonly Buffer[];
  readonly layout: Layout;
  readonly inside: readonly Mutation[];
  readonly outside: readonly Mutation[];
}

const anyRecords = fc.constantFrom(...RECORDS);
const made: fc.Arbitrary<Made> = fc.record({
  records: anyRecords,
  other: anyRecords,
  layout: fc.constantFrom(...LAYOUTS, 'plain', 'member per record'),
  /** of the records before they are packed */
  inside: fc.oneof(fc.constant([]), mutations(WARC_TOKENS, 2)),
  outside: fc.oneof(fc.constant([]), mutations(WARC_TOKENS, 2)),
});

function fileOf({ records, other, layout, inside, outside }: Made): { bytes: Buffer; whole: number[] } {
  const changed = inside.length === 0 ? records : [...records.slice(0, 1), mutate(records[1]!, inside, other[0]!), ...records.slice(2)];
  const pieces = packed(changed, layout);
  const before = Buffer.concat(pieces);
  const bytes = mutate(before, outside, Buffer.concat(other));
  const same = commonStart(before, bytes);
  const whole: number[] = [];
  // Of a piece that holds more than one record nothing is said, and of those that were changed nothing behind them.
  if (layout === 'plain' || layout === 'member per record') {
    for (const [i, piece] of pieces.entries()) {
      const end = (whole.at(-1) ?? 0) + piece.length;
      if (end > same || (i > 0 && inside.length > 0)) break;
      whole.push(end);
    }
  }
  return { bytes, whole };
}

function commonStart(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  if (a.compare(b, 0, length, 0, length) === 0) return length;
  let i = 0;
  while (a[i] === b[i]) i++;
  return i;
}

const suffixOf = (layout: Layout) => (layout === 'plain' ? '.warc' : '.warc.gz');
const shown = (bytes: Buffer) =>
  JSON.stringify(
    bytes
      .toString('latin1')
      .replace(/(.)\1{50,}/g, '$1…')
      .slice(0, 2_000),
  );

async function named(bytes: Buffer, laws: () => Promise<void>): Promise<void> {
  try {
    await laws();
  } catch (error) {
    throw new Error(`${shown(bytes)}: ${error instanceof Error ? error.message : ''}`, { cause: error });
  }
}

test('every seed is whole, or left alone, by these laws', async () => {
  for (const records of RECORDS) {
    for (const layout of LAYOUTS) await fileLaws(Buffer.concat(packed(records, layout)), suffixOf(layout), new Tally());
  }
});

test('mutated files, looked at', LONG, async (t) => {
  const tally = new Tally();
  const property = fc.asyncProperty(made, fc.boolean(), async (how, wasClosed) => {
    const { bytes, whole } = fileOf(how);
    await named(bytes, () => scanLaws(bytes, whole, wasClosed, tally));
  });
  await fuzz(t, property, 1_500, tally);
  assert.ok(
    ['whole', 'cut', 'noise', 'damage'].every((kind) => tally.of(kind) > 20),
    String(tally),
  );
});

test('mutated files, read, checked and repaired', LONG, async (t) => {
  const tally = new Tally();
  const property = fc.asyncProperty(made, async (how) => {
    const { bytes } = fileOf(how);
    await named(bytes, () => fileLaws(bytes, suffixOf(how.layout), tally));
  });
  await fuzz(t, property, 250, tally);
  assert.ok(
    ['whole', 'cut', 'left'].every((kind) => tally.of(kind) > 5),
    String(tally),
  );
});

test('any bytes', LONG, async (t) => {
  const tally = new Tally();
  const token = fc.oneof(
    fc.constantFrom(...WARC_TOKENS).map((text) => Buffer.from(text, 'latin1')),
    fc.uint8Array({ maxLength: 12 }).map((octets) => Buffer.from(octets)),
  );
  const property = fc.asyncProperty(fc.array(token, { maxLength: 12 }), fc.boolean(), async (tokens, gzip) => {
    const bytes = Buffer.concat(tokens);
    await named(bytes, async () => {
      await scanLaws(bytes, [], gzip, tally);
      await fileLaws(bytes, gzip ? '.warc.gz' : '.warc', tally);
    });
  });
  await fuzz(t, property, 150, tally);
});

describe('files that were read wrongly, or took too long', () => {
  for (const bad of BAD_FILES) {
    const { name, suffix, records } = bad;
    test(name, async () => {
      const bytes = bad.make();
      const started = performance.now();
      await fileLaws(bytes, suffix, new Tally());
      // Now a second or two; what took the square of the length took minutes.
      assert.ok(performance.now() - started < 10_000);
      if (records === undefined) return;
      assert.deepEqual(await scanned(bytes, true), { records, end: bytes.length, rest: undefined });
      const file = join(dir, `whole${suffix}`);
      writeFileSync(file, bytes);
      assert.equal(await readLaws(file), records);
    });
  }

  test('reading keeps no more in memory than a header may have', async () => {
    const file = join(dir, 'endless.warc.gz');
    writeFileSync(file, BAD_FILES.find(({ name }) => name === 'a member of a header without end')!.make());
    await assert.rejects(readWarc(file).next(), { message: `${file}: record at byte 0: has a header of more than 16777216 bytes` });
  });
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildRecords } from '../../../src/archive/records.ts';
import type { Fault } from '../../../src/warc/read/onward.ts';
import { verifyFiles, type FileReport } from '../../../src/warc/tools/verify.ts';
import { base32Sha1, bordersOf, handMade, idOf, members, type HandMade } from './repair-support.ts';
import { custom, exchange, pool, readAll, recordOptions, sha1, tempDir } from '../support.ts';

async function verify(
  files: readonly string[],
  allowUnresolved = false,
): Promise<{ faults: string[]; reports: readonly FileReport[]; all: Fault[] }> {
  const all: Fault[] = [];
  const reports = await verifyFiles(files, { allowUnresolved, onFault: (fault) => all.push(fault) });
  return { faults: all.map(({ offset, problem }) => `${offset ?? '-'} ${problem}`), reports, all };
}

function fileOf(t: TestContext, bytes: Buffer, name = 'f.warc'): string {
  const file = join(tempDir(t), name);
  writeFileSync(file, bytes);
  return file;
}

const HTTP = { type: 'response', version: '1.1' } as const;
const CONTENT = 'Content-Type: application/http;msgtype=response\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n';

for (const gzip of [false, true]) {
  const kind = gzip ? 'gzip' : 'plain';

  async function ours(t: TestContext): Promise<string> {
    const dir = tempDir(t);
    const writers = pool(dir, { gzip });
    const original = exchange({ body: 'original' });
    const captures = [
      exchange({ head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', body: '5\r\nhello\r\n0\r\n\r\n', payload: 'hello' }),
      original,
      exchange({ body: 'original', duplicateOf: { recordId: original.recordId, url: original.url, date: '2024-02-03T04:05:06.789Z' } }),
      exchange({ url: 'http://example.com/a,,,b', body: Buffer.alloc(200_000, 'z') }),
      custom('resource', 'text/plain', 'some text'),
      exchange({ head: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n', body: 'cut', truncated: 'disconnect' }),
    ];
    await writers.write((await buildRecords(captures, recordOptions())).map((records) => ({ prefix: 'P', records })));
    await writers.close();
    return join(dir, `P-00000.warc${gzip ? '.gz' : ''}`);
  }

  test(`what we write has no fault, and every digest of it is checked (${kind})`, async (t) => {
    const { faults, reports } = await verify([await ours(t)]);
    assert.deepEqual(faults, []);
    const [{ records, digests, uncheckedDigests, codedDigests, unresolved }] = reports as [FileReport];
    // Blocks: 5 principal records with their requests, and the resource; payloads: 3 whole responses and the resource.
    assert.deepEqual(
      { records, digests, uncheckedDigests, codedDigests, unresolved },
      { records: 12, digests: 11 + 4, uncheckedDigests: 0, codedDigests: 0, unresolved: 0 },
    );
  });

  test(`a changed byte anywhere in a block is a fault of that record, and the ones behind it are still read (${kind})`, async (t) => {
    const file = await ours(t);
    const places = await readAll(file);
    const bytes = readFileSync(file);
    const second = places[3]!;
    bytes[second.offset + second.bytesInFile - (gzip ? 12 : 5)]! ^= 1;
    writeFileSync(file, bytes);
    const { all, reports } = await verify([file]);
    assert.ok(all.length > 0 && all.every(({ offset }) => offset === second.offset || offset === places[5]!.offset), JSON.stringify(all));
    assert.ok(all.some(({ offset }) => offset === second.offset));
    assert.ok(reports[0]!.records >= 11);
  });

  test(`a file that is cut off has one fault, at the record that is not whole (${kind})`, async (t) => {
    const records = [handMade(), handMade({ block: 'WARC/1.0 '.repeat(9) }), handMade()].map((each) => (gzip ? gzipSync(each) : each));
    const whole = Buffer.concat(records);
    const borders = bordersOf(records);
    const file = fileOf(t, whole, 'cut');
    for (let size = 1; size < whole.length; size += 1) {
      writeFileSync(file, whole.subarray(0, size));
      const { all, reports } = await verify([file]);
      const start = borders.findLast((border) => border <= size)!;
      assert.deepEqual(
        all.map(({ offset }) => offset),
        start === size ? [] : [start],
        `at ${size}`,
      );
      assert.equal(reports[0]!.records, borders.indexOf(start), `at ${size}`);
    }
  });
}

test('a damaged member, garbage between records and a record of another layout are a fault each, and all else is checked', async (t) => {
  const [first, second, third] = [handMade(), handMade(), handMade()].map((record) => gzipSync(record)) as [Buffer, Buffer, Buffer];
  second[second.length - 6]! ^= 0x55;
  const damaged = await verify([fileOf(t, Buffer.concat([first, second, third]))]);
  assert.deepEqual(damaged.faults, [`${first.length} gzip checksum does not match`]);
  assert.equal(damaged.reports[0]!.records, 2);

  const plain = handMade();
  const noisy = await verify([fileOf(t, Buffer.concat([plain, Buffer.from('noise'), plain]))]);
  assert.deepEqual(noisy.faults, [`${plain.length} does not begin with a WARC version`]);
  assert.equal(noisy.reports[0]!.records, 2);

  const joined = await verify([fileOf(t, Buffer.concat([first, gzipSync(Buffer.concat([plain, plain])), third]))]);
  assert.deepEqual(joined.faults, [`${first.length} more than one record in a gzip member`]);
});

test('a record inside the block of a broken one is not taken for a record', async (t) => {
  const broken = handMade({ block: handMade() });
  broken[broken.length - 1]! ^= 0x55;
  const { faults, reports } = await verify([fileOf(t, Buffer.concat([broken, handMade()]))]);
  assert.deepEqual(faults, ['0 is not followed by two line ends']);
  assert.equal(reports[0]!.records, 1);
});

test('an empty file and one that is no WARC have a fault', async (t) => {
  assert.deepEqual((await verify([fileOf(t, Buffer.alloc(0))])).faults, ['- holds no record']);
  assert.deepEqual((await verify([fileOf(t, Buffer.from('hello'))])).faults, ['0 does not begin with a WARC version']);
});

test('a WACZ is told as one, by what verifies and by what reads', async (t) => {
  const file = fileOf(t, Buffer.from(`PK\x03\x04${'a'.repeat(60)}\r\n\r\n`), 'a.wacz');
  const told = 'is a ZIP file, such as a WACZ: unpack it';
  assert.ok((await verify([file])).faults[0]?.startsWith(`0 ${told}`));
  await assert.rejects(readAll(file), new RegExp(told));
});

test('missing files and folders are one fault each, and the others are checked', async (t) => {
  const file = fileOf(t, handMade());
  const { all, reports } = await verify([join(tempDir(t), 'none'), tempDir(t), file]);
  assert.deepEqual(
    all.map(({ offset, problem }) => [offset, problem]),
    [
      [undefined, 'there is no such file'],
      [undefined, 'it is a folder, not a file'],
    ],
  );
  assert.equal(reports[2]!.faults, 0);
});

test('fields that every record must have are missed', async (t) => {
  const record = Buffer.from('WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 0\r\n\r\n\r\n\r\n');
  assert.deepEqual((await verify([fileOf(t, record)])).faults, ['0 has no WARC-Record-ID', '0 has no WARC-Date']);
});

test('digests are read in hex, Base32 and Base64, in any case, with any hash that there is', async (t) => {
  const right = [
    sha1('hello'),
    sha1('hello').toUpperCase().replace('SHA1', 'sha1'),
    base32Sha1('hello'),
    base32Sha1('hello').toLowerCase(),
    'sha1:qvTGHdzF6KLavt4PO0gs2a6pQ00=',
    'md5:5d41402abc4b2a76b9719d911017c592',
    'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    'SHA-256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
  ];
  for (const digest of right) {
    const { faults, reports } = await verify([fileOf(t, handMade({ more: `WARC-Block-Digest: ${digest}\r\n` }))]);
    assert.deepEqual([faults, reports[0]!.digests], [[], 1], digest);
  }
  const wrong = await verify([fileOf(t, handMade({ more: `WARC-Block-Digest: ${base32Sha1('hellO')}\r\n` }))]);
  assert.deepEqual(wrong.faults, [`0 WARC-Block-Digest does not match (${base32Sha1('hellO')})`]);
  const { faults, reports } = await verify([fileOf(t, handMade({ more: 'WARC-Block-Digest: whirl:12\r\n' }))]);
  assert.deepEqual([faults, reports[0]!.uncheckedDigests], [[], 1]);
});

test('the payload is the body without transfer-coding, behind interim answers, and other ways of hashing it are told apart', async (t) => {
  const of = (block: string, digest: string, more: HandMade = HTTP) =>
    verify([fileOf(t, handMade({ ...more, more: `${CONTENT}WARC-Payload-Digest: ${digest}\r\n`, block }))]);
  const coded = CHUNKED.slice(CHUNKED.indexOf('\r\n\r\n') + 4);
  const cases: [block: string, payload: string, faults: number, codedDigests: number][] = [
    [CHUNKED, 'hello', 0, 0],
    [CHUNKED, coded, 0, 1],
    [CHUNKED, 'hello\n', 1, 0],
    [`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${CHUNKED}`, 'hello', 0, 0],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot in chunks', 'not in chunks', 0, 0],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello', 0, 0],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 1, 0],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', '', 0, 0],
    ['HTTP/1.0 200 OK\r\n\r\nuntil the end', 'until the end', 0, 0],
  ];
  for (const [block, payload, faults, codedDigests] of cases) {
    const found = await of(block, sha1(payload));
    assert.deepEqual([found.faults.length, found.reports[0]!.codedDigests], [faults, codedDigests], `${block} ${payload}`);
    if (faults === 0) assert.equal(found.reports[0]!.digests, 1);
  }
  const unknown = await of('no HTTP\r\n\r\nhello', sha1('hello'));
  assert.deepEqual([unknown.faults, unknown.reports[0]!.uncheckedDigests], [[], 1]);
  const revisit = await of('HTTP/1.1 200 OK\r\n\r\n', sha1('elsewhere'), { ...HTTP, type: 'revisit' });
  assert.deepEqual(revisit.faults, []);
});

test('what a revisit refers to may stand before it, behind it, or in another file, but not nowhere', async (t) => {
  const revisit = (id: number) => handMade({ type: 'revisit', more: `WARC-Refers-To: ${idOf(id)}\r\n` });
  const original = (id: number) => handMade({ type: 'response', id: idOf(id) });
  const dir = tempDir(t);
  const [one, two] = [join(dir, 'one.warc'), join(dir, 'two.warc.gz')];
  const first = Buffer.concat([revisit(901), original(901), revisit(902)]);
  writeFileSync(one, Buffer.concat([first, revisit(903), handMade({ type: 'revisit' })]));
  writeFileSync(two, members(original(902)));
  const strict = await verify([one, two]);
  assert.deepEqual(
    strict.all.map(({ file, offset, problem }) => [file, offset, problem]),
    [[one, first.length, `refers to ${idOf(903)}, which is in none of the files`]],
  );
  const lenient = await verify([one, two], true);
  assert.deepEqual([lenient.faults, lenient.reports[0]!.unresolved], [[], 1]);
  assert.equal((await verify([one])).faults.length, 2);
});

test('an original that is not whole is not there', async (t) => {
  const original = handMade({ type: 'response', id: idOf(950) });
  const revisit = handMade({ type: 'revisit', more: `WARC-Refers-To: ${idOf(950)}\r\n` });
  const { all } = await verify([fileOf(t, Buffer.concat([revisit, original.subarray(0, -1)]))]);
  assert.deepEqual(
    all.map(({ offset }) => offset),
    [revisit.length, 0],
  );
});

test("files of Python's warcio have no fault", async (t) => {
  const block = 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nsome\ntext';
  const record = handMade({
    type: 'response',
    more:
      'WARC-Target-URI: http://example.com/\r\nContent-Type: application/http; msgtype=response\r\n' +
      `WARC-Payload-Digest: ${base32Sha1('some\ntext')}\r\nWARC-Block-Digest: ${base32Sha1(block)}\r\n`,
    block,
  });
  const warcinfo = handMade({ type: 'warcinfo', more: 'WARC-Filename: x.warc.gz\r\nContent-Type: application/warc-fields\r\n' });
  const { faults, reports } = await verify([fileOf(t, members(warcinfo, record))]);
  assert.deepEqual([faults, reports[0]!.records, reports[0]!.digests], [[], 2, 2]);
});

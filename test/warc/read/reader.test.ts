import assert from 'node:assert/strict';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { crc32, gzipSync } from 'node:zlib';
import { WARCParser } from 'warcio';
import { WarcReadError } from '../../../src/warc/errors.ts';
import { readWarc } from '../../../src/warc/read/reader.ts';
import { buildRecords } from '../../../src/archive/records.ts';
import { exchange, pool, readAll, recordOptions, recordsOf, tempDir } from '../support.ts';

const CHUNKED = exchange({
  url: 'http://example.com/chunked',
  head: 'HTTP/1.1 200 OK\r\nX-Odd:  two \r\nx-odd: TWO\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n',
  body: '5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n',
  payload: 'hello',
});

async function writeFile(t: TestContext, gzip: boolean): Promise<string> {
  const dir = tempDir(t);
  const writers = pool(dir, { gzip });
  const records = await buildRecords([CHUNKED, exchange({ body: Buffer.alloc(3000, 'y') })], recordOptions());
  await writers.write(records.map((each) => ({ prefix: 'P', records: each })));
  await writers.close();
  return join(dir, `P-00000.warc${gzip ? '.gz' : ''}`);
}

for (const gzip of [false, true]) {
  const kind = gzip ? 'gzip' : 'plain';

  test(`blocks come back to the byte, with framing and content-coding as they are (${kind})`, async (t) => {
    const all = await readAll(await writeFile(t, gzip));
    assert.deepEqual(
      all.map(({ type }) => type),
      ['warcinfo', 'response', 'request', 'response', 'request'],
    );
    const spool = CHUNKED.response.bytes;
    assert.deepEqual(all[1]!.block, Buffer.concat(spool.memory!));
    assert.equal(all[1]!.version, 'WARC/1.1');
    assert.equal(all[1]!.header('warc-target-uri'), 'http://example.com/chunked');
    assert.deepEqual(all[1]!.headers[0], ['WARC-Type', 'response']);
  });

  test(`offsets and lengths tile the file (${kind})`, async (t) => {
    const file = await writeFile(t, gzip);
    let end = 0;
    for (const { offset, bytesInFile } of await readAll(file)) {
      assert.equal(offset, end);
      end = offset + bytesInFile;
    }
    assert.equal(end, readFileSync(file).length);
  });

  test(`one record can be read at its place, and its content left half read (${kind})`, async (t) => {
    const file = await writeFile(t, gzip);
    const places = await readAll(file);
    const { offset: start, bytesInFile, block } = places[3]!;
    for await (const record of readWarc(file, { start, end: start + bytesInFile })) {
      assert.equal(record.offset, start);
      assert.deepEqual(await record.bytes(), block);
    }
    const seen: number[] = [];
    for await (const record of readWarc(file)) {
      for await (const piece of record.content()) {
        seen.push(piece.length);
        break;
      }
    }
    assert.equal(seen.length, places.length);
    for await (const record of readWarc(file)) if (record.type === 'response') break;
  });

  test(`a file cut off anywhere is an error that names the record's place (${kind})`, async (t) => {
    const file = await writeFile(t, gzip);
    const whole = readFileSync(file);
    const borders = (await readAll(file)).map(({ offset }) => offset);
    const cut = join(tempDir(t), 'cut');
    for (let size = whole.length - 1; size > 0; size -= size > whole.length - 300 ? 1 : 41) {
      writeFileSync(cut, whole.subarray(0, size));
      if (borders.includes(size)) continue;
      const start = borders.findLast((border) => border < size);
      await assert.rejects(readAll(cut), (error) => {
        assert.ok(error instanceof WarcReadError);
        assert.equal(error.offset, start, `cut at ${size}: ${error.message}`);
        assert.ok(error.message.startsWith(`${cut}: record at byte ${start}: `) && !error.message.includes('\n'));
        return true;
      });
    }
  });

  test(`warcio for JavaScript reads the same records (${kind})`, async (t) => {
    const file = await writeFile(t, gzip);
    const types: string[] = [];
    for await (const record of new WARCParser(createReadStream(file))) {
      types.push(record.warcType);
      if (record.warcTargetURI === 'http://example.com/' && record.warcType === 'response') {
        assert.equal((await record.contentText()).length, 3000);
      }
    }
    assert.deepEqual(types, ['warcinfo', 'response', 'request', 'response', 'request']);
  });
}

test('a damaged gzip member is an error', async (t) => {
  const file = await writeFile(t, true);
  const { offset, bytesInFile } = (await readAll(file))[3]!;
  const whole = readFileSync(file);
  for (const place of [offset, offset + 1, offset + 15, offset + bytesInFile - 10, offset + bytesInFile - 6, offset + bytesInFile - 2]) {
    const damaged = Buffer.from(whole);
    damaged[place]! ^= 0x55;
    writeFileSync(file, damaged);
    await assert.rejects(readAll(file), (error) => error instanceof WarcReadError && error.offset === offset, `at ${place - offset}`);
  }
});

test('gzip headers with names, comments and extra fields are read', async (t) => {
  const file = join(tempDir(t), 'odd.warc.gz');
  const record = Buffer.from('WARC/1.0\r\nWARC-Type: resource\r\ncontent-length: 0\r\n\r\n\r\n\r\n');
  const plain = gzipSync(record);
  const header = Buffer.concat([
    plain.subarray(0, 3),
    Buffer.from([0x1e]),
    plain.subarray(4, 10),
    Buffer.from('\x02\x00abname\0comment\0', 'latin1'),
  ]);
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(crc32(header) & 0xffff);
  const odd = Buffer.concat([header, checksum, plain.subarray(10)]);
  writeFileSync(file, Buffer.concat([odd, plain, odd]));
  assert.deepEqual(
    (await readAll(file)).map(({ offset, bytesInFile }) => [offset, bytesInFile]),
    [
      [0, odd.length],
      [odd.length, plain.length],
      [odd.length + plain.length, odd.length],
    ],
  );
});

test('what is not WARC, or has no length, is an error', async (t) => {
  const file = join(tempDir(t), 'bad.warc');
  const bad = [
    'hello\r\n\r\n',
    '\r\n',
    'WARC/1.1\r\nWARC-Type: resource\r\n\r\n',
    'WARC/1.1\r\nContent-Length: -1\r\n\r\n',
    'WARC/1.1\r\nContent-Length: 0\r\n\r\n\r\nX\n',
  ];
  for (const text of bad) {
    writeFileSync(file, text);
    await assert.rejects(readAll(file), WarcReadError, JSON.stringify(text));
  }
  await assert.rejects(readAll(join(file, 'none')), /ENOTDIR/);
  writeFileSync(file, '');
  assert.deepEqual(await readAll(file), []);
});

test('a file that is still open is read up to what has been written', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { gzip: true });
  await writers.write([{ prefix: 'P', records: await recordsOf() }]);
  assert.equal((await readAll(join(dir, 'P-00000.warc.gz.open'))).length, 3);
  await writers.close();
});

/** Bodies of archived messages without their codings, whoever wrote the record and however it is cut. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { readWarc } from '../../../src/warc/read/reader.ts';
import { decodedBody } from '../../../src/warc/tools/body.ts';
import { glanceAt } from '../../../src/warc/tools/glance.ts';
import { tempDir } from '../support.ts';
import { handMade } from './repair-support.ts';

const TEXT = Buffer.from('what it says, again and again '.repeat(40));

interface Read {
  readonly body: string;
  readonly problem: string | undefined;
}

async function bodyOf(t: TestContext, fields: string, body: Buffer, more = '', type = 'response'): Promise<Read> {
  const file = join(tempDir(t), 'a.warc');
  const start = type === 'request' ? 'POST / HTTP/1.1\r\nHost: a\r\n' : 'HTTP/1.1 200 OK\r\n';
  const block = Buffer.concat([Buffer.from(`${start}${fields}\r\n`), body]);
  writeFileSync(file, handMade({ type, more: `Content-Type: application/http\r\n${more}`, block }));
  const pieces: Buffer[] = [];
  let problem: string | undefined;
  for await (const record of readWarc(file)) {
    const { block: read } = await glanceAt(record);
    try {
      for await (const piece of decodedBody(read)) pieces.push(piece);
    } catch (error) {
      problem = (error as Error).message;
    }
  }
  return { body: Buffer.concat(pieces).toString(), problem };
}

function chunked(body: Buffer, size = 7): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

const whole = { body: TEXT.toString(), problem: undefined };
const CODINGS: readonly (readonly [coding: string, packed: Buffer])[] = [
  ['gzip', gzipSync(TEXT)],
  ['X-GZIP', gzipSync(TEXT)],
  ['gzip', Buffer.concat([gzipSync(TEXT.subarray(0, 9)), gzipSync(TEXT.subarray(9))])],
  ['deflate', deflateSync(TEXT)],
  ['deflate', deflateRawSync(TEXT)],
  ['br', brotliCompressSync(TEXT)],
  ['identity', TEXT],
  ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
];

for (const [coding, packed] of CODINGS) {
  test(`${coding} of ${packed.length} bytes is unpacked, in chunks or not`, async (t) => {
    const field = `Content-Encoding: ${coding}\r\n`;
    assert.deepEqual(await bodyOf(t, `${field}Content-Length: ${packed.length}\r\n`, packed), whole);
    assert.deepEqual(await bodyOf(t, `${field}Transfer-Encoding: chunked\r\n`, chunked(packed)), whole);
    assert.deepEqual(await bodyOf(t, `${field}Transfer-Encoding: chunked\r\n`, chunked(packed), '', 'request'), whole);
  });
}

test('codings that whoever wrote the record has taken off are not missed', async (t) => {
  assert.deepEqual(await bodyOf(t, 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', TEXT), whole);
  assert.deepEqual(await bodyOf(t, 'Content-Encoding: br\r\n', Buffer.alloc(0)), { body: '', problem: undefined });
});

test('an unknown coding is left as it is, and told', async (t) => {
  const { body, problem } = await bodyOf(t, 'Content-Encoding: odd\r\n', TEXT);
  assert.equal(body, TEXT.toString());
  assert.match(problem ?? '', /"odd"/);
});

test('what was cut is given as far as it goes, and told', async (t) => {
  const length = await bodyOf(t, `Content-Length: 2000\r\n`, TEXT);
  assert.deepEqual(length, { body: TEXT.toString(), problem: 'is not whole' });
  const truncated = await bodyOf(t, '', TEXT, 'WARC-Truncated: length\r\n');
  assert.deepEqual(truncated, { body: TEXT.toString(), problem: 'is not whole' });
  const chunks = await bodyOf(t, 'Transfer-Encoding: chunked\r\n', chunked(TEXT).subarray(0, 100));
  assert.equal(chunks.problem, 'is not whole');
  assert.ok(chunks.body.length > 50 && TEXT.toString().startsWith(chunks.body));
});

test('a body that is cut at any byte, in whatever coding, is no crash and no other text', async (t) => {
  for (const [coding, packed] of CODINGS.slice(0, 6)) {
    for (let size = 0; size < packed.length; size += 3) {
      const cut = await bodyOf(t, `Content-Encoding: ${coding}\r\nContent-Length: ${packed.length}\r\n`, packed.subarray(0, size));
      // Less than its magic number is not seen to be packed.
      if (size >= 2) assert.ok(TEXT.toString().startsWith(cut.body), `${coding} ${size}`);
      assert.ok(cut.problem !== undefined, `${coding} ${size}`);
    }
  }
});

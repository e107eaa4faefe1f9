/** Payloads that deflate cannot make smaller, at the sizes where the way of writing changes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync, gunzipSync } from 'node:zlib';
import { looksDense, member, StoredMember } from '../../../../src/warc/codec/gzip/member.ts';
import { verifyFiles } from '../../../../src/warc/tools/verify.ts';
import { readFolder } from '../../../support/proxy.ts';
import { tool } from '../../../support/tools.ts';
import { pool, recordsOf, tempDir } from '../../support.ts';

const text = Buffer.from('all work and no play makes a dull archive. '.repeat(3000));

test('what is compressed looks dense, what could be does not', () => {
  const noise = randomBytes(100_000);
  const compressed = deflateRawSync(Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${Math.imul(i, 2654435761)} `).join('')));
  for (const dense of [noise, noise.subarray(0, 512), compressed, Buffer.concat([text.subarray(0, 3000), noise])]) {
    assert.equal(looksDense([dense]), true, String(dense.length));
    assert.equal(looksDense([dense.subarray(0, 100), dense.subarray(100, 101), dense.subarray(101)]), true);
  }
  const base64 = Buffer.from(noise.toString('base64'));
  for (const other of [text, base64, Buffer.alloc(5000), Buffer.concat([text, noise.subarray(0, 10_000)]), noise.subarray(0, 511)]) {
    assert.equal(looksDense([other]), false, String(other.length));
  }
  assert.equal(looksDense([]), false);
});

test('the member of a record is what was put in, wherever its payload begins', () => {
  for (const size of [0, 1, 500, 16_384, 16_385, 100_000]) {
    for (const bytes of [text.subarray(0, size), randomBytes(size), Buffer.concat([text.subarray(0, 600), randomBytes(size)])]) {
      for (const payloadStart of [0, 1, 600, bytes.length]) {
        assert.deepEqual(gunzipSync(member(bytes, Math.min(payloadStart, bytes.length))), bytes);
      }
    }
  }
});

test('a member is what was put in, whatever the pieces', () => {
  const front = Buffer.from('the text');
  for (const sizes of [[], [0], [1], [65_535], [65_536], [200_000, 3], [1, 65_535, 65_537]]) {
    const pieces = sizes.map((size) => randomBytes(size));
    const stored = new StoredMember(front);
    const bytes = Buffer.concat([stored.start, ...pieces.flatMap((piece) => stored.store(piece)), stored.end()]);
    assert.deepEqual(gunzipSync(bytes), Buffer.concat([front, ...pieces]));
  }
});

const SIZES = [
  ['small', 1000, undefined],
  ['middling', 100_000, undefined],
  ['big, in memory', 3_000_000, 10_000_000],
  ['big, in a temporary file', 3_000_000, 0],
] as const;

for (const [what, size, maxMemoryBytes] of SIZES) {
  test(`a dense payload is written no larger than it is, and read back whole (${what})`, async (t) => {
    const dir = tempDir(t);
    const files = pool(dir, { gzip: true });
    const body = randomBytes(size);
    const records = await recordsOf({ body, ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }) });
    const [[principal, request] = []] = await files.write([{ prefix: 'A', records }]);
    await files.close();
    assert.ok(principal !== undefined && request !== undefined);
    assert.ok(principal.length < size + 700 + (size >> 12), `${principal.length} bytes`);
    const [name = ''] = readdirSync(dir);
    const found = readFileSync(join(dir, name)).subarray(principal.offset, principal.offset + principal.length);
    assert.ok(gunzipSync(found).includes(body));
    const [response] = await readFolder(dir);
    assert.ok(response?.block.subarray(-size).equals(body));
    await verifyFiles([join(dir, name)], { allowUnresolved: false, onFault: ({ problem }) => assert.fail(problem) });
  });
}

const gzip = tool('gzip');

test('gzip finds nothing wrong with dense payloads of any size', { skip: gzip.skip }, async (t) => {
  const dir = tempDir(t);
  const files = pool(dir, { gzip: true });
  for (const [, size, maxMemoryBytes = 2 * size] of SIZES) {
    await files.write([{ prefix: 'A', records: await recordsOf({ body: randomBytes(size), maxMemoryBytes }) }]);
  }
  await files.close();
  const [name = ''] = readdirSync(dir);
  assert.equal(execFileSync(gzip.command, ['-t', join(dir, name)]).length, 0);
  assert.equal((await readFolder(dir)).length, 2 * SIZES.length);
});

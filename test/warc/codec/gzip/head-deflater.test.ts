/** Heads are deflated by code of ours: what zlib makes of them again is what was put in, whatever it was. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { deflateHead, MAX_HEAD_BYTES } from '../../../../src/warc/codec/gzip/head-deflater.ts';
import { distanceCode, literalCode } from '../../../../src/warc/codec/gzip/head-code.ts';

const { Z_FINISH, Z_SYNC_FLUSH } = constants;
const HEAD =
  'WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:5b8b3a1e-0c1f-4d52-9a37-2f6f0b8a4c11>\r\nWARC-Date: 2026-11-27T08:12:44.123Z\r\n' +
  'WARC-Target-URI: https://example.com/assets/main.css?v=3\r\nContent-Type: application/http;msgtype=response\r\n' +
  'WARC-Block-Digest: sha1:2fd4e1c67a2d28fced849ee1bb76e7391b93eb12\r\nContent-Length: 1234\r\n\r\nHTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n';

/** Also with more blocks behind it, which is what ends at the border of a byte is for. */
function comesBack(bytes: Buffer): void {
  assert.deepEqual(inflateRawSync(deflateHead(bytes, true)), bytes);
  const begun = deflateHead(bytes, false);
  assert.deepEqual(inflateRawSync(begun, { finishFlush: Z_SYNC_FLUSH }), bytes);
  const more = Buffer.from('and more');
  assert.deepEqual(inflateRawSync(Buffer.concat([begun, deflateRawSync(more)])), Buffer.concat([bytes, more]));
}

test('whatever is put in comes back, of every size up to the largest', () => {
  for (const byte of [0, 13, 65, 128, 255]) for (let size = 0; size < 600; size++) comesBack(Buffer.alloc(size, byte));
  for (const size of [0, 1, 2, 3, 4, 5, 100, MAX_HEAD_BYTES - 1, MAX_HEAD_BYTES]) {
    comesBack(randomBytes(size));
    comesBack(Buffer.from(HEAD.repeat(20).slice(0, size)));
    comesBack(Buffer.concat([randomBytes(size >> 1), Buffer.alloc(size >> 2), randomBytes(size - (size >> 1) - (size >> 2))]));
  }
});

test('every byte, every length of a match and every distance can be written', () => {
  comesBack(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  const noise = randomBytes(MAX_HEAD_BYTES);
  for (let length = 3; length <= 260; length++)
    comesBack(Buffer.concat([noise.subarray(0, 300), noise.subarray(0, length), noise.subarray(300, 310)]));
  for (let distance = 1; distance + 20 <= MAX_HEAD_BYTES; distance = Math.ceil(distance * 1.3)) {
    comesBack(Buffer.concat([noise.subarray(0, distance), noise.subarray(0, Math.min(20, distance))]));
  }
});

test('texts of few letters come back, one after the other', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'WARC-', '\r\n', ': ', HEAD), { maxLength: 40 }), (words) => {
      comesBack(Buffer.from(words.join('').slice(0, MAX_HEAD_BYTES)));
    }),
  );
});

test('what it returned stays as it is', () => {
  const first = deflateHead(Buffer.from(HEAD), true);
  const before = Buffer.from(first);
  deflateHead(randomBytes(1000), true);
  assert.deepEqual(first, before);
});

test('a head takes little more than with a code of its own', () => {
  const ours = deflateHead(Buffer.from(HEAD), true).length;
  const zlibs = deflateRawSync(Buffer.from(HEAD), { finishFlush: Z_FINISH }).length;
  assert.ok(ours < zlibs * 1.15, `${ours} bytes, ${zlibs} by zlib`);
});

test('both codes are whole: no bits are left over', () => {
  for (const { bits } of [literalCode, distanceCode]) {
    assert.equal(
      bits.reduce((sum, length) => sum + 2 ** -length, 0),
      1,
    );
  }
});

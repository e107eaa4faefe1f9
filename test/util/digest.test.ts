/** Labelled digests, in one call or in pieces. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Digester } from '../../src/util/digest.ts';

const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31) & 0xff));

for (const algorithm of ['sha1', 'sha256', 'md5']) {
  for (const [size, step] of [
    [0, 1],
    [1, 1],
    [32 * 1024, 1000],
    [32 * 1024 + 1, 32 * 1024],
    [100_000, 7777],
    [127, 1],
    [128, 1],
    [129, 1],
  ] as const) {
    test(`${algorithm} of ${size} bytes in pieces of ${step}`, () => {
      const expected = `${algorithm}:${createHash(algorithm).update(bytes.subarray(0, size)).digest('hex')}`;
      for (const maxKept of [undefined, 0, 64 * 1024, 1024 * 1024]) {
        const digester = new Digester({ algorithm, base32: false }, maxKept);
        for (let at = 0; at < size; at += step) digester.update(bytes.subarray(at, Math.min(at + step, size)));
        assert.equal(digester.finish(), expected);
        assert.equal(digester.finish(), expected, 'asked for again');
      }
    });

    test(`${algorithm} of ${size} bytes in pieces of ${step}, of which nothing is kept from one on`, () => {
      const expected = `${algorithm}:${createHash(algorithm).update(bytes.subarray(0, size)).digest('hex')}`;
      const digester = new Digester({ algorithm, base32: false }, 64 * 1024);
      for (let at = 0; at < size; at += step) {
        digester.update(bytes.subarray(at, Math.min(at + step, size)));
        if (at >= size / 2) digester.keepNothing();
      }
      assert.equal(digester.finish(), expected);
    });
  }
}

test('Base32 is upper case, and what other tools write', () => {
  for (const size of [0, 100_000]) {
    const digester = new Digester({ algorithm: 'sha1', base32: true });
    digester.update(bytes.subarray(0, size));
    const finished = digester.finish();
    // The empty payload of many archives.
    if (size === 0) assert.equal(finished, 'sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ');
    else assert.match(finished, /^sha1:[A-Z2-7]{32}$/);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDigestAlgorithm } from '../../src/util/digest-names.ts';

test('only hashes that this runtime has, named in lower case', () => {
  for (const name of ['sha1', 'sha256', 'md5', 'blake2b512']) assert.ok(isDigestAlgorithm(name), name);
  for (const name of ['', 'crc32', 'SHA1', 'sha1 ', 'RSA-SHA1', 'sha1;x']) assert.ok(!isDigestAlgorithm(name), name);
});

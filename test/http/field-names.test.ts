import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldNameIn } from '../../src/http/field-names.ts';

test('a name is what stands there, in any case, and whether it is a usual one or not', () => {
  for (const name of [
    'Host',
    'host',
    'HOST',
    'hOst',
    'Hos',
    'Hostx',
    'X-Own',
    'TE',
    'te',
    'ETag',
    'Etag',
    'Content-Length',
    'Content-Lengtx',
    'a',
  ]) {
    const text = `before:${name}:after`;
    assert.deepEqual(fieldNameIn(text, 7, 7 + name.length), { name, key: name.toLowerCase() });
  }
});

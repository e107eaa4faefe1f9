import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { base32 } from '@scure/base';
import fc from 'fast-check';
import { dedupKey, type Original } from '../../../src/store/dedup.ts';
import { packEntry, packKey, slotOf, unpackEntry, unpackKey } from '../../../src/store/valkey/packed.ts';

const digest = (name: string, text: string, isBase32: boolean) => {
  const bytes = createHash(name).update(text).digest();
  return `${name}:${isBase32 ? base32.encode(bytes) : bytes.toString('hex')}`;
};
const algorithms = ['sha1', 'sha256', 'md5', 'sha512', 'sha384'];
const cuts = ['', '/length', '/time'];

test('a key is unpacked as it was, and no two are packed alike', () => {
  const keys = fc.tuple(
    fc.constantFrom(...algorithms),
    fc.constantFrom('a', 'b'),
    fc.boolean(),
    fc.constantFrom(...cuts),
    fc.constantFrom('', '|', '/length|', 'b', 'Ведро'),
  );
  const key = fc.oneof(
    keys.map(([name, text, form, cut, bucket]) => dedupKey(`${digest(name, text, form)}${cut}`, bucket)),
    fc.string({ unit: 'grapheme' }),
  );
  fc.assert(fc.property(key, (text) => assert.equal(unpackKey(packKey(text)), text)));
  fc.assert(fc.property(key, key, (a, b) => assert.equal(packKey(a).equals(packKey(b)), a === b)));
});

test('a digest takes its bytes and one more, in either form', () => {
  for (const form of [false, true]) {
    assert.equal(packKey(dedupKey(digest('sha1', 'a', form), '')).length, 21);
    assert.equal(packKey(dedupKey(digest('sha256', 'a', form), '')).length, 33);
    assert.equal(packKey(dedupKey(digest('sha1', 'a', form), 'b')).length, 23);
  }
});

test('what only looks like a digest is kept as it is', () => {
  for (const key of [
    'sha1:',
    'sha1:AAAA|',
    `sha1:${'a'.repeat(39)}|`,
    `sha1:${'A'.repeat(40)}|`,
    `sha1:${'1'.repeat(32)}|`,
    `SHA1:${'a'.repeat(40)}|`,
    '',
  ]) {
    assert.equal(unpackKey(packKey(key)), key);
  }
});

test('an entry is unpacked as it was', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  const date = fc.oneof(
    fc
      .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
      .map((each) => each.toISOString()),
    fc.constantFrom('2024-01-02T03:04:05Z', '1969-12-31T23:59:59.999Z', 'some day', ''),
  );
  const original = fc.record<Original>({
    recordId: fc.oneof(
      hex.map((uuid) => `<urn:uuid:${uuid}>`),
      fc.constantFrom('<urn:uuid:b>', '<urn:x:y>', '', `<urn:uuid:${'AB'.repeat(4)}-0000-0000-0000-000000000000>`),
    ),
    url: fc.oneof(fc.webUrl(), fc.string({ unit: 'grapheme' }), fc.constant(`http://a.example/${'x'.repeat(3000)}`)),
    date,
    answer: fc.oneof(fc.constant(undefined), fc.constantFrom('200', '', '302 /sch\xf6n', `302 /${'x'.repeat(300)}`)),
  });
  const plain = ({ answer, ...parts }: Original): Original => (answer === undefined ? parts : { ...parts, answer });
  fc.assert(fc.property(original, (each) => assert.deepEqual(plain(unpackEntry(packEntry(each))), plain(each))));
});

test('an entry takes 27 bytes and its URL', () => {
  const url = 'http://a.example/';
  const entry = packEntry({
    recordId: '<urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020100>',
    url,
    date: '2024-01-02T03:04:05.678Z',
    answer: '200',
  });
  assert.equal(entry.length, 27 + url.length);
});

test('entries and keys that make no sense are refused', () => {
  assert.throws(() => unpackEntry(Buffer.from('7')), RangeError);
  assert.throws(() => unpackEntry(Buffer.of(1, 2, 3)), RangeError);
  assert.throws(() => unpackKey(Buffer.of(200, 1)), RangeError);
});

test('keys are spread evenly over the hashes', () => {
  const first = new Set(Array.from({ length: 2000 }, (_, nth) => slotOf(packKey(dedupKey(digest('sha1', String(nth), true), '')))));
  assert.ok(first.size > 1990, String(first.size));
});

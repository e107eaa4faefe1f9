import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Framing } from '../../src/http/message.ts';
import { bodyReader, type BodyReader } from '../../src/http1/body.ts';
import { MAX_HEAD_BYTES } from '../../src/http1/head.ts';
import { bytes, refusal } from './read.ts';

function feed(reader: BodyReader, text: string, start = 0): { end: number; payload: string } {
  const payload: Buffer[] = [];
  const end = reader.read(bytes(text), start, payload);
  return { end, payload: Buffer.concat(payload).toString('latin1') };
}

const chunked = (strict: boolean) => bodyReader({ kind: 'chunked' }, strict);

for (const strict of [true, false]) {
  describe(`read ${strict ? 'strictly' : 'leniently'}`, () => {
    test('no body takes nothing', () => {
      const reader = bodyReader({ kind: 'none' }, strict);
      assert.equal(reader.done, true);
      assert.deepEqual(feed(reader, 'next', 1), { end: 1, payload: '' });
    });

    test('a body with a length takes that many bytes', () => {
      const reader = bodyReader({ kind: 'length', length: 5 }, strict);
      assert.deepEqual(feed(reader, '..ab', 2), { end: 4, payload: 'ab' });
      assert.equal(reader.done, false);
      assert.deepEqual(feed(reader, 'cdefg'), { end: 3, payload: 'cde' });
      assert.equal(reader.done, true);
      assert.deepEqual(feed(reader, 'next'), { end: 0, payload: '' });
    });

    test('a body of length zero is done at once', () => {
      const reader = bodyReader({ kind: 'length', length: 0 }, strict);
      assert.equal(reader.done, true);
      assert.deepEqual(feed(reader, 'next'), { end: 0, payload: '' });
    });

    test('a body until close takes everything and is never done', () => {
      const reader = bodyReader({ kind: 'close' }, strict);
      assert.deepEqual(feed(reader, '.abc', 1), { end: 4, payload: 'abc' });
      assert.deepEqual(feed(reader, ''), { end: 0, payload: '' });
      assert.equal(reader.done, false);
    });

    for (const [what, body, payload] of [
      ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
      ['none', '0\r\n\r\n', ''],
      ['sizes in either case', 'a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n', '0123456789abcdefghij'],
      ['leading zeros', '0000000000005\r\nhello\r\n000\r\n\r\n', 'hello'],
      ['extensions', '5;a\r\nhello\r\n1 \t;b="x;y\t\xe9"\r\n!\r\n0;last\r\n\r\n', 'hello!'],
      ['trailers', '1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\n', 'a'],
      ['data that looks like framing', 'a\r\n\r\n0\r\n\r\n\r\n\r\r\n0\r\n\r\n', '\r\n0\r\n\r\n\r\n\r'],
    ] as const) {
      test(`a chunked body with ${what} is read to its end`, () => {
        const reader = chunked(strict);
        assert.deepEqual(feed(reader, `..${body}next`, 2), { end: body.length + 2, payload });
        assert.equal(reader.done, true);
        assert.deepEqual(feed(reader, 'next'), { end: 0, payload: '' });
      });
    }

    for (const [size, found] of [
      ['', '""'],
      ['x', '"x"'],
      ['-1', '"-1"'],
      ['+1', '"+1"'],
      ['0x1', '"0x1"'],
      ['1 2', '"1 2"'],
      ['1,2', '"1,2"'],
      ['1\0', '"1\\u0000"'],
      ['1\x0b', '"1\\u000b"'],
      ['1\r', '"1\\r"'],
      ['1;a\rb', '"1;a\\rb"'],
      ['10000000000000', '"10000000000000"'],
      ['ffffffffffffffff1', '"ffffffffffffffff1"'],
    ] as const) {
      test(`the chunk size ${found} is refused`, () => {
        assert.throws(() => feed(chunked(strict), `${size}\r\na\r\n`), refusal(`malformed chunk size: ${found}`));
      });
    }

    test('the largest chunk size is taken and counted exactly', () => {
      const reader = chunked(strict);
      assert.deepEqual(feed(reader, 'fffffffffffff\r\nabc'), { end: 18, payload: 'abc' });
      assert.equal(reader.done, false);
    });

    test('data longer than its chunk is refused', () => {
      assert.throws(() => feed(chunked(strict), '2\r\nabcd\r\n'), refusal('chunk data longer than its size'));
      assert.throws(() => feed(chunked(strict), '2\r\nabcde'), refusal('chunk data longer than its size'));
      assert.throws(() => feed(chunked(strict), '2\r\nabc\n'), refusal('chunk data not followed by CRLF'));
    });

    test('a chunk size line of 16 KiB is taken, and not one byte more, waiting or not', () => {
      const reader = chunked(strict);
      const line = `1;${'x'.repeat(16_384 - 4)}\r\n`;
      assert.deepEqual(feed(reader, `${line}a`), { end: 16_385, payload: 'a' });
      const tooLarge = refusal('chunk size line larger than 16384 bytes', 'too-large');
      assert.throws(() => feed(chunked(strict), `1;x${line.slice(2)}`), tooLarge);
      assert.throws(() => feed(chunked(strict), '1'.repeat(16_385)), tooLarge);
    });

    test('trailers of 4 MiB are taken, and not one byte more, waiting or not', () => {
      const trailers = `A: ${'x'.repeat(MAX_HEAD_BYTES - 7)}\r\n\r\n`;
      assert.equal(trailers.length, MAX_HEAD_BYTES);
      const reader = chunked(strict);
      assert.equal(feed(reader, `0\r\n${trailers}`).end, 3 + MAX_HEAD_BYTES);
      assert.equal(reader.done, true);
      const tooLarge = refusal('trailer section larger than 4194304 bytes', 'too-large');
      assert.throws(() => feed(chunked(strict), `0\r\nx${trailers}`), tooLarge);
      assert.throws(() => feed(chunked(strict), `0\r\n${'x'.repeat(MAX_HEAD_BYTES + 1)}`), tooLarge);
      assert.throws(() => feed(chunked(strict), `0\r\n${'A: b\r\n'.repeat(700_000)}`), tooLarge);
    });
  });
}

describe('a chunked body that only the lenient reading accepts', () => {
  const cases: [what: string, body: string, payload: string, strictly: string][] = [
    ['a bare LF after the size', '2\nab\r\n0\r\n\r\n', 'ab', 'malformed chunk size: "2"'],
    ['a bare LF after the data', '2\r\nab\n0\r\n\r\n', 'ab', 'chunk data not followed by CRLF'],
    ['white space in front of the size', ' 2\r\nab\r\n0\r\n\r\n', 'ab', 'malformed chunk size: "2"'],
    ['white space after the size', '2  \r\nab\r\n0 \r\n\r\n', 'ab', 'malformed chunk size: "2"'],
    ['many leading zeros', '00000000000000000002\r\nab\r\n0\r\n\r\n', 'ab', 'malformed chunk size: "00000000000000000002"'],
    ['a control character in an extension', '2;\x01\r\nab\r\n0\r\n\r\n', 'ab', 'malformed chunk size: "2;\\u0001"'],
    ['a bare LF at the end', '2\r\nab\r\n0\r\n\n', 'ab', 'LF without CR at the end of a header field: ""'],
    ['a bare LF in the trailer', '0\r\nA: b\n\r\n', '', 'LF without CR at the end of a header field: "A: b"'],
    ['a trailer that is not a field', '0\r\nfree text\r\n\r\n', '', 'header field without a colon: "free text"'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n', '', 'folded header field: " c"'],
    ['a space before the colon of a trailer', '0\r\nA : b\r\n\r\n', '', 'white space before the colon of a header field: "A : b"'],
  ];
  for (const [what, body, payload, strictly] of cases) {
    test(`has ${what}`, () => {
      const reader = chunked(false);
      assert.deepEqual(feed(reader, `${body}next`), { end: body.length, payload });
      assert.equal(reader.done, true);
      assert.throws(() => feed(chunked(true), body), refusal(strictly));
    });
  }
});

test('payload is handed on without a copy', () => {
  const whole = bytes('2\r\nab\r\n0\r\n\r\n');
  const framings: Framing[] = [{ kind: 'length', length: 3 }, { kind: 'close' }, { kind: 'chunked' }];
  for (const framing of framings) {
    const payload: Buffer[] = [];
    bodyReader(framing, true).read(whole, 0, payload);
    assert.equal(payload[0]!.buffer, whole.buffer, framing.kind);
  }
});

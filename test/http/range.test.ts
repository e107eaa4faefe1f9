import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeText, rangeTextsOf, spanIn, spanOf } from '../../src/http/range.ts';

test('one range has one text, however it is written; what is none has none', () => {
  for (const [value, text] of [
    ['bytes=0-99', '0-99'],
    ['Bytes = 007-08 , , -5,9-', '7-8,-5,9-'],
    ['bytes=0-0', '0-0'],
    ['bytes=9-8', undefined],
    ['bytes=', undefined],
    ['bytes=-', undefined],
    ['bytes=1', undefined],
    ['bytes=1-2-3', undefined],
    ['lines=1-2', undefined],
    ['bytes=9999999999999999999-', undefined],
    [`bytes=${'1-2,'.repeat(1000)}`, undefined],
  ] as const) {
    assert.equal(rangeText(value), text, value);
  }
});

test('a part can be asked for by its ends, and at the end of the whole also without one, or from behind', () => {
  assert.deepEqual(rangeTextsOf('bytes 0-3/10'), ['0-3']);
  assert.deepEqual(rangeTextsOf('bytes 7-9/10'), ['7-9', '7-', '-3']);
  assert.deepEqual(rangeTextsOf('bytes 0-9/10'), ['0-9', '0-', '-10']);
  assert.deepEqual(rangeTextsOf('bytes 7-9/*'), ['7-9']);
  for (const value of ['', 'bytes */10', 'bytes 3-2/10', 'lines 0-1/2', 'bytes 0-1']) assert.deepEqual(rangeTextsOf(value), [], value);
});

test('the span is what there is of a range', () => {
  assert.deepEqual(spanOf({ first: 2, last: 99 }, 10), { first: 2, last: 9 });
  assert.deepEqual(spanOf({ suffix: 99 }, 10), { first: 0, last: 9 });
  assert.equal(spanOf({ first: 10, last: undefined }, 10), undefined);
  assert.equal(spanOf({ suffix: 1 }, 0), undefined);
  assert.equal(spanOf({ suffix: 0 }, 10), undefined);
});

test('bytes are the same however the body comes, and nothing is read behind them', async () => {
  const text = '0123456789';
  for (let first = 0; first < 10; first++) {
    for (let last = first; last < 10; last++) {
      for (const size of [1, 3, 10]) {
        let read = 0;
        const body = async function* () {
          for (let at = 0; at < text.length; at += size) {
            read = at + size;
            yield await Promise.resolve(Buffer.from(text.slice(at, at + size)));
          }
        };
        const pieces: Buffer[] = [];
        for await (const piece of spanIn(body(), { first, last })) pieces.push(piece);
        assert.equal(Buffer.concat(pieces).toString(), text.slice(first, last + 1));
        assert.ok(read < last + 1 + size);
      }
    }
  }
});

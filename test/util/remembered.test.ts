/** What is made of texts that come often. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownText } from '../../src/util/own-text.ts';
import { remembered } from '../../src/util/remembered.ts';

test('what comes again is not made again, unless it is long or much else came since', () => {
  let made = 0;
  const length = remembered((text) => {
    made++;
    return text.length;
  });
  assert.deepEqual([length('text/html'), length('text/html'), length(''), length(''), made], [9, 9, 0, 0, 2]);
  const long = 'x'.repeat(1000);
  assert.deepEqual([length(long), length(long), made], [1000, 1000, 4]);
  for (let nth = 0; nth < 1000; nth++) length(`other ${nth}`);
  made = 0;
  assert.deepEqual([length('text/html'), length('text/html'), made], [9, 9, 1]);
});

test('a text of its own is the same text, whatever its length and its characters', () => {
  for (const text of ['', 'a', 'ä€😀', 'x'.repeat(1365), '€'.repeat(1365), '€'.repeat(1366), '😀'.repeat(5000)])
    assert.equal(ownText(text), text);
  assert.equal(ownText('\ud800'), '\ufffd');
});

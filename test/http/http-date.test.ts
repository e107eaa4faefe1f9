import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpDate, parseFixdate, parseHttpDate } from '../../src/http/http-date.ts';

const DATE = new Date('1994-11-06T08:49:37Z');

test('a date is written as the first of the three forms, and read in each of them (RFC 9110 §5.6.7)', () => {
  assert.equal(httpDate(DATE), 'Sun, 06 Nov 1994 08:49:37 GMT');
  for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994']) {
    assert.deepEqual(parseHttpDate(text), DATE, text);
  }
  assert.deepEqual(parseFixdate(httpDate(DATE)), DATE);
  assert.equal(parseHttpDate('Saturday, 03-Feb-24 00:00:00 GMT')?.getUTCFullYear(), 2024);
});

test('anything else is no date', () => {
  for (const text of [
    ...['', 'now', '1994-11-06T08:49:37Z', 'Sun, 06 Nov 1994 08:49:37', 'Sun, 06 Nov 1994 08:49:37 +0000', 'Sun, 6 Nov 1994 08:49:37 GMT'],
    ...['Sun, 06 Nov 1994 25:49:37 GMT', 'Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 00 Nov 1994 08:49:37 GMT', 'Sun, 06 Abc 1994 08:49:37 GMT'],
  ]) {
    assert.equal(parseHttpDate(text), undefined, text);
  }
  assert.equal(parseFixdate('Sun Nov  6 08:49:37 1994'), undefined);
});

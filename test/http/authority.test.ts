import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpAuthority, parseAuthority } from '../../src/http/authority.ts';
import { MessageError } from '../../src/http/errors.ts';

test('a host that is named again means what it meant before, however many there were in between', () => {
  const named = ['a.test', 'A.test', 'a.test:', 'a.test:80', 'a.test:81', '[::0:1]:8080', `${'a'.repeat(60)}.${'b'.repeat(60)}.test`];
  for (const between of [0, 10, 3000]) {
    for (let at = 0; at < between; at++) httpAuthority(`other-${at}.test`);
    for (const each of named) assert.deepEqual(httpAuthority(each), parseAuthority(each, 80));
  }
});

test('a host that was refused is refused again', () => {
  for (let times = 0; times < 2; times++) assert.throws(() => httpAuthority('user@a.test'), MessageError);
});

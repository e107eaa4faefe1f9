import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageError, shown } from '../../src/http/errors.ts';

test('untrusted text is shown quoted, on one line and without control characters', () => {
  const text = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  for (let at = 0; at < 256; at += 40) assert.match(shown(text.slice(at, at + 40)), /^"[\x20-\x7e\xa0-\xff]+"$/);
  assert.equal(shown('a\r\nb\x1b[0m\x7f\x9b"'), '"a\\r\\nb\\u001b[0m\\u007f\\u009b\\""');
});

test('untrusted text is shown up to 60 characters', () => {
  assert.equal(shown('x'.repeat(60)), `"${'x'.repeat(60)}"`);
  assert.equal(shown('x'.repeat(61)), `"${'x'.repeat(60)}…"`);
});

test('an error does not tell what may be a password', () => {
  for (const [found, told] of [
    ['u:p@host', '***@host'],
    ['http://u:p@host/', 'http://***@host/'],
    ['GET https://u:p@w@host/a b HTTP/1.1', 'GET https://***@host/a b HTTP/1.1'],
    ['GET http://u p:w@host/', 'GET http://***@host/'],
    ['Proxy-Url : http://u:p@host', '***@host'],
    [`http://u:${'p'.repeat(100)}@host/`, 'http://***@host/'],
    ['@', '***@'],
  ] as const) {
    assert.equal(new MessageError('syntax', 'odd', found).message, `odd: "${told}"`);
  }
});

test('an error says what was found, if anything was', () => {
  const { name, code, message } = new MessageError('syntax', 'odd', '\n');
  assert.deepEqual({ name, code, message }, { name: 'MessageError', code: 'syntax', message: 'odd: "\\n"' });
  assert.equal(new MessageError('too-large', 'much').message, 'much');
});

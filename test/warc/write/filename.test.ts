import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WarcOptionError } from '../../../src/warc/errors.ts';
import { isSafePrefix, nameTemplate } from '../../../src/warc/write/filename.ts';
import { Names } from '../../../src/warc/write/names.ts';
import { STARTED } from '../support.ts';

const PARTS = { prefix: 'P', serial: 7, randomToken: 'abcd1234', now: STARTED, hostname: 'h.example.org', port: 8000 };

function name(template: string, suffix = '.warc'): string {
  return nameTemplate(template, suffix, PARTS.hostname)(PARTS, false);
}

test('every variable of a template is filled in', () => {
  assert.equal(name('{prefix}-{timestamp17}-{serialno}-{randomtoken}'), 'P-20240203040506789-00007-abcd1234.warc');
  assert.equal(
    name('{timestamp14}_{hostname}_{shorthostname}_{port}_{prefix}', '.warc.gz'),
    '20240203040506_h.example.org_h_8000_P.warc.gz',
  );
});

test('a serial number grows past five digits', () => {
  assert.equal(nameTemplate('{serialno}', '.warc', '')({ ...PARTS, serial: 123456 }, false), '123456.warc');
});

test('an unknown variable is refused on one line that lists the known ones', () => {
  for (const template of ['{nope}-{serialno}', '{prefix!r}', '{}', '{toString}', '{serialno:05d}', '{a\nb}']) {
    assert.throws(
      () => name(template),
      (error) =>
        error instanceof WarcOptionError &&
        !error.message.includes('\n') &&
        /^unknown variable \{.*\}; known are \{prefix\} \{timestamp14\} /.test(error.message),
      template,
    );
  }
});

test('a template that cannot be a file name is refused', () => {
  for (const template of [
    '',
    'a/{serialno}',
    '..\\{serialno}',
    'a\n{serialno}',
    '{serialno',
    'serialno}',
    '{{serialno}}',
    'x'.repeat(242),
    '{prefix}{prefix}-{serialno}',
  ]) {
    assert.throws(() => name(template), WarcOptionError, template);
  }
});

test('a template without serial number gets one only where its name is taken', () => {
  const template = nameTemplate('{prefix}', '.warc', 'h');
  assert.equal(template(PARTS, false), 'P.warc');
  assert.equal(template(PARTS, true), 'P-00007.warc');
  assert.equal(nameTemplate('{prefix}-{serialno}', '.warc', 'h')(PARTS, true), 'P-00007.warc');
});

test('a host name with odd characters does not leave the folder', () => {
  assert.equal(nameTemplate('{hostname}', '.warc', '')({ ...PARTS, hostname: '../x\n' }, false), '.._x_.warc');
});

test('prefixes that could leave the folder or break a line are unsafe', () => {
  for (const prefix of [
    '',
    '.',
    '..',
    'a/b',
    '/',
    'a\\b',
    'a\0',
    'a\n',
    'a\x7f',
    'a\u0085',
    'a\u2028b',
    '\ud800',
    'x'.repeat(129),
    'ü'.repeat(65),
  ]) {
    assert.equal(isSafePrefix(prefix), false, JSON.stringify(prefix));
  }
  for (const prefix of ['-', 'WARCPROX', '...', '.a', 'a b', 'ü'.repeat(64), 'x'.repeat(128), '\u{1F600}'])
    assert.equal(isSafePrefix(prefix), true, prefix);
});

test('each prefix counts for itself and keeps its random token', () => {
  let tokens = 0;
  const names = new Names({
    template: nameTemplate('{prefix}-{serialno}-{randomtoken}', '.warc', 'h'),
    hostname: 'h',
    port: () => 1,
    now: () => STARTED,
    newRandomToken: () => `token${(tokens += 1)}`,
  });
  const a = names.of('a');
  assert.deepEqual(
    [a(), a(), names.of('b')(), names.of('a')()],
    ['a-00000-token1.warc', 'a-00001-token1.warc', 'b-00000-token2.warc', 'a-00002-token1.warc'],
  );
});

test('a prefix is what it looks like', () => {
  for (const prefix of ['job', 'jöb', 'работа', '仕事', 'a b', '-x', 'عمل', 'a\u3000b']) assert.equal(isSafePrefix(prefix), true, prefix);
  const unseen = [
    '\u202e',
    '\u2066',
    '\u200b',
    '\u200d',
    '\ufeff',
    '\u00ad',
    '\u061c',
    '\u3164',
    '\u115f',
    '\ufe0f',
    '\u034f',
    '\u2800',
    '\u{e0041}',
    '\ud800',
  ];
  for (const each of unseen) assert.equal(isSafePrefix(`job${each}gpj`), false, JSON.stringify(each));
  assert.throws(() => name('{prefix}\u202e{serialno}'), /control or invisible character/);
});

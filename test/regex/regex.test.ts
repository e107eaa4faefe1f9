import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RegexError } from '../../src/regex/errors.ts';
import { createRegexes } from '../../src/regex/regex.ts';
import { finish } from '../../src/util/slices.ts';
import { countSteps } from '../meta/support.ts';
import { SEED } from '../support/seed.ts';

fc.configureGlobal({ seed: SEED });

const regexes = createRegexes();
const whole = (source: string, text: string): boolean => finish(regexes.read(source, 'whole').match(text));
const start = (source: string, text: string): boolean => finish(regexes.read(source, 'start').match(text));

/** As good as random, the same in each run: xorshift (G. Marsaglia, 2003). */
function ab(length: number): string {
  let x = 2463534242;
  return Array.from({ length }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x & 64 ? 'a' : 'b';
  }).join('');
}

/** All of them checked against Python 3.11, `re.fullmatch`, on text with `re.ASCII`. */
const SYNTAX: [source: string, matching: string[], others: string[]][] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['ab', 'abcd', 'xabc', 'ABC']],
  ['a|bc', ['a', 'bc'], ['ac', 'abc', 'b']],
  ['a|', ['a', ''], ['b']],
  ['a*b+c?', ['b', 'aabbc'], ['a', 'acb']],
  ['a{2}', ['aa'], ['a', 'aaa']],
  ['a{2,}', ['aa', 'aaaaa'], ['a']],
  ['a{,2}', ['', 'aa'], ['aaa']],
  ['a{,}', ['', 'aaaa'], ['b']],
  ['a{1,3}?b', ['ab', 'aaab'], ['b', 'aaaab']],
  ['a*?b+?c??', ['b', 'aabbc'], ['c']],
  ['a{', ['a{'], ['a']],
  ['a{}', ['a{}'], ['a']],
  ['a{x}{2', ['a{x}{2'], ['a']],
  ['x{3}', ['xxx'], ['x{3}']],
  ['.', ['a', '\xff'], ['\n', '', 'ab']],
  ['(?s).', ['\n'], ['']],
  ['(?i)AbC', ['abc', 'ABC'], ['ab']],
  ['(?i)[a-c]\\x44', ['Bd', 'cD'], ['dd']],
  ['(?i:a)b', ['Ab', 'ab'], ['aB']],
  ['(?i)a(?-i:b)', ['Ab'], ['AB']],
  ['(?im)(?s)a.', ['A\n'], ['a']],
  ['(?x) a b # comment\n c', ['abc'], ['a b']],
  ['(?x)a\\ [ ] +', ['a  ', 'a   '], ['a']],
  ['a(?#comment)*', ['', 'aa'], ['a(?#']],
  ['(?P<scheme>https?)://.*', ['http://x'], ['ftp://x']],
  ['(a)(b)?', ['a', 'ab'], ['b']],
  ['(?:ab)*', ['', 'abab'], ['aba']],
  ['()*a', ['a'], ['']],
  ['(a*)*', ['', 'aaa'], ['b']],
  ['[abc]', ['a', 'c'], ['d', '']],
  ['[^abc]', ['d', '\n', '\xe9'], ['a']],
  ['[]a]', [']', 'a'], ['b']],
  ['[^]a]', ['b'], [']']],
  ['[a-]', ['a', '-'], ['b']],
  ['[-a]', ['a', '-'], ['b']],
  ['[\\d-]', ['1', '-'], ['a']],
  ['[\\w.]', ['_', '.', '9'], ['-']],
  ['[^\\s]', ['a'], [' ', '\t']],
  ['[[:alpha:]]', ['[]', ':]', 'a]'], ['a', 'b']],
  ['[\\]\\-\\\\]', [']', '-', '\\'], ['a']],
  ['[\\b]', ['\b'], ['b']],
  ['[+--]', ['+', ',', '-'], ['.']],
  ['\\d\\D\\w\\W\\s\\S', ['1a_- x'], ['aa_- x']],
  ['\\.\\/\\-\\_\\:', ['./-_:'], ['a/-_:']],
  ['\\x41\\101\\0', ['AA\0'], ['AA0']],
  ['\\t\\n\\r\\f\\v\\a', ['\t\n\r\f\v\x07'], ['']],
  ['^a$', ['a'], ['ab']],
  ['\\Aa\\Z', ['a'], ['ab']],
  ['a\\Z\\Z', ['a'], ['']],
  ['a^b', [], ['ab']],
  ['(?m)a$\n^b', ['a\nb'], ['ab']],
  ['.*\\bfoo\\b.*', ['a foo', 'foo', '/foo/'], ['afoo', 'foo1']],
  ['a\\Bb', ['ab'], ['a b']],
  ['é', ['\xe9'], ['e', '\xc3\xa9']],
  ['[^é]', ['a'], ['\xe9']],
  ['.*', ['http://example.com/?a=b'], ['a\n']],
];

describe('Python’s syntax', () => {
  for (const [source, matching, others] of SYNTAX) {
    test(`${JSON.stringify(source)} matches what Python says`, () => {
      for (const text of matching) assert.equal(whole(source, text), true, JSON.stringify(text));
      for (const text of others) assert.equal(whole(source, text), false, JSON.stringify(text));
    });
  }

  test('characters outside of Latin-1 are matched by nothing', () => {
    for (const source of ['.', 'ж', '[ж]', '[^a]', '\\W', '\\u0436']) assert.equal(whole(source, 'ж'), false, source);
  });

  test('at the start, any rest may follow', () => {
    assert.deepEqual(
      [start('a|b', 'bcd'), start('text/', 'text/html\nx'), start('', 'x'), start('a$', 'ab'), start('b', 'ab')],
      [true, true, true, false, false],
    );
  });

  test('counts may be as large as URLs are long', () => {
    assert.deepEqual([whole('.{2000,}', 'a'.repeat(1_999)), whole('.{2000,}', 'a'.repeat(2_000))], [false, true]);
  });
});

describe('a regex is refused', () => {
  const rows: [source: string, message: string][] = [
    ['(?=a)', 'look-ahead is not supported'],
    ['a(?!b)', 'look-ahead is not supported'],
    ['(?<=a)b', 'look-behind is not supported'],
    ['(?<!a)b', 'look-behind is not supported'],
    ['(a)\\1', 'back-references are not supported'],
    ['(?P<x>a)(?P=x)', 'back-references are not supported'],
    ['(a)?(?(1)b|c)', 'conditional groups are not supported'],
    ['(?>a)', 'atomic groups are not supported'],
    ['a*+', 'possessive quantifiers are not supported'],
    ['a{2}+', 'possessive quantifiers are not supported'],
    ['(?<name>a)', 'unknown extension after (?'],
    ['(', 'missing ), unterminated subpattern'],
    ['a)', 'unbalanced parenthesis'],
    ['(?#a', 'missing ), unterminated comment'],
    ['[a', 'unterminated character set'],
    ['[]', 'unterminated character set'],
    ['[a-', 'unterminated character set'],
    ['[z-a]', 'bad character range'],
    ['[a-\\d]', 'bad character range'],
    ['[\\d-x]', 'bad character range'],
    ['*a', 'nothing to repeat'],
    ['|*', 'nothing to repeat'],
    ['{2}', 'nothing to repeat'],
    ['^*', 'nothing to repeat'],
    ['a**', 'multiple repeat'],
    ['a{2}{3}', 'multiple repeat'],
    ['a{3,2}', 'min repeat greater than max repeat'],
    ['\\', 'bad escape at the end of the pattern'],
    ['\\p', 'bad escape \\p'],
    ['\\Qa\\E', 'bad escape \\Q'],
    ['[\\A]', 'bad escape \\A'],
    ['\\x4', 'incomplete escape \\x'],
    ['\\777', 'octal escape outside of 0 to 0o377'],
    ['a(?i)b', 'global flags not at the start of the expression'],
    ['(a|(?i)b)', 'global flags not at the start of the expression'],
    ['(?P<1>a)', 'bad group name'],
    ['(?P<a>a)(?P<a>b)', 'group name used twice'],
  ];
  for (const [source, message] of rows) {
    test(`${JSON.stringify(source)}: ${message}`, () => {
      assert.throws(
        () => regexes.read(source, 'whole'),
        (error) => error instanceof RegexError && error.message === message && !error.tooLarge,
      );
    });
  }

  const large = [
    '((a{1000}){1000})',
    '(((a{99}){99}){99})',
    'a'.repeat(20_001),
    'a'.repeat(40_000),
    '(){100000}',
    '((){10000}){10000}',
    'a{999999999}',
  ];
  large.push('a{0,99999}', `a{${'9'.repeat(400)}}`, `(){${'9'.repeat(400)},}`, '('.repeat(1_000), `${'('.repeat(251)}${')'.repeat(251)}`);
  for (const source of large) {
    test(`${JSON.stringify(source.slice(0, 30))}, ${source.length} characters, at once, as too large`, () => {
      assert.throws(
        () => regexes.read(source, 'whole'),
        (error) => error instanceof RegexError && error.tooLarge,
      );
    });
  }
});

describe('a hostile regex', () => {
  const long = ab(100_000);
  const rows: [source: string, text: string, matches: boolean][] = [
    ['(a+)+', `${'a'.repeat(100_000)}b`, false],
    ['(x+x+)+y', 'x'.repeat(100_000), false],
    ['(a|a)*b', 'a'.repeat(100_000), false],
    ['(.*)(.*)(.*)(.*)(.*)[^ab]', long, false],
    ['(?:.*[ab]){200}', long, true],
    ['.*a.{200}b.*c', long, false],
    ['.*(a|b)*a(a|b){14}c', long, false],
    ['(?:a?){300}a{300}', 'a'.repeat(300), true],
    ['(?:.*a){500}c', ab(20_000), false],
    ['.*\\b.*\\B.*\\b.*x', `${long} `.repeat(3), false],
  ];
  for (const [source, text, matches] of rows) {
    test(`${source} pauses often on a URL of ${text.length} characters, and is answered`, (t) => {
      const { count, value, longestMs } = countSteps(createRegexes().read(source, 'whole').match(text));
      assert.equal(value, matches);
      if (text.length > 1_000) assert.ok(count > text.length / 20_000, `${count} steps`);
      t.diagnostic(`${count} steps, the longest ${longestMs.toFixed(1)} ms`);
    });
  }
});

describe('matching', () => {
  const source = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '\\w', '\\d', '1', '-', '\\b', '^', '$'),
      fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{2,}')).map(([node, q]) => `(?:${node})${q}`),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((nodes) => nodes.join('')),
      fc.array(tie('node'), { minLength: 2, maxLength: 3 }).map((nodes) => `(${nodes.join('|')})`),
    ),
  })).node;
  const text = fc.stringMatching(/^[abc1-]{0,5}$/);

  test('says the same as a backtracking engine, with a table and without', () => {
    fc.assert(
      fc.property(source, fc.array(text, { minLength: 1, maxLength: 5 }), (s, texts) => {
        const oracle = new RegExp(`^(?:${s})$`);
        const regex = createRegexes().read(s, 'whole');
        // Often enough that it is worth a table.
        for (let round = 0; round < 100; round++) {
          for (const t of texts) assert.equal(finish(regex.match(t)), oracle.test(t), JSON.stringify(t));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of several texts at once, step by step, does not mix them up', () => {
    // The first half remembers the length; the second is too much for a table.
    const regex = regexes.read('(?:[ab]{7})*c|.*a.{14}b.*d', 'whole');
    const texts = Array.from({ length: 7 }, (_, i) => `${ab(60_000 + i)}c`);
    const together = texts.map((text) => regex.match(text));
    const results: (boolean | undefined)[] = texts.map(() => undefined);
    while (results.includes(undefined)) {
      for (const [i, steps] of together.entries()) {
        if (results[i] !== undefined) continue;
        const next = steps.next();
        if (next.done) results[i] = next.value;
      }
    }
    assert.deepEqual(
      results,
      texts.map((text) => (text.length - 1) % 7 === 0),
    );
  });

  test('with a table still knows what stood before', () => {
    const regex = regexes.read('.*\\bfoo\\b.*', 'whole');
    for (let round = 0; round < 5; round++) {
      for (const before of ['a', ' ', '/', '_', '']) {
        const text = `${'b -'.repeat(1_000)}${before}foo${'-b '.repeat(10)}`;
        assert.equal(finish(regex.match(text)), !['a', '_'].includes(before), before);
      }
    }
  });

  test('goes on rightly when there is no room to keep programs and tables', () => {
    const small = createRegexes({ maxBytes: 10_000 });
    for (let i = 0; i < 2_000; i++) {
      const regex = small.read(`.*x${i % 50}(?:y|z)+.*`, 'whole');
      assert.equal(finish(regex.match(`aax${i % 50}zy${'b'.repeat(300)}`)), true);
      assert.equal(finish(regex.match(`aax${(i + 1) % 50}`)), false);
    }
  });
});

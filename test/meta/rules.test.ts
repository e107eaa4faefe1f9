import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRegexes } from '../../src/regex/regex.ts';
import { firstMatch, rawRule, readRule, ruleMatches } from '../../src/meta/rules.ts';
import { timeSlices } from '../../src/util/slices.ts';
import { countTurns, metaError, tickingClock } from './support.ts';

const regexes = createRegexes();
const rule = (raw: object): ReturnType<typeof readRule> => readRule(raw, 'blocks[0]', regexes);

/** [rule, URLs that it matches, URLs that it does not]. Checked against urlcanon's MatchRule but where it says so. */
const RULES: [raw: object, matching: string[], others: string[]][] = [
  [
    { domain: 'example.com' },
    ['http://example.com/', 'https://a.b.example.com:81/x', 'http://EXAMPLE.com./'],
    ['http://notexample.com/', 'http://example.com.org/', 'http://com/'],
  ],
  [{ domain: 'com' }, ['http://example.com/'], ['http://example.org/']],
  [{ domain: 'example.com', exact: true }, ['http://example.com/a'], ['http://www.example.com/']],
  [{ domain: '192.168.1.1' }, ['http://192.168.1.1/', 'http://0xc0a80101/'], ['http://1.192.168.1.1/', 'http://192.168.1.10/']],
  [{ domain: '1.1' }, ['http://1.0.0.1/'], ['http://192.168.1.1/']],
  [{ domain: '[::1]' }, ['http://[0::1]:80/'], ['http://[::2]/']],
  // Beyond urlcanon, which compares the rule's domain as it is written.
  [{ domain: 'Bücher.DE.' }, ['http://www.xn--bcher-kva.de/'], ['http://de/']],
  [{ domain: 'example.com' }, [], ['screenshot:http://example.com/', 'mailto:a@example.com']],
  [
    { surt: 'http://(com,woop,)/fuh/' },
    ['http://woop.com/fuh/', 'http://woop.com:80//fuh/x'],
    ['http://www.woop.com/fuh/', 'https://woop.com/fuh/', 'http://woop.com/fuh'],
  ],
  [{ surt: 'http://(com,woop,' }, ['http://www.woop.com/fuh/', 'http://woop.com/'], ['http://woops.com/']],
  [{ surt: 'http://(com,woop,)/fuh/', exact: true }, ['http://woop.com/fuh/#x'], ['http://woop.com/fuh/x']],
  [
    { ssurt: 'com,example,//http:/' },
    ['http://example.com/', 'http://u:p@example.com/a'],
    ['https://example.com/', 'http://www.example.com/', 'http://example.com:81/'],
  ],
  [{ ssurt: 'com,example,' }, ['https://www.example.com:81/'], ['http://example.org/']],
  [{ ssurt: 'com,example,//http:/a', exact: true }, ['http://example.com/a'], ['http://example.com/ab']],
  [{ substring: 'wp-login.php?action=logout' }, ['http://x.us/wp-login.php?action=logout&z'], ['http://x.us/wp-login.php?z&action=logoff']],
  [{ substring: '?a=1&b=2' }, ['http://x/?b=2&a=1'], ['http://x/?b=2']],
  [{ substring: '#' }, [], ['http://x/#']],
  [{ domain: 'malware.us', substring: 'x' }, ['http://malware.us/x'], ['http://malware.us/', 'http://x.org/x']],
  [
    { regex: 'https?://(www.)?youtube.com/watch.*' },
    ['https://youtube.com/watch?v=1', 'HTTPS://WWW.youtube.com:443/watch'],
    ['https://youtube.com/', 'x:https://youtube.com/watch'],
  ],
  [{ regex: '^http://example.com/$' }, ['http://example.com', 'http://example.com/#x'], ['http://example.com/x']],
  // Beyond urlcanon, where only the last alternative reaches to the end.
  [{ regex: 'http://a/|http://b/' }, ['http://a/', 'http://b/'], ['http://a/x', 'http://b/x']],
  [{ regex: '.*%C3%A9.*' }, ['http://x/é', 'http://x/%c3%a9'], ['http://x/e']],
  [{ regex: '.*', domain: 'example.com' }, ['http://example.com/'], ['http://example.org/']],
  [{ url_match: 'REGEX_MATCH', value: 'http://a/.*' }, ['http://a/b'], ['http://b/']],
  [{ url_match: 'SURT_MATCH', value: 'http://(com,woop,)/' }, ['http://woop.com/x'], ['http://www.woop.com/']],
  [
    { url_match: 'STRING_MATCH', value: 'bar', domain: 'monkey.org' },
    ['http://monkey.org/bar'],
    ['http://monkey.org/', 'http://x.org/bar'],
  ],
  [{ domain: 'example.com', regex: null, surt: null, exact: null, url_match: null }, ['http://www.example.com/'], ['http://x/']],
];

describe('a rule', () => {
  for (const [raw, matching, others] of RULES) {
    test(`${JSON.stringify(raw)} matches the canonical URL`, () => {
      for (const url of matching) assert.equal(ruleMatches(rule(raw), url), true, url);
      for (const url of others) assert.equal(ruleMatches(rule(raw), url), false, url);
    });
  }

  test('with parent_url_regex matches only if the parent is known and matches, in its canonical form', () => {
    const raw = { domain: 'b.org', parent_url_regex: 'http://a.org/\\?x&y' };
    assert.equal(ruleMatches(rule(raw), 'http://b.org/', 'http://A.org?y&x#z'), true);
    assert.equal(ruleMatches(rule(raw), 'http://b.org/', 'http://a.org/?x&y&z'), false);
    assert.equal(ruleMatches(rule(raw), 'http://c.org/', 'http://a.org/?x&y'), false);
    assert.equal(ruleMatches(rule(raw), 'http://b.org/'), false);
    assert.equal(ruleMatches(rule({ parent_url_regex: '.*' }), 'http://b.org/'), false);
  });

  test('keeps what the client wrote', () => {
    for (const raw of [
      { substring: 'b', domain: 'A.org' },
      { domain: 'a.org', exact: null, surt: null },
      { surt: 'x', exact: true },
      { regex: 'x' },
    ])
      assert.equal(rawRule(rule(raw)), raw);
  });
});

describe('a rule that is not understood', () => {
  const W = 'Warcprox-Meta: blocks[0]';
  const KNOWN = 'domain, surt, ssurt, substring, regex, parent_url_regex, url_match, value or exact';
  const rows: [raw: unknown, code: Parameters<typeof metaError>[0], message: string][] = [
    ['x', 'type', `${W}: expected a URL match rule, an object, got "x"`],
    [null, 'type', `${W}: expected a URL match rule, an object, got null`],
    [[], 'type', `${W}: expected a URL match rule, an object, got a list of 0`],
    [{}, 'value', `${W}: expected a rule with a condition, got an object`],
    [{ exact: true }, 'value', `${W}: expected a rule with a condition, got an object`],
    [{ domain: null }, 'value', `${W}: expected a rule with a condition, got an object`],
    [{ domain: 'x', path: '/' }, 'value', `${W}: expected only ${KNOWN}, got "path"`],
    [JSON.parse('{"domain":"x","__proto__":{"surt":"y"}}'), 'value', `${W}: expected only ${KNOWN}, got "__proto__"`],
    [{ constructor: 'x' }, 'value', `${W}: expected only ${KNOWN}, got "constructor"`],
    [{ domain: 5 }, 'type', `${W}.domain: expected a string, not empty, got 5`],
    [{ surt: '' }, 'type', `${W}.surt: expected a string, not empty, got ""`],
    [{ ssurt: ['x'] }, 'type', `${W}.ssurt: expected a string, not empty, got a list of 1`],
    [{ domain: 'x', exact: 1 }, 'type', `${W}.exact: expected true or false, got 1`],
    [{ regex: '(' }, 'regex', `${W}.regex: missing ), unterminated subpattern, got "("`],
    [{ domain: 'x', parent_url_regex: '(?=a)' }, 'regex', `${W}.parent_url_regex: look-ahead is not supported, got "(?=a)"`],
    [
      { regex: '((a{1000}){1000})' },
      'too-large',
      `${W}.regex: regex too large, expected at most 20000 steps with all its repetitions, got "((a{1000}){1000})"`,
    ],
    [{ url_match: 'REGEX_MATCH', value: '[' }, 'regex', `${W}.value: unterminated character set, got "["`],
    [{ url_match: 'SURT', value: 'x' }, 'value', `${W}.url_match: expected REGEX_MATCH, SURT_MATCH, STRING_MATCH, got "SURT"`],
    [{ url_match: 'toString', value: 'x' }, 'value', `${W}.url_match: expected REGEX_MATCH, SURT_MATCH, STRING_MATCH, got "toString"`],
    [{ url_match: 'SURT_MATCH' }, 'value', `${W}.value: expected what SURT_MATCH is to match`],
    [{ domain: 'x', value: 'y' }, 'value', `${W}.value: expected only together with url_match, got "y"`],
    [{ url_match: 'SURT_MATCH', value: 'x', surt: 'y' }, 'value', `${W}.surt: expected not to be there besides SURT_MATCH, got "y"`],
  ];
  for (const [raw, code, message] of rows) {
    test(message, () => assert.throws(() => readRule(raw, 'blocks[0]', regexes), metaError(code, message)));
  }
});

describe('a list of rules', () => {
  const rules = [{ domain: 'a.org' }, { regex: '.*b.*' }, { substring: 'b' }].map(rule);

  test('gives the first that matches, at once', () => {
    const slices = timeSlices({ now: () => 0 });
    assert.equal(firstMatch(rules, 'http://b.org/', undefined, slices), rules[1]);
    assert.equal(firstMatch(rules, 'http://a.org/b', undefined, slices), rules[0]);
    assert.equal(firstMatch(rules, 'http://c.org/', undefined, slices), undefined);
    assert.equal(firstMatch([], 'http://c.org/', undefined, slices), undefined);
  });

  test('of ten thousand rules is gone through in turns of the event loop', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => rule({ regex: `.*site${i}x.*` }));
    const result = firstMatch(many, 'http://site9999x/', undefined, timeSlices({ now: tickingClock(0.1) }));
    assert.ok(result instanceof Promise);
    const { turns, value } = await countTurns(result);
    assert.equal(value, many[9_999]);
    assert.ok(turns > 20, `${turns} turns`);
  });

  test('that takes too long refuses the URL instead of letting it pass', async () => {
    const slow = [rule({ regex: '(?:.*a){5000}b' }), rule({ domain: 'x' })];
    // A hundred times as fast as time passes.
    const slices = timeSlices({ now: () => performance.now() * 100 });
    await assert.rejects(
      async () => firstMatch(slow, `http://x/${'a'.repeat(100_000)}`, undefined, slices),
      metaError('too-large', 'Warcprox-Meta: blocks: regexes too large for a URL of 100009 characters'),
    );
  });

  test('that is hostile lets others have a turn within 50 ms', async () => {
    const slices = timeSlices();
    const slow = [rule({ regex: '(?:.*a){1000}b' }), rule({ regex: '.*a.{300}b.*c' })];
    const url = `http://x/${'ab'.repeat(5_000)}`;
    const waits: number[] = [];
    let before = performance.now();
    const all = Array.from({ length: 5 }, () => Promise.resolve(firstMatch(slow, url, undefined, slices)));
    await countTurns(Promise.all(all), () => {
      waits.push(performance.now() - before);
      before = performance.now();
    });
    waits.sort((a, b) => a - b);
    assert.ok(waits.length > 20, `${waits.length} turns`);
    // Some turns may be held up by garbage collection or a busy machine; most are not.
    const usual = waits[Math.floor(waits.length * 0.8)] ?? 0;
    assert.ok(usual < 50, `${usual} ms`);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { MetaError } from '../../src/meta/errors.ts';
import { NO_META } from '../../src/meta/meta.ts';
import { parseMeta, parseSteps } from '../../src/meta/parse.ts';
import { createRegexes } from '../../src/regex/regex.ts';
import { rawRule, ruleMatches } from '../../src/meta/rules.ts';
import { SEED } from '../support/seed.ts';

fc.configureGlobal({ seed: SEED });
import { countSteps, metaError, parse, wire } from './support.ts';

/** All of them: docs/api.md, Warcprox-Meta. */
const META_FIELDS = [
  ...['warc-prefix', 'dedup-bucket', 'captures-bucket', 'dedup-buckets', 'dedup-ok', 'stats', 'limits', 'soft-limits', 'blocks'],
  ...['compressed_blocks', 'mime-type-filters', 'accept', 'metadata'],
];

const packed = (text: string): string => deflateSync(text).toString('base64');

describe('a value', () => {
  test('without any field is as good as none', () => assert.deepEqual(parse({}), { ...NO_META, size: 2 }));

  for (const name of META_FIELDS) {
    test(`whose ${name} is null is as good as one without it`, () => {
      const raw = { [name]: null };
      assert.deepEqual(parse(raw), { ...NO_META, raw, size: JSON.stringify(raw).length });
    });
  }

  test('keeps unknown fields for plugins', () => {
    assert.deepEqual(parse('{"x":{"y":[1]},"__proto__":{"z":1}}').raw, JSON.parse('{"x":{"y":[1]},"__proto__":{"z":1}}'));
    assert.equal(({} as Record<string, unknown>).z, undefined);
  });

  test('is UTF-8, or Latin-1 where it is not', () => {
    assert.equal(parseMeta('{"warc-prefix":"b\xc3\xbccher"}').warcPrefix, 'bücher');
    assert.equal(parseMeta('{"warc-prefix":"b\xfccher"}').warcPrefix, 'bücher');
  });

  const fields: [value: string, field: keyof typeof NO_META, expected: unknown][] = [
    ['{"warc-prefix":"special-warc"}', 'warcPrefix', 'special-warc'],
    ['{"warc-prefix":"-"}', 'warcPrefix', '-'],
    ['{"warc-prefix":"..a"}', 'warcPrefix', '..a'],
    ['{"warc-prefix":"1","warc-prefix":"2"}', 'warcPrefix', '2'],
    ['{"dedup-bucket":"b"}', 'dedupBuckets', [{ name: 'b', mode: 'rw' }]],
    ['{"captures-bucket":"b"}', 'dedupBuckets', [{ name: 'b', mode: 'rw' }]],
    ['{"captures-bucket":"b","dedup-buckets":{"c":"ro"},"dedup-bucket":"a"}', 'dedupBuckets', [{ name: 'a', mode: 'rw' }]],
    ['{"dedup-buckets":{}}', 'dedupBuckets', []],
    [
      '{"dedup-buckets":{"b":"rw","10":"ro","9":"rw","":"ro"}}',
      'dedupBuckets',
      [
        { name: 'b', mode: 'rw' },
        { name: '10', mode: 'ro' },
        { name: '9', mode: 'rw' },
        { name: '', mode: 'ro' },
      ],
    ],
    [
      '{"dedup-buckets":{"a":"","b":null,"c":"w","d":5,"e":"ro","f":"RO"}}',
      'dedupBuckets',
      ['a', 'b', 'c', 'd'].map((name) => ({ name, mode: 'rw' })).concat({ name: 'e', mode: 'ro' }, { name: 'f', mode: 'rw' }),
    ],
    ['{"warc-prefix":""}', 'warcPrefix', undefined],
    ['{"dedup-bucket":null,"captures-bucket":"b"}', 'dedupBuckets', [{ name: 'b', mode: 'rw' }]],
    ['{"accept":"capture-metadata"}', 'acceptsCaptureMetadata', true],
    ['{"stats":{"buckets":null}}', 'statsBuckets', []],
    ['{"limits":{"a/total/urls":null}}', 'limits', []],
    ['{"compressed_blocks":null,"blocks":[]}', 'blocks', []],
    ...(['10', ' +10 ', '10.0'] as const).map((text): [string, 'softLimits', unknown] => [
      JSON.stringify({ 'soft-limits': { 'a/total/urls': text } }),
      'softLimits',
      [{ bucket: 'a', normalBucket: 'a', subBucket: 'total', statistic: 'urls', value: 10 }],
    ]),
    ['{"dedup-ok":false}', 'dedupOk', false],
    ['{"dedup-ok":true}', 'dedupOk', true],
    ['{"accept":["x","capture-metadata"]}', 'acceptsCaptureMetadata', true],
    ['{"accept":["x",5,null]}', 'acceptsCaptureMetadata', false],
    [
      '{"metadata":{"seed":"s","hop_path":"B","brozzled_url":5,"hop_via_url":null,"constructor":1}}',
      'metadata',
      { seed: 's', hopPath: 'B', brozzledUrl: undefined, hopViaUrl: undefined, jobId: undefined },
    ],
    [
      '{"limits":{"a:B.org/total/urls":10}}',
      'limits',
      [{ bucket: 'a:B.org', normalBucket: 'a:b.org', subBucket: 'total', statistic: 'urls', value: 10 }],
    ],
    [
      '{"soft-limits":{"a/new/wire_bytes":1.5}}',
      'softLimits',
      [{ bucket: 'a', normalBucket: 'a', subBucket: 'new', statistic: 'wire_bytes', value: 1.5 }],
    ],
  ];
  for (const [value, field, expected] of fields) {
    test(`${value}: ${field} is ${JSON.stringify(expected)}`, () => assert.deepEqual(parse(value)[field], expected));
  }

  test('gives blocks and filters in order', () => {
    const { blocks, mimeTypeFilters } = parse({
      blocks: [{ domain: 'a' }, { regex: '.*b' }],
      'mime-type-filters': [
        { type: 'LIMIT', regex: 'a' },
        { type: 'REJECT', regex: 'b' },
      ],
    });
    assert.deepEqual(blocks.map(rawRule), [{ domain: 'a' }, { regex: '.*b' }]);
    assert.deepEqual(
      mimeTypeFilters.map(({ type, regex }) => [type, regex.source]),
      [
        ['LIMIT', 'a'],
        ['REJECT', 'b'],
      ],
    );
  });

  test('with compressed_blocks ignores blocks', () => {
    const { blocks } = parse({ blocks: [{ domain: 'a' }], compressed_blocks: packed('[{"domain":"bücher.de"}]') });
    assert.deepEqual(blocks.map(rawRule), [{ domain: 'bücher.de' }]);
  });
});

describe('a malformed value is refused with a line that names the field', () => {
  const W = 'Warcprox-Meta';
  const PREFIX = `${W}: warc-prefix: expected no slash, backslash, control or invisible character, got`;
  const rows: [value: unknown, code: Parameters<typeof metaError>[0], message: string][] = [
    ['', 'syntax', `${W}: expected JSON, got ""`],
    ['{', 'syntax', `${W}: expected JSON, got "{"`],
    ['{}, {}', 'syntax', `${W}: expected JSON, got "{}, {}"`],
    ["{'a':1}", 'syntax', `${W}: expected JSON, got "{'a':1}"`],
    ['{"limits":{"a/total/urls":NaN}}', 'syntax', `${W}: expected JSON, got "{\\"limits\\":{\\"a/total/urls\\":NaN}}"`],
    ['null', 'syntax', `${W}: expected a JSON object, got null`],
    ['5', 'syntax', `${W}: expected a JSON object, got 5`],
    ['[]', 'syntax', `${W}: expected a JSON object, got a list of 0`],
    [`{"x":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 'too-large', `${W}: nested too deeply`],
    [{ 'warc-prefix': 5 }, 'type', `${W}: warc-prefix: expected a string, got 5`],
    [{ 'warc-prefix': '.' }, 'value', `${W}: warc-prefix: expected a part of a file name, got "."`],
    [{ 'warc-prefix': '..' }, 'value', `${W}: warc-prefix: expected a part of a file name, got ".."`],
    [{ 'warc-prefix': 'a/b' }, 'value', `${PREFIX} "a/b"`],
    [{ 'warc-prefix': '..\\b' }, 'value', `${PREFIX} "..\\\\b"`],
    [{ 'warc-prefix': 'a\0' }, 'value', `${PREFIX} "a\\u0000"`],
    [{ 'warc-prefix': 'a\n' }, 'value', `${PREFIX} "a\\n"`],
    [{ 'warc-prefix': 'a\x7f' }, 'value', `${PREFIX} "a\\u007f"`],
    [{ 'warc-prefix': 'a\u2028' }, 'value', `${PREFIX} "a\\u2028"`],
    [{ 'warc-prefix': 'a\u202eb' }, 'value', `${PREFIX} "a\\u202eb"`],
    ['{"warc-prefix":"\\ud800"}', 'value', `${PREFIX} "\\ud800"`],
    [{ 'warc-prefix': 'é'.repeat(65) }, 'too-large', `${W}: warc-prefix: expected at most 128 bytes, got "${'\\u00e9'.repeat(59)}\\u2026`],
    [{ 'dedup-bucket': {} }, 'type', `${W}: dedup-bucket: expected a string, got an object`],
    [{ 'captures-bucket': 1 }, 'type', `${W}: captures-bucket: expected a string, got 1`],
    [{ 'dedup-bucket': 'a', 'captures-bucket': 1 }, 'type', `${W}: captures-bucket: expected a string, got 1`],
    [{ 'dedup-buckets': 'a' }, 'type', `${W}: dedup-buckets: expected an object, got "a"`],
    [{ 'dedup-buckets': ['a'] }, 'type', `${W}: dedup-buckets: expected an object, got a list of 1`],
    [{ 'dedup-ok': 'false' }, 'type', `${W}: dedup-ok: expected true or false, got "false"`],
    [{ stats: [] }, 'type', `${W}: stats: expected an object, got a list of 0`],
    [
      { 'dedup-buckets': Object.fromEntries(Array.from({ length: 1001 }, (_, nth) => [`b${nth}`, 'rw'])) },
      'too-large',
      `${W}: dedup-buckets: expected at most 1000, got 1001`,
    ],
    [
      { stats: { buckets: Array.from({ length: 1001 }, (_, nth) => `b${nth}`) } },
      'too-large',
      `${W}: stats.buckets: expected at most 1000 buckets and tally-domains together, got 1001`,
    ],
    [
      { stats: { buckets: ['a', { bucket: 'b', 'tally-domains': Array.from({ length: 999 }, (_, nth) => `d${nth}`) }] } },
      'too-large',
      `${W}: stats.buckets: expected at most 1000 buckets and tally-domains together, got 1001`,
    ],
    [
      { stats: { buckets: ['a', 'b'.repeat(1025)] } },
      'too-large',
      `${W}: stats.buckets[1]: expected at most 1024 characters, got "${'b'.repeat(59)}\\u2026`,
    ],
    [{ stats: { buckets: 'a' } }, 'type', `${W}: stats.buckets: expected a list, got "a"`],
    [{ limits: [] }, 'type', `${W}: limits: expected an object, got a list of 0`],
    [{ limits: { a: 1 } }, 'value', `${W}: limits: expected keys such as "bucket/total/urls", got "a"`],
    [{ limits: { 'a/urls': 1 } }, 'value', `${W}: limits: expected keys such as "bucket/total/urls", got "a/urls"`],
    ['{"limits":{"__proto__":1}}', 'value', `${W}: limits: expected keys such as "bucket/total/urls", got "__proto__"`],
    [{ limits: { 'a/total/urls': 'ten' } }, 'type', `${W}: limits["a/total/urls"]: expected a number, got "ten"`],
    [{ limits: { 'a/total/urls': '' } }, 'type', `${W}: limits["a/total/urls"]: expected a number, got ""`],
    [{ limits: { 'a/total/urls': '0x10' } }, 'type', `${W}: limits["a/total/urls"]: expected a number, got "0x10"`],
    [{ 'soft-limits': { 'a/total/urls': true } }, 'type', `${W}: soft-limits["a/total/urls"]: expected a number, got true`],
    [{ 'soft-limits': 5 }, 'type', `${W}: soft-limits: expected an object, got 5`],
    [{ blocks: {} }, 'type', `${W}: blocks: expected a list of rules, got an object`],
    [{ blocks: [{ domain: 'x' }, {}] }, 'value', `${W}: blocks[1]: expected a rule with a condition, got an object`],
    [{ blocks: [{ regex: '(' }] }, 'regex', `${W}: blocks[0].regex: missing ), unterminated subpattern, got "("`],
    [{ compressed_blocks: [] }, 'type', `${W}: compressed_blocks: expected a string of Base64, got a list of 0`],
    [{ compressed_blocks: 'a-b=' }, 'value', `${W}: compressed_blocks: expected Base64, got "a-b="`],
    [{ compressed_blocks: 'abc' }, 'value', `${W}: compressed_blocks: expected Base64, got "abc"`],
    [{ compressed_blocks: '' }, 'value', `${W}: compressed_blocks: expected zlib data in Base64, got ""`],
    [{ compressed_blocks: 'AAAA' }, 'value', `${W}: compressed_blocks: expected zlib data in Base64, got "AAAA"`],
    [
      { compressed_blocks: packed('[]').slice(0, 8) },
      'value',
      `${W}: compressed_blocks: expected zlib data in Base64, got "${packed('[]').slice(0, 8)}"`,
    ],
    [{ compressed_blocks: packed('[{') }, 'value', `${W}: compressed_blocks: expected JSON in it, got "[{"`],
    [{ compressed_blocks: packed('{}') }, 'type', `${W}: compressed_blocks: expected a list of rules, got an object`],
    [{ compressed_blocks: packed('[5]') }, 'type', `${W}: compressed_blocks[0]: expected a URL match rule, an object, got 5`],
    [
      { compressed_blocks: packed(`[${'{"domain":"a"},'.repeat(200_000)}{"domain":"a"}]`) },
      'too-large',
      `${W}: compressed_blocks: expected at most 200000 rules, got 200001`,
    ],
    [
      { compressed_blocks: packed(JSON.stringify([{ substring: 'x'.repeat(300_000) }])) },
      'too-large',
      `${W}: compressed_blocks: expected rules of at most 262144 bytes`,
    ],
    [{ compressed_blocks: packed('['.repeat(10_000)) }, 'too-large', `${W}: compressed_blocks: nested too deeply`],
    [
      { compressed_blocks: packed(' '.repeat(50e6)) },
      'too-large',
      `${W}: compressed_blocks: expected at most 8388608 bytes when decompressed`,
    ],
    [{ 'mime-type-filters': {} }, 'type', `${W}: mime-type-filters: expected a list, got an object`],
    [{ 'mime-type-filters': [{ type: 'LIMIT' }] }, 'type', `${W}: mime-type-filters[0].regex: expected a string, got null`],
    [{ accept: {} }, 'type', `${W}: accept: expected a list, got an object`],
    [{ metadata: 'x' }, 'type', `${W}: metadata: expected an object, got "x"`],
  ];
  for (const [value, code, message] of rows) test(message, () => assert.throws(() => parse(value), metaError(code, message)));
});

describe('any value', () => {
  const names = [...META_FIELDS, '__proto__'];
  const inner = [
    'buckets',
    'bucket',
    'tally-domains',
    'domain',
    'surt',
    'regex',
    'url_match',
    'value',
    'exact',
    'type',
    'a/total/urls',
    'constructor',
  ];
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('rw', 'LIMIT', 'SURT_MATCH', '(a|b)*'),
  );
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...inner), tie('node'), { maxKeys: 3 }),
    ),
  }));
  const value = fc.oneof(
    fc.dictionary(fc.constantFrom(...names), node, { maxKeys: 4 }).map((v) => wire(JSON.stringify(v))),
    fc.json(),
    fc.string({ unit: 'binary' }).map(wire),
  );

  test('is understood, or refused with a MetaError of one printable line', () => {
    fc.assert(
      fc.property(value, (v) => {
        try {
          const meta = parseMeta(v);
          for (const rule of meta.blocks) ruleMatches(rule, 'http://example.com/');
        } catch (error) {
          assert.ok(error instanceof MetaError, String(error));
          assert.match(error.message, /^[ -~]{1,400}$/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a value of megabytes', () => {
  test('of characters in an unknown field is read', () =>
    assert.equal(parse({ x: 'é'.repeat(1e6), 'dedup-bucket': 'b' }).dedupBuckets.length, 1));

  test('of rules is read in many steps', () => {
    const value = JSON.stringify({
      blocks: Array.from({ length: 20_000 }, (_, i) => ({ domain: `site${i}.org`, regex: `.*/path${i}/.*` })),
    });
    assert.ok(value.length > 1e6);
    const { count, value: meta } = countSteps(parseSteps(value, createRegexes()));
    assert.equal(meta.blocks.length, 20_000);
    assert.ok(count > 500, `${count} steps`);
  });

  test('that is no JSON is shown shortened', () => {
    assert.throws(() => parse('x'.repeat(4e6)), metaError('syntax', `Warcprox-Meta: expected JSON, got "${'x'.repeat(59)}\\u2026`));
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_FIELDS, parseFields, parseFieldsLeniently } from '../../src/http1/fields.ts';
import { refusal } from './read.ts';

const HEADS = [
  'Host: example.com\r\naccept:*/*\r\nX-UPPER:  two spaces \t\r\nx-upper: again\r\n',
  'Empty:\r\nBlank: \t \r\nLatin: na\xefve \xff\r\nColons: a:b::c\r\nTab: a\tb\r\nComma: ,,\r\n',
  "!#$%&'*+-.^_`|~: every sign of a token\r\n1: digit\r\n",
];

for (const [how, parse] of [
  ['strictly', parseFields],
  ['leniently', parseFieldsLeniently],
] as const) {
  describe(`fields read ${how}`, () => {
    test('keep their exact bytes, order, case and duplicates', () => {
      for (const head of HEADS) {
        const { list } = parse(`${head}\r\n`, 0);
        assert.equal(list.map((field) => field.line).join(''), head);
        assert.ok(list.every((field) => field.exact));
      }
      assert.deepEqual(
        parse(`${HEADS[0]!}\r\n`, 0).list.map(({ name, key, value }) => [name, key, value]),
        [
          ['Host', 'host', 'example.com'],
          ['accept', 'accept', '*/*'],
          ['X-UPPER', 'x-upper', 'two spaces'],
          ['x-upper', 'x-upper', 'again'],
        ],
      );
    });

    test('have values of Latin-1, empty ones and ones with colons', () => {
      const fields = parse(`${HEADS[1]!}\r\n`, 0);
      assert.deepEqual(
        fields.list.map((field) => field.value),
        ['', '', 'na\xefve \xff', 'a:b::c', 'a\tb', ',,'],
      );
    });

    test('are found by their name in lower case', () => {
      const fields = parse('A: 1\r\nb: X, ,\t y,\r\na: 2\r\nB: Z\r\nC:\r\n\r\n', 0);
      assert.equal(fields.get('a'), '1');
      assert.equal(fields.get('c'), '');
      assert.equal(fields.get('d'), undefined);
      assert.deepEqual([fields.has('c'), fields.has('d')], [true, false]);
      assert.deepEqual(fields.all('a'), ['1', '2']);
      assert.deepEqual(fields.members('b'), ['x', 'y', 'z']);
    });

    test('begin where the first line of the head has ended', () => {
      assert.deepEqual(
        parse('skipped: 1\r\nA: 2\r\n\r\n', 12).list.map((field) => field.name),
        ['A'],
      );
    });

    test('may be 2,000, and one may have a value of 300 kB', () => {
      const head = Array.from({ length: 2000 }, (_, i) => `Field-${i}: value ${i}\r\n`).join('');
      const { list } = parse(`${head}\r\n`, 0);
      assert.equal(list.map((field) => field.line).join(''), head);
      assert.equal(list[1999]!.value, 'value 1999');
      const value = 'v\xe9'.repeat(150_000);
      assert.equal(parse(`A: ${value}\r\n\r\n`, 0).get('a'), value);
    });

    test(`may be ${MAX_FIELDS}, not one more`, () => {
      assert.equal(MAX_FIELDS, 7000);
      assert.equal(parse(`${'A: b\r\n'.repeat(7000)}\r\n`, 0).list.length, 7000);
      assert.throws(() => parse(`${'A: b\r\n'.repeat(7001)}\r\n`, 0), refusal('more than 7000 header fields', 'too-large'));
    });
  });
}

describe('a field that only the lenient reading accepts', () => {
  /** what came, what the strict reading says, and name and values that the lenient one finds */
  const cases: [what: string, line: string, strictly: string, leniently: [string, string][]][] = [
    ['ends with a bare LF', 'A: b\n', 'LF without CR at the end of a header field: "A: b"', [['A', 'b']]],
    ['has a space before its colon', 'A : b\r\n', 'white space before the colon of a header field: "A : b"', [['A', 'b']]],
    ['has a tab before its colon', 'A\t:b\r\n', 'white space before the colon of a header field: "A\\t:b"', [['A', 'b']]],
    ['has a CR in its value', 'A: b\rC: d\r\n', 'CR without LF in header field: "A: b\\rC: d"', [['A', 'b C: d']]],
    ['has a CR at its end', 'A: b\r\r\n', 'CR without LF in header field: "A: b\\r"', [['A', 'b']]],
    ['has a NUL in its value', 'A: \0b\0c\r\n', 'control character in header field: "A: \\u0000b\\u0000c"', [['A', 'b c']]],
    [
      'has a control character in its value',
      'A: b\x01\x0b\r\n',
      'control character in header field: "A: b\\u0001\\u000b"',
      [['A', 'b\x01\x0b']],
    ],
    ['has DEL in its value', 'A: \x7f\r\n', 'control character in header field: "A: \\u007f"', [['A', '\x7f']]],
    ['has no colon', 'nothing\r\n', 'header field without a colon: "nothing"', []],
    ['has no name', ': b\r\n', 'invalid name of a header field: ": b"', []],
    ['has a name that is not a token', 'A(b): c\r\n', 'invalid name of a header field: "A(b): c"', []],
    ['has a name beyond ASCII', '\xa0A: c\r\n', 'invalid name of a header field: "\xa0A: c"', []],
    ['has a space in its name', 'A b: c\r\n', 'invalid name of a header field: "A b: c"', []],
    ['has a CR in its name', 'A\rB: c\r\n', 'CR without LF in header field: "A\\rB: c"', []],
    ['has a control character in its name', 'A\x01: c\r\n', 'control character in header field: "A\\u0001: c"', []],
  ];
  for (const [what, line, strictly, leniently] of cases) {
    test(`${what}: ${leniently.length === 0 ? 'skipped' : 'read'}, between others too`, () => {
      for (const before of ['', 'Before: 1\r\n']) {
        const text = `${before}${line}After: 2\r\n\r\n`;
        assert.throws(() => parseFields(text, 0), refusal(strictly));
        const { list } = parseFieldsLeniently(text, 0);
        assert.deepEqual(
          list.map(({ name, value }) => [name, value]),
          [...(before === '' ? [] : [['Before', '1']]), ...leniently, ['After', '2']],
        );
        for (const field of list) assert.equal(field.exact, field.name !== 'A');
        for (const field of list) if (field.name === 'A') assert.equal(field.line, line);
      }
    });
  }

  test('is folded: its lines are one value, joined by single spaces', () => {
    const text = 'A: b\r\n c\r\n\t  d \n \r\n e\r\nB:\r\n  f\r\nC: g\r\n\r\n';
    assert.throws(() => parseFields(text, 0), refusal('folded header field: " c"'));
    const { list } = parseFieldsLeniently(text, 0);
    assert.deepEqual(
      list.map(({ name, value, exact }) => [name, value, exact]),
      [
        ['A', 'b c d e', false],
        ['B', 'f', false],
        ['C', 'g', true],
      ],
    );
    assert.equal(list.map((field) => field.line).join('') + '\r\n', text);
  });

  test('is folded without anything to continue: skipped', () => {
    assert.throws(() => parseFields(' a: b\r\nC: d\r\n\r\n', 0), refusal('folded header field: " a: b"'));
    assert.deepEqual(
      parseFieldsLeniently(' a: b\r\nC: d\r\n\r\n', 0).list.map(({ name, value }) => [name, value]),
      [['C', 'd']],
    );
  });

  test('continues a line that is skipped: skipped with it', () => {
    const { list } = parseFieldsLeniently('A: b\r\n(c): d\r\n e\r\n\tf: g\r\nH: i\r\n\r\n', 0);
    assert.deepEqual(
      list.map(({ name, value }) => [name, value]),
      [
        ['A', 'b'],
        ['H', 'i'],
      ],
    );
  });

  test('is the empty line, ended by a bare LF', () => {
    assert.throws(() => parseFields('A: b\r\n\n', 0), refusal('LF without CR at the end of a header field: ""'));
    assert.deepEqual(
      parseFieldsLeniently('A: b\r\n\n', 0).list.map((field) => field.exact),
      [true],
    );
  });

  test('counts for the limit, what is skipped does not', () => {
    assert.throws(() => parseFieldsLeniently('A : b\r\n'.repeat(7001), 0), refusal('more than 7000 header fields', 'too-large'));
    assert.equal(parseFieldsLeniently(`${':\r\n'.repeat(10_000)}A: b\r\n${' x\r\n'.repeat(10_000)}\r\n`, 0).list.length, 1);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compactJson, headerText, isTooDeep, orderedEntries, own, spacedJson } from '../../src/meta/json.ts';
import { shown } from '../../src/meta/errors.ts';
import { SEED } from '../support/seed.ts';

fc.configureGlobal({ seed: SEED });

describe('text of a header', () => {
  test('is read as UTF-8 where it is that', () => assert.equal(headerText('b\xc3\xbccher \xf0\x9f\x98\x80'), 'bücher 😀'));
  test('stays Latin-1 where it is not', () => assert.equal(headerText('b\xfccher \xc3'), 'bücher Ã'));
});

describe('JSON for the wire', () => {
  const value = { b: [1, { x: true }, null], a: 'ü😀"\\\n\x7f', 'k é': {}, e: [] };
  test('is compact in a header, and ASCII', () => {
    assert.equal(compactJson(value), '{"b":[1,{"x":true},null],"a":"\\u00fc\\ud83d\\ude00\\"\\\\\\n\\u007f","k \\u00e9":{},"e":[]}');
  });
  test('has the spaces of json.dumps in a body, and is ASCII', () => {
    assert.equal(
      spacedJson(value),
      '{"b": [1, {"x": true}, null], "a": "\\u00fc\\ud83d\\ude00\\"\\\\\\n\\u007f", "k \\u00e9": {}, "e": []}',
    );
  });
  test('means the same either way', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (v) => {
        const plain = JSON.parse(JSON.stringify(v)) as unknown;
        for (const text of [compactJson(plain), spacedJson(plain)]) {
          assert.deepEqual(JSON.parse(text), plain);
          assert.match(text, /^[ -~]*$/);
        }
      }),
    );
  });
});

describe('entries in the order of the text', () => {
  const rows: [text: string, names: string[]][] = [
    ['{"d":{"b":1,"2":1,"a":1,"1":1}}', ['b', '2', 'a', '1']],
    ['{"d":{"2":1,"x":{"9":1,"3":2},"1":1}}', ['2', 'x', '1']],
    ['{"d":{"5":1,"4":1},"d":{"2":1,"1":1}}', ['2', '1']],
    ['{"e":{"7":1},"d" : {"2"\n: 1, "1" :1},"f":{"0":1}}', ['2', '1']],
    ['{"e":"{\\"d\\":{","d":{"2":"}\\\\","1":"\\"]"}}', ['2', '1']],
    ['{"\\u0064":{"\\u0032":1,"1":1,"2":3}}', ['2', '1']],
    ['{"x":["d",{"d":{"9":1,"8":1}}],"d":{"2":1,"1":1}}', ['2', '1']],
  ];
  for (const [text, names] of rows) {
    test(`${text} → ${names.join()}`, () => {
      const { d } = JSON.parse(text) as { d: Record<string, unknown> };
      assert.deepEqual(
        orderedEntries(text, 'd', d),
        names.map((name) => [name, d[name]]),
      );
    });
  }
});

describe('nesting', () => {
  test('of 500 is fine, of 501 too deep', () => {
    assert.equal(isTooDeep('['.repeat(500) + ']'.repeat(500)), false);
    assert.equal(isTooDeep('['.repeat(501) + ']'.repeat(501)), true);
    assert.equal(isTooDeep('{"a":'.repeat(501) + '1' + '}'.repeat(501)), true);
  });
  test('does not count within strings', () => assert.equal(isTooDeep(`{"a\\"":"${'[{\\"'.repeat(1_000)}"}`), false));
  test('of text that is no JSON ends, too', () => assert.equal(isTooDeep('"'.repeat(1_001)), false));
});

test('fields are an object’s own', () => {
  assert.equal(own({}, 'constructor'), undefined);
  assert.equal(own(JSON.parse('{"__proto__":1}') as Record<string, unknown>, '__proto__'), 1);
});

describe('what was found', () => {
  const rows: [found: unknown, text: string][] = [
    ['é\n', '"\\u00e9\\n"'],
    ['x'.repeat(1e6), `"${'x'.repeat(59)}\\u2026`],
    [{ a: 1 }, 'an object'],
    [[1, 2], 'a list of 2'],
    [null, 'null'],
    [1.5, '1.5'],
  ];
  for (const [found, text] of rows) test(`is shown as ${text}`, () => assert.equal(shown(found), text));
});

/** A long list read in groups is what JSON.parse makes of it, or is refused where that refuses it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseList } from '../../src/meta/json-list.ts';
import { countSteps } from './support.ts';

const MAX_MEMBER = 50_000;
const read = (text: string) => countSteps(parseList(Buffer.from(text), 'utf8', MAX_MEMBER));

/** Fill up the group before it, so that each of these begins one. */
const filler = JSON.stringify('x'.repeat(17_000));

const LISTS = [
  '[]',
  ' [ ] \n',
  '[1]',
  '["a,b]","\\"","\\\\",null]',
  '[{"a":[1,{"b":","}]},[[],{}],"}"]',
  `[${filler}]`,
  `[${filler},1,2]`,
  `["ä,€",${filler.replaceAll('xxx', 'x€')},"ü]"]`,
  `[${filler},[1,2],{"a":"]"},${filler} , ${filler} ]`,
  `[${Array.from({ length: 20_000 }, (_, nth) => `{"domain":"d${nth}.org","__proto__":{"x":${nth}}}`).join(',')}]`,
];

for (const text of LISTS) {
  test(`${text.length} characters: ${text.slice(0, 40)}`, () => assert.deepEqual(read(text).value, JSON.parse(text)));
}

const NO_JSON = [
  '[',
  '[1',
  '[1,]',
  '[,1]',
  '[1,,2]',
  '[1}',
  '[{]}',
  '[{],[}]',
  '[1]]',
  '[1] x',
  '["]',
  '["\\"]',
  `[${filler},]`,
  `[${filler},,1]`,
  `[,${filler}]`,
  `[${filler}${filler}]`,
  `[${filler},{"a":1},${filler}`,
];

for (const text of NO_JSON) {
  test(`no JSON, ${text.length} characters: ${text.slice(0, 20)} … ${text.slice(-5)}`, () => {
    assert.throws(() => JSON.parse(text) as unknown, SyntaxError);
    assert.throws(() => read(text), SyntaxError);
  });
}

test('what is no list, too deep, or has a member that is too long is told apart', () => {
  assert.equal(read('{"a":[]}').value, 'no list');
  assert.equal(read('').value, 'no list');
  assert.equal(read('['.repeat(600)).value, 'nested too deeply');
  assert.equal(read(`[1,"${'x'.repeat(200_000)}"]`).value, 'a member too long');
});

test('a megabyte takes many steps', () => {
  const text = JSON.stringify(Array.from({ length: 50_000 }, (_, nth) => ({ domain: `d${nth}` })));
  const { count } = read(text);
  assert.ok(count > text.length / 40_000, `${count} steps`);
});

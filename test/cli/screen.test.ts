/** The bytes that a terminal gets: lines that stay, and the live line below them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from '../../src/cli/screen.ts';

const ERASE = '\r\x1b[J';

function screen(columns?: number) {
  const writes: string[] = [];
  return { screen: new Screen({ write: (text) => writes.push(text) }, () => columns), writes: () => writes.splice(0) };
}

test('a line of the log is written as it is while there is no live line', () => {
  const { screen: it, writes } = screen();
  it.write('hello\n');
  assert.deepEqual(writes(), ['hello\n']);
});

test('the live line is erased before a line of the log and drawn again below it, in one write', () => {
  const { screen: it, writes } = screen();
  it.show('1 capture');
  assert.deepEqual(writes(), [`${ERASE}1 capture\r`]);
  it.write('hello\n');
  assert.deepEqual(writes(), [`${ERASE}hello\n1 capture\r`]);
  it.show('2 captures');
  assert.deepEqual(writes(), [`${ERASE}2 captures\r`]);
});

test('nothing is written where nothing changed', () => {
  const { screen: it, writes } = screen();
  it.show('');
  it.show('same');
  writes();
  it.show('same');
  assert.deepEqual(writes(), []);
});

test('an empty live line erases the last one, and lines stand alone again', () => {
  const { screen: it, writes } = screen();
  it.show('1 capture');
  it.show('');
  it.write('bye\n');
  assert.deepEqual(writes(), [`${ERASE}1 capture\r`, ERASE, 'bye\n']);
});

test('a live line that another program has written over is not erased', () => {
  const { screen: it, writes } = screen();
  it.show('1 capture');
  it.forget();
  it.write('hello\n');
  assert.deepEqual(writes().slice(1), ['hello\n']);
});

test('a terminal that does not know its width has 80 columns', () => {
  assert.deepEqual(
    [undefined, 0, 132].map((columns) => screen(columns).screen.columns),
    [80, 80, 132],
  );
});

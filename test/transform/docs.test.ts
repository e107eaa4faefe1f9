/** docs/transform.md has the variables as the code has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transformVariables } from '../../src/options/rows/transform.ts';
import { cells, read } from '../support/docs.ts';

test('every variable, with its default and meaning', () => {
  assert.deepEqual(
    cells(read('docs/transform.md'), 'variable', 'default', 'meaning'),
    transformVariables().map(([variable, stated, meaning]) => [`\`${variable}\``, stated, meaning]),
  );
});

/** The media type of a Content-Type. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTypeIn } from '../../src/http/media-type.ts';

test('the media type stands before parameters and white space, as it was written', () => {
  const cases: readonly (readonly [value: string | undefined, type: string])[] = [
    [undefined, ''],
    ['', ''],
    ['text/html', 'text/html'],
    ['Text/HTML; charset=utf-8', 'Text/HTML'],
    ['text/html;charset=utf-8', 'text/html'],
    ['text/html charset=utf-8', 'text/html'],
    ['text/html\tx', 'text/html'],
    ['; charset=utf-8', ''],
    ['caf\xe9/x;y', 'caf\xe9/x'],
  ];
  for (const [value, type] of cases) assert.equal(mediaTypeIn(value), type);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MimeTypeFilter } from '../../src/meta/meta.ts';
import { readMimeFilter, rejectsMimeType } from '../../src/meta/mime.ts';
import { createRegexes } from '../../src/regex/regex.ts';
import { timeSlices } from '../../src/util/slices.ts';
import { metaError } from './support.ts';

const regexes = createRegexes();
const filter = (type: string, regex: string): MimeTypeFilter => readMimeFilter({ type, regex }, 'f', regexes);

describe('MIME filters', () => {
  const image = filter('REJECT', 'image/.*');
  const text = filter('LIMIT', 'text/(html|plain)');
  const rows: [filters: MimeTypeFilter[], contentType: string | undefined, rejected: boolean][] = [
    [[], 'image/png', false],
    [[image], 'image/png', true],
    [[image], 'text/html', false],
    [[image], 'x-image/png', false],
    [[image], 'IMAGE/png', false],
    [[image], undefined, false],
    [[text], 'text/html;charset=utf-8', false],
    [[text], 'text/plainer', false],
    [[text], 'application/text/html', true],
    [[text], '', true],
    [[text], undefined, true],
    [[image, text], 'text/html', false],
    [[image, text], 'image/png', true],
    [[image, text], 'video/mp4', true],
    [[text, image], undefined, true],
    [[filter('REJECT', '')], 'x', true],
  ];
  for (const [filters, contentType, rejected] of rows) {
    const said = filters.map(({ type, regex }) => `${type} ${regex.source}`).join(', ');
    test(`[${said}] ${rejected ? 'reject' : 'let pass'} ${contentType ?? 'no Content-Type'}`, () => {
      assert.equal(rejectsMimeType(filters, contentType, timeSlices({ now: () => 0 })), rejected);
    });
  }

  test('take a Content-Type of a megabyte in turns', async () => {
    const slow = [filter('REJECT', '(?:.*a){300}b')];
    assert.equal(await rejectsMimeType(slow, 'a'.repeat(100_000), timeSlices({ sliceMs: 1 })), false);
  });

  const bad: [raw: unknown, code: Parameters<typeof metaError>[0], message: string][] = [
    ['x', 'type', 'Warcprox-Meta: f: expected a filter, an object, got "x"'],
    [{ regex: 'x' }, 'value', 'Warcprox-Meta: f.type: expected "REJECT" or "LIMIT", got null'],
    [{ type: 'reject', regex: 'x' }, 'value', 'Warcprox-Meta: f.type: expected "REJECT" or "LIMIT", got "reject"'],
    [{ type: 'LIMIT' }, 'type', 'Warcprox-Meta: f.regex: expected a string, got null'],
    [{ type: 'LIMIT', regex: 5 }, 'type', 'Warcprox-Meta: f.regex: expected a string, got 5'],
    [{ type: 'LIMIT', regex: 'a**' }, 'regex', 'Warcprox-Meta: f.regex: multiple repeat, got "a**"'],
  ];
  for (const [raw, code, message] of bad)
    test(message, () => assert.throws(() => readMimeFilter(raw, 'f', regexes), metaError(code, message)));
});

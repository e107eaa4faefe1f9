/** What commands over WARC files have in common: which records they are about, and where their output goes. */
import { STATUS } from '../../warc/tools/filter.ts';
import { anyText, listOf, onOff, path, REFUSED, text, type Kind } from '../kinds.ts';
import { group } from '../row.ts';

/** Digits of a timestamp, or a date of RFC 3339, whole or cut. */
const DATE = /^\d{4}(?:-?\d{2}(?:-?\d{2}(?:[T ]?\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d+)?)?)?)?)?)?Z?$/;
/** As digits, of which 14 are looked at. */
const date: Kind<string> = {
  expected: 'a date or the beginning of one in UTC, such as 2026, 2026-01-02, 2026-01-02T03:04 or 20260102030405',
  shape: 'value',
  read: (input) => (typeof input === 'string' && DATE.test(input) ? input.replace(/\D/g, '').slice(0, 14) : REFUSED),
};
const status = text('a status such as 200, 4xx or 200-299', (value) => STATUS.test(value));

export const RECORD_FILTER_ROWS = group('Which records', {
  url: {
    short: 'U',
    argument: 'URL',
    kind: listOf(anyText),
    defaultText: 'none',
    summary: 'of this URL, in which * stands for anything; may be repeated, as the next four',
  },
  type: { short: 't', argument: 'TYPE', kind: listOf(anyText), defaultText: 'none', summary: 'of this type: response, revisit, request …' },
  status: { argument: 'CODE', kind: listOf(status), defaultText: 'none', summary: 'answers of this status: 200, 4xx, 200-299' },
  mime: { argument: 'TYPE', kind: listOf(anyText), defaultText: 'none', summary: 'with a payload of this type: text/html, image/*' },
  recordId: { argument: 'ID', kind: listOf(anyText), defaultText: 'none', summary: 'with this WARC-Record-ID' },
  dateFrom: { argument: 'DATE', kind: date, defaultText: 'none', summary: 'from this date on: 2026, 2026-01-02, 20260102030405' },
  dateTo: { argument: 'DATE', kind: date, defaultText: 'none', summary: 'up to this date, with all of it' },
});

export const OUTPUT_ROWS = group('Output', {
  output: { short: 'o', argument: 'FILE', kind: path, defaultText: 'none', summary: 'into a file, which is there when it is whole' },
  force: { short: 'f', kind: onOff, default: false, summary: 'replace a file that is there' },
});

/**
 * Named fields of WARC headers, as text.
 *
 * Whatever a value holds that comes from elsewhere, what comes out is exactly one line. Ids, dates and digests, which are made here and can hold
 * nothing else, stand in the heads of records as they are.
 * Source: ISO 28500:2017 §4 (named-field), §5.
 */
import { isoDate } from '../util/iso-date.ts';
import { encode, utf8Bytes } from '../url/percent.ts';

export type WarcVersion = '1.1' | '1.0';

/** Control characters (C0, DEL, C1) and Unicode's line and paragraph separators. */
const LINE_BREAKERS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
const NOT_URI = /[^!-~]/g;
/** Most are, and are found to be so faster. */
const URI = /^[!-~]*$/;
/** Most values are, and are found to be so faster. */
const PLAIN = /^[ -~]*$/;

/** `Name: value` and CRLF; a run of control characters in the value becomes one space. Without a value nothing. */
export function field(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  return `${name}: ${PLAIN.test(value) || value.search(LINE_BREAKERS) === -1 ? value : value.replace(LINE_BREAKERS, ' ').trim()}\r\n`;
}

/** The URI with everything percent-encoded that is not a printable ASCII character. */
export function asciiUri(uri: string): string {
  return URI.test(uri) ? uri : encode(utf8Bytes(uri), NOT_URI);
}

/** The field of that URI: once encoded, nothing has to be looked for in it. */
export function targetUri(uri: string): string {
  return `WARC-Target-URI: ${asciiUri(uri)}\r\n`;
}

/** A date as the version has it: 1.1 with milliseconds, 1.0 without (WARC 1.0 §5.4). */
export function warcDate(date: Date, version: WarcVersion): string {
  return dateIn(isoDate(date), version);
}

/** The same for a date that is text already. */
export function dateIn(date: string, version: WarcVersion): string {
  return version === '1.0' ? date.replace(/\.\d+Z$/, 'Z') : date;
}

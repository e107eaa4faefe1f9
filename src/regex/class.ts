/**
 * Character classes, `[…]`, of Python's regular expressions.
 *
 * Source: Python 3 library reference, "re: Regular Expression Syntax", on `[]`.
 */
import { RegexError } from './errors.ts';
import { escapedSet } from './escape.ts';
import { lower, type ByteSet } from './set.ts';

/** @param at index of the opening bracket; `end` is behind the closing one */
export function readClass(source: string, at: number, ignoreCase: boolean): { readonly set: ByteSet; readonly end: number } {
  const bytes = new Uint8Array(256);
  const negated = source[at + 1] === '^';
  const first = at + (negated ? 2 : 1);
  let i = first;
  // A closing bracket in the first place stands for itself.
  while (source[i] !== ']' || i === first) {
    const low = member(source, i);
    i = low.end;
    if (source[i] !== '-' || source[i + 1] === ']') {
      if (low.set === undefined) addRange(bytes, low.code, low.code);
      else for (let byte = 0; byte < 256; byte++) bytes[byte] = (bytes[byte] ?? 0) | (low.set.bytes[byte] ?? 0);
      continue;
    }
    const high = member(source, i + 1);
    i = high.end;
    if (low.set !== undefined || high.set !== undefined || low.code > high.code) throw new RegexError('bad character range');
    addRange(bytes, low.code, high.code);
  }
  if (ignoreCase) foldCase(bytes);
  return { set: { bytes: negated ? bytes.map((bit) => 1 - bit) : bytes }, end: i + 1 };
}

function member(source: string, at: number): { readonly set: ByteSet | undefined; readonly code: number; readonly end: number } {
  const code = source.codePointAt(at);
  if (code === undefined) throw new RegexError('unterminated character set');
  if (code === 0x5c) return escapedSet(source, at, true);
  return { set: undefined, code, end: at + (code > 0xffff ? 2 : 1) };
}

function addRange(bytes: Uint8Array, low: number, high: number): void {
  for (let byte = low; byte <= Math.min(high, 0xff); byte++) bytes[byte] = 1;
}

function foldCase(bytes: Uint8Array): void {
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    const either = (bytes[upper] ?? 0) | (bytes[lower(upper)] ?? 0);
    bytes[upper] = either;
    bytes[lower(upper)] = either;
  }
}

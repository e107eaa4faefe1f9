/**
 * Escapes of Python's regular expressions, outside and inside of brackets.
 *
 * Source: Python 3 library reference, "re: Regular Expression Syntax", the list of escapes at its end.
 */
import { RegexError } from './errors.ts';
import { SHORTHANDS, type ByteSet } from './set.ts';

export type AssertKind = 'text-begin' | 'text-end' | 'line-begin' | 'line-end' | 'word-border' | 'no-word-border';

/** Either a set or a character. */
export interface Escaped {
  readonly set: ByteSet | undefined;
  readonly code: number;
  /** where the pattern goes on */
  readonly end: number;
}

/** `\z` is what Python 3.14 calls `\Z`. */
const ASSERTS: ReadonlyMap<string, AssertKind> = new Map([
  ['A', 'text-begin'],
  ['Z', 'text-end'],
  ['z', 'text-end'],
  ['b', 'word-border'],
  ['B', 'no-word-border'],
]);

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
]);

/** @param at index of the backslash; outside of brackets only */
export function asserted(source: string, at: number): AssertKind | undefined {
  return ASSERTS.get(source[at + 1] ?? '');
}

/** @param at index of the backslash */
export function escapedSet(source: string, at: number, inBrackets: boolean): Escaped {
  const c = source[at + 1];
  if (c === undefined) throw new RegexError('bad escape at the end of the pattern');
  const set = SHORTHANDS.get(c);
  if (set !== undefined) return { set, code: 0, end: at + 2 };
  const control = inBrackets && c === 'b' ? 8 : CONTROLS.get(c);
  if (control !== undefined) return character(control, at + 2);
  if (/[0-9]/.test(c)) return octal(source, at, inBrackets);
  const hex = digitsOf(c);
  if (hex > 0) {
    const digits = source.slice(at + 2, at + 2 + hex);
    if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < hex) throw new RegexError(`incomplete escape \\${c}`);
    return character(parseInt(digits, 16), at + 2 + hex);
  }
  if (/[a-zA-Z]/.test(c)) throw new RegexError(`bad escape \\${c}`);
  const code = source.codePointAt(at + 1) ?? 0;
  return character(code, at + 1 + (code > 0xffff ? 2 : 1));
}

/** `\0` and up to two digits more, or three digits; everything else with a digit is a back-reference. */
function octal(source: string, at: number, inBrackets: boolean): Escaped {
  const digits = inBrackets ? /[0-7]{1,3}/y : /0[0-7]{0,2}|[1-7][0-7]{2}/y;
  digits.lastIndex = at + 1;
  const [written] = digits.exec(source) ?? [];
  if (written === undefined) throw new RegexError(inBrackets ? 'bad escape in brackets' : 'back-references are not supported');
  const code = parseInt(written, 8);
  if (code > 0xff) throw new RegexError('octal escape outside of 0 to 0o377');
  return character(code, at + 1 + written.length);
}

function digitsOf(c: string): number {
  return c === 'x' ? 2 : c === 'u' ? 4 : c === 'U' ? 8 : 0;
}

function character(code: number, end: number): Escaped {
  return { set: undefined, code, end };
}

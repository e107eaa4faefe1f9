/**
 * What may stand behind `(?` in Python's regular expressions: flags, and what cannot be matched in linear time.
 *
 * Source: Python 3 library reference, "re: Regular Expression Syntax", on `(?…)`.
 */

export interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
  readonly verbose: boolean;
}

export const NO_FLAGS: Flags = { ignoreCase: false, dotAll: false, multiline: false, verbose: false };
/** `a`, `L` and `u` choose what a letter is; here it is always ASCII's. */
const FLAG_NAMES: Readonly<Record<string, keyof Flags | undefined>> = {
  i: 'ignoreCase',
  s: 'dotAll',
  m: 'multiline',
  x: 'verbose',
};
export function withFlags(flags: Flags, on = '', off = ''): Flags {
  const changed: Record<keyof Flags, boolean> = { ...flags };
  for (const c of on) setFlag(changed, c, true);
  for (const c of off) setFlag(changed, c, false);
  return changed;
}

function setFlag(flags: Record<keyof Flags, boolean>, c: string, value: boolean): void {
  const name = FLAG_NAMES[c];
  if (name !== undefined) flags[name] = value;
}

/** @param start what follows `(?` */
export function unsupported(start: string): string {
  if (start.startsWith('=') || start.startsWith('!')) return 'look-ahead is not supported';
  if (start === '<=' || start === '<!') return 'look-behind is not supported';
  if (start === 'P=') return 'back-references are not supported';
  if (start.startsWith('(')) return 'conditional groups are not supported';
  if (start.startsWith('>')) return 'atomic groups are not supported';
  return 'unknown extension after (?';
}

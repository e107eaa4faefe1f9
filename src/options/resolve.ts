/**
 * From options as given to options in force: every value checked, every default filled in.
 *
 * Knows nothing of the environment or files: a program that embeds the proxy gets exactly what it asked for.
 */
import { OptionError } from './error.ts';
import { REFUSED } from './kinds.ts';
import { namesIn, rowIn, type NameIn, type OptionRow, type OptionRows, type Options, type Resolved } from './row.ts';
import { PROXY_OPTIONS, type ResolvedOptions, type WarctapOptions } from './table.ts';

/**
 * The options of one program, or of one table.
 *
 * @throws OptionError for a value that will not do
 * @throws TypeError for a name that is no option of these
 */
export function resolve<Rows extends OptionRows>(rows: Rows, given: Options<Rows> = {}): Resolved<Rows> {
  const names = namesIn(rows);
  for (const name of Object.keys(given)) rowIn(rows, name);
  const values = names.map((name) => {
    const input: unknown = given[name];
    return [name, input === undefined ? defaultOf(rowIn(rows, name)) : readOption(rows, name, input)] as const;
  });
  return Object.fromEntries(values) as Resolved<Rows>;
}

function defaultOf({ default: value }: OptionRow): unknown {
  return typeof value === 'function' ? (value as () => unknown)() : value;
}

/** Those of the proxy. */
export function resolveOptions(given: WarctapOptions = {}): ResolvedOptions {
  return resolve(PROXY_OPTIONS, given);
}

/**
 * One value, checked.
 *
 * @param place where it was given, for the error's message
 * @throws OptionError
 */
export function readOption<Rows extends OptionRows>(rows: Rows, name: NameIn<Rows>, input: unknown, place?: string): unknown {
  const { kind, secret } = rowIn(rows, name);
  const value = kind.read(input);
  if (value === REFUSED) {
    const items: readonly unknown[] = kind.shape === 'list' && Array.isArray(input) ? input : [input];
    const refused = items.find((item) => kind.read(item) === REFUSED);
    throw new OptionError(name, refused, kind.expected, { ...(place === undefined ? {} : { place }), secret: secret === true });
  }
  return value;
}

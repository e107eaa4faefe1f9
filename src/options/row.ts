/**
 * One option is one row; a table is a plain object of rows, and a program's options are tables spread into one.
 *
 * A row's key is its name in code; flag, environment variable, config key, `--help`, the tables of docs/options.md and the types below follow from it.
 */
import type { HostPort, Kind } from './kinds.ts';
import { nearest } from './nearest.ts';

/** What defaults depend on. */
export interface Host {
  readonly hostname: string;
}

export interface OptionRow {
  /** the heading it stands under, in `--help` and in docs/options.md */
  readonly group: string;
  /** one line for `--help` and docs/options.md */
  readonly summary: string;
  readonly kind: Kind<unknown>;
  readonly short?: string;
  /** name of the argument in `--help`; none for a switch */
  readonly argument?: string;
  /** the typed value, or a function for one that depends on the machine */
  readonly default?: unknown;
  /** how the default is shown, where that differs */
  readonly defaultText?: string;
  /** rarely needed: shown by `--help-hidden` only */
  readonly hidden?: true;
  /** never shown in messages or logs */
  readonly secret?: true;
  /** a program that runs takes a new value over when it is asked to (SIGUSR2) */
  readonly reloadable?: true;
}

export type OptionRows = Readonly<Record<string, OptionRow>>;
export type NameIn<Rows extends OptionRows> = keyof Rows & string;

type ValueOf<Row> = Row extends { readonly kind: Kind<infer Value> } ? Value : never;

/** A value as a program may give it: what comes out of the option, or a shorter way of writing that. */
type Given<Value> = Value extends HostPort ? HostPort | string : Value extends readonly string[] ? readonly string[] | string : Value;

/** The options as given: all may be left out. Durations in seconds, sizes in bytes. */
export type Options<Rows extends OptionRows> = { readonly [Name in NameIn<Rows>]?: Given<ValueOf<Rows[Name]>> | undefined };

/**
 * The options in force: every one has its value; undefined only where the default is "none".
 *
 * Of one table it is the slice for whoever needs just that: what is resolved for a whole program fits.
 */
export type Resolved<Rows extends OptionRows> = {
  readonly [Name in NameIn<Rows>]: Rows[Name] extends { readonly default: unknown } ? ValueOf<Rows[Name]> : ValueOf<Rows[Name]> | undefined;
};

/** A table of rows under one heading. */
export function group<const Rows extends Readonly<Record<string, Omit<OptionRow, 'group'>>>>(
  heading: string,
  rows: Rows,
): { readonly [Name in keyof Rows]: Rows[Name] & { readonly group: string } } {
  const entries = Object.entries(rows).map(([name, row]) => [name, { ...row, group: heading }]);
  return Object.fromEntries(entries) as ReturnType<typeof group<Rows>>;
}

/** The table less some of its rows. */
export function without<Rows extends OptionRows, const Name extends NameIn<Rows>>(rows: Rows, ...names: readonly Name[]): Omit<Rows, Name> {
  const left = Object.entries(rows).filter(([name]) => !(names as readonly string[]).includes(name));
  return Object.fromEntries(left) as Omit<Rows, Name>;
}

export function namesIn<Rows extends OptionRows>(rows: Rows): readonly NameIn<Rows>[] {
  return Object.keys(rows);
}

/** The row of an option, by the wide type that holds for every row. */
export function rowIn<Rows extends OptionRows>(rows: Rows, name: NameIn<Rows>): OptionRow {
  const row: OptionRow | undefined = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (row === undefined) throw new TypeError(`there is no option ${name}, the nearest is ${nearest(name, namesIn(rows))}`);
  return row;
}

/** Names of what is never shown. */
export function secretsIn(rows: OptionRows): readonly string[] {
  return namesIn(rows).filter((name) => rowIn(rows, name).secret === true);
}

/** `maxThreads` → `max-threads`: the long flag without its dashes, and the key in a config file. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `maxThreads` → `WARCTAP_MAX_THREADS` */
export function variableOf(name: string): string {
  return `WARCTAP_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}

/**
 * From options as given to options in force: every value checked, every default filled in.
 *
 * Knows nothing of the environment or files: a program that embeds the proxy gets exactly what it asked for.
 */
import { hostname as machineName } from 'node:os';
import { OptionError } from './error.ts';
import { REFUSED } from './kinds.ts';
import { nearest } from './nearest.ts';
import {
  PROXY_OPTIONS,
  rowOf,
  type Host,
  type OptionName,
  type ProxyOptionName,
  type ResolvedOptions,
  type WarctapOptions,
} from './table.ts';

const PROXY_NAMES = Object.keys(PROXY_OPTIONS) as readonly ProxyOptionName[];

/**
 * @param machine what defaults depend on
 * @throws OptionError for a value that will not do
 * @throws TypeError for a name that is no option
 */
export function resolveOptions(options: WarctapOptions = {}, machine: Host = { hostname: machineName() }): ResolvedOptions {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(PROXY_OPTIONS, name))
      throw new TypeError(`there is no option ${name}, the nearest is ${nearest(name, PROXY_NAMES)}`);
  }
  const values = PROXY_NAMES.map((name) => {
    const input = options[name];
    return [name, input === undefined ? defaultOf(name, machine) : readOption(name, input)] as const;
  });
  return Object.fromEntries(values) as ResolvedOptions;
}

/**
 * One value, checked.
 *
 * @param place where it was given, for the error's message
 * @throws OptionError
 */
export function readOption(name: OptionName, input: unknown, place?: string): unknown {
  const { kind } = rowOf(name);
  const value = kind.read(input);
  if (value === REFUSED) {
    const items: readonly unknown[] = kind.shape === 'list' && Array.isArray(input) ? input : [input];
    throw new OptionError(
      name,
      items.find((item) => kind.read(item) === REFUSED),
      kind.expected,
      place,
    );
  }
  return value;
}

function defaultOf(name: OptionName, machine: Host): unknown {
  const value = rowOf(name).default;
  return typeof value === 'function' ? (value as (machine: Host) => unknown)(machine) : value;
}

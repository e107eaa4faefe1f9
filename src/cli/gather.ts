/**
 * The options from where users put them: flag, environment variable, config file, in this order of precedence.
 */
import { readOption } from '../options/resolve.ts';
import {
  COMMAND_LINE_OPTIONS,
  flagOf,
  OPTION_NAMES,
  rowOf,
  variableOf,
  type CommandLineOptionName,
  type OptionName,
  type Options,
  type WarctapOptions,
} from '../options/table.ts';
import { readConfigFile } from './config-file.ts';

/** What stood on the command line: true or false for a switch, a list for what may be repeated, else text. */
export type Flags = Partial<Record<OptionName, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Gathered {
  /** checked, defaults not filled in */
  readonly proxy: WarctapOptions;
  readonly commandLine: Options<CommandLineOptionName>;
  /** where an option was given, for messages about it */
  readonly places: ReadonlyMap<string, string>;
  readonly logLevel: LogLevel;
  /** environment variables that look like ours and name no option */
  readonly unknownVariables: readonly string[];
}

export type LogLevel = 'warn' | 'info' | 'debug' | 'trace';

/** @throws OptionError or UsageError */
export async function gather(flags: Flags, environment: Environment): Promise<Gathered> {
  const sources = [fromFlags(flags), fromEnvironment(environment)];
  const config = find('config', sources);
  if (config !== undefined) sources.push(fromFile(await readConfigFile(config.value as string), config.value as string));

  const proxy: [string, unknown][] = [];
  const commandLine: [string, unknown][] = [];
  const places = new Map<string, string>();
  for (const name of OPTION_NAMES) {
    const found = find(name, sources);
    if (found === undefined) continue;
    (name in COMMAND_LINE_OPTIONS ? commandLine : proxy).push([name, found.value]);
    places.set(name, found.source.place(name));
  }
  return {
    proxy: Object.fromEntries(proxy),
    commandLine: Object.fromEntries(commandLine),
    places,
    logLevel: logLevel(sources),
    unknownVariables: unknownVariables(environment),
  };
}

interface Source {
  read(name: OptionName): unknown;
  /** how the option is called there */
  place(name: OptionName): string;
}

function fromFlags(flags: Flags): Source {
  return { read: (name) => flags[name], place: (name) => `--${flagOf(name)}` };
}

/** A variable that is set to nothing counts as not set, as composed set-ups like to pass all of them on. */
function fromEnvironment(environment: Environment): Source {
  return {
    read: (name) => {
      const text = environment[variableOf(name)];
      return text === undefined || text === '' ? undefined : splitList(name, text);
    },
    place: (name) => `${variableOf(name)} (--${flagOf(name)})`,
  };
}

function fromFile(values: ReadonlyMap<OptionName, unknown>, path: string): Source {
  return { read: (name) => splitList(name, values.get(name)), place: (name) => `${flagOf(name)} in ${path} (--${flagOf(name)})` };
}

function splitList(name: OptionName, input: unknown): unknown {
  return rowOf(name).kind.shape === 'list' && typeof input === 'string' ? input.split(',').map((item) => item.trim()) : input;
}

function find(name: OptionName, sources: readonly Source[]): { value: unknown; source: Source } | undefined {
  for (const source of sources) {
    const input = source.read(name);
    if (input === undefined) continue;
    return { value: readOption(name, input, source.place(name)), source };
  }
  return undefined;
}

const LEVELS = [
  ['trace', 'trace'],
  ['verbose', 'debug'],
  ['quiet', 'warn'],
] as const;

/** The three switches are one setting: the one from the first source that turns any on, and of several there the loudest. */
function logLevel(sources: readonly Source[]): LogLevel {
  const on = LEVELS.map(([name, level]) => ({ level, found: find(name, sources) })).filter(({ found }) => found?.value === true);
  const first = sources.find((source) => on.some(({ found }) => found?.source === source));
  return on.find(({ found }) => found?.source === first)?.level ?? 'info';
}

function unknownVariables(environment: Environment): string[] {
  const known = new Set(OPTION_NAMES.map(variableOf));
  return Object.keys(environment).filter((name) => name.startsWith('WARCTAP_') && !known.has(name));
}

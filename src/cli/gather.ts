/**
 * The options of a program from where users put them: flag, environment variable, config file, in this order of precedence.
 */
import { readOption } from '../options/resolve.ts';
import { flagOf, namesIn, variableOf, type NameIn, type OptionRow, type OptionRows, type Options } from '../options/row.ts';
import { COMMAND_LINE_ROWS } from '../options/rows/logs-and-settings.ts';
import { readConfigFile } from './config-file.ts';

/** What stood on the command line: true or false for a switch, a list for what may be repeated, else text. */
export type Flags = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Gathered<Rows extends OptionRows> {
  /** the options that were asked for */
  readonly rows: Rows;
  /** checked, defaults not filled in */
  readonly given: Options<Rows>;
  /** where an option was given, for messages about it */
  readonly places: ReadonlyMap<string, string>;
  readonly logLevel: LogLevel;
  /** between two summaries in the log; 0 is none */
  readonly summarySeconds: number;
  /** environment variables that look like ours and name no option */
  readonly unknownVariables: readonly string[];
}

/** `verbose` is `info` and a line for each capture. */
export type LogLevel = 'warn' | 'info' | 'verbose' | 'trace';

/**
 * @param rows of the program; the options that only a command line has are looked for as well
 * @throws OptionError or UsageError
 */
export async function gather<Rows extends OptionRows>(rows: Rows, flags: Flags, environment: Environment): Promise<Gathered<Rows>> {
  const all: OptionRows = { ...rows, ...COMMAND_LINE_ROWS };
  const sources = [fromFlags(flags), fromEnvironment(all, environment)];
  const config = find(all, 'config', sources)?.value as string | undefined;
  if (config !== undefined) sources.push(fromFile(all, await readConfigFile(config, all), config));

  const given: [string, unknown][] = [];
  const places = new Map<string, string>();
  for (const name of namesIn(all)) {
    const found = find(all, name, sources);
    if (found === undefined) continue;
    if (Object.hasOwn(rows, name)) given.push([name, found.value]);
    places.set(name, found.source.place(name));
  }
  return {
    rows,
    given: Object.fromEntries(given) as Options<Rows>,
    places,
    logLevel: logLevel(sources),
    summarySeconds:
      (find(COMMAND_LINE_ROWS, 'summaryInterval', sources)?.value as number | undefined) ?? COMMAND_LINE_ROWS.summaryInterval.default,
    unknownVariables: unknownVariables(all, environment),
  };
}

interface Source {
  read(name: string): unknown;
  /** how the option is called there */
  place(name: string): string;
}

function fromFlags(flags: Flags): Source {
  return { read: (name) => flags[name], place: (name) => `--${flagOf(name)}` };
}

/** A variable that is set to nothing counts as not set, as composed set-ups like to pass all of them on. */
function fromEnvironment(rows: OptionRows, environment: Environment): Source {
  return {
    read: (name) => {
      const text = environment[variableOf(name)];
      return text === undefined || text === '' ? undefined : splitList(rows[name], text);
    },
    place: (name) => `${variableOf(name)} (--${flagOf(name)})`,
  };
}

function fromFile(rows: OptionRows, values: ReadonlyMap<string, unknown>, path: string): Source {
  return { read: (name) => splitList(rows[name], values.get(name)), place: (name) => `${flagOf(name)} in ${path} (--${flagOf(name)})` };
}

function splitList(row: OptionRow | undefined, input: unknown): unknown {
  return row?.kind.shape === 'list' && typeof input === 'string' ? input.split(',').map((item) => item.trim()) : input;
}

function find<Rows extends OptionRows>(
  rows: Rows,
  name: NameIn<Rows>,
  sources: readonly Source[],
): { value: unknown; source: Source } | undefined {
  for (const source of sources) {
    const input = source.read(name);
    if (input === undefined) continue;
    return { value: readOption(rows, name, input, source.place(name)), source };
  }
  return undefined;
}

const LEVELS = [
  ['trace', 'trace'],
  ['verbose', 'verbose'],
  ['quiet', 'warn'],
] as const;

/** The three switches are one setting: the one from the first source that turns any on, and of several there the loudest. */
function logLevel(sources: readonly Source[]): LogLevel {
  const on = LEVELS.map(([name, level]) => ({ level, found: find(COMMAND_LINE_ROWS, name, sources) })).filter(
    ({ found }) => found?.value === true,
  );
  const first = sources.find((source) => on.some(({ found }) => found?.source === source));
  return on.find(({ found }) => found?.source === first)?.level ?? 'info';
}

function unknownVariables(rows: OptionRows, environment: Environment): string[] {
  const known = new Set(namesIn(rows).map(variableOf));
  return Object.keys(environment).filter((name) => name.startsWith('WARCTAP_') && !known.has(name));
}

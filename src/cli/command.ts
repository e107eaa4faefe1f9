/**
 * What a command is: one plain object with its options, arguments, help, exit codes and action, in one file of commands/.
 *
 * Pure description: commander's program is built from it by build.ts.
 */
import { namesIn, rowIn, type OptionRows, type Options } from '../options/row.ts';
import { COMMAND_LINE_ROWS } from '../options/rows/logs-and-settings.ts';
import type { Exits } from './exit.ts';
import type { Gathered } from './gather.ts';

interface Described {
  /** what is typed */
  readonly name: string;
  /** one line, for the list of commands and the beginning of its own help */
  readonly summary: string;
  /** what is to be said after the options, in lines of at most 80 characters */
  readonly notes?: string;
}

export interface CommandSpec<Own extends OptionRows = OptionRows, Settings extends OptionRows = OptionRows> extends Described {
  readonly operands?: {
    /** as commander writes it: `[FILE...]`; that one is missing is for the action to say */
    readonly name: string;
    readonly summary: string;
  };
  /** whether what stands behind the name is handed on as it was typed, `--help` too: a program of its own, with ways of its own */
  readonly raw?: true;
  /** options of this command alone, which are given as flags and nowhere else */
  readonly own?: Own;
  /** options that may come from a flag, the environment or the file of `--config`, which is then an option, too */
  readonly settings?: Settings;
  /** those of the settings that are flags here; all, unless given */
  readonly shown?: readonly (keyof Settings | keyof typeof COMMAND_LINE_ROWS)[];
  /** options of the proxy that this command has not, by flag without its dashes: why, and what there is instead */
  readonly refused?: Readonly<Record<string, string>>;
  /** each code that it may end with, in words of its own where those of the registry are too wide */
  readonly exits: Exits;
  /** what belongs to the exit codes, after them */
  readonly exitNotes?: string;
  /**
   * @returns the exit code
   * @throws whatever ends the program with one line
   */
  run(call: Call<Own, Settings>): Promise<number>;
}

/** Its settings with what every command line has, if it has any. */
export function settingsOf({ settings }: CommandSpec): OptionRows {
  return settings === undefined ? {} : { ...settings, ...COMMAND_LINE_ROWS };
}

/** A word that other commands stand behind: `warctap ca export`. */
export interface CommandFamily extends Described {
  /** without a command its help is asked for, which is no mistake */
  readonly helpAlone?: true;
  readonly commands: readonly (CommandSpec | CommandFamily)[];
}

/** What an action gets. */
export interface Call<Own extends OptionRows = OptionRows, Settings extends OptionRows = OptionRows> {
  readonly operands: readonly string[];
  /** checked, defaults not filled in */
  readonly own: Options<Own>;
  /** @throws OptionError or UsageError */
  readonly settings: () => Promise<Gathered<Settings>>;
}

/** A command, with the types of its rows seen by its action. */
export function defineCommand<const Own extends OptionRows = OptionRows, const Settings extends OptionRows = OptionRows>(
  spec: CommandSpec<Own, Settings>,
): CommandSpec<Own, Settings> {
  return spec;
}

/** The settings that only `--help-hidden` shows; a command whose flags are chosen one by one hides none. */
export function hiddenIn(spec: CommandSpec): readonly string[] {
  const rows = settingsOf(spec);
  return spec.shown === undefined ? namesIn(rows).filter((name) => rowIn(rows, name).hidden === true) : [];
}

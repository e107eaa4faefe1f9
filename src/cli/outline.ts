/**
 * All commands and their options as a plain list, for whoever writes them down: shell completion, the manual page.
 *
 * From the same tables as `--help`.
 */
import { meaningOf } from '../options/markdown.ts';
import type { Suggestion } from '../options/kinds.ts';
import { flagOf, namesIn, rowIn, type OptionRow, type OptionRows } from '../options/row.ts';
import { defaultShown } from './build.ts';
import { settingsOf, type CommandFamily, type CommandSpec } from './command.ts';

export interface OutlinedOption {
  /** without dashes */
  readonly long: string;
  readonly short: string | undefined;
  /** name of its argument; undefined for a switch */
  readonly argument: string | undefined;
  /** what it means, and its default */
  readonly meaning: string;
  readonly group: string;
  /** left out where there is little room */
  readonly hidden: boolean;
  readonly suggest: Suggestion | undefined;
}

export interface OutlinedCommand {
  /** as typed behind the program's name: `ca export`; empty for what the program does without a command */
  readonly path: string;
  readonly spec: CommandSpec | CommandFamily;
  /** those that may stand behind it */
  readonly commands: readonly (CommandSpec | CommandFamily)[];
  readonly options: readonly OutlinedOption[];
  /** what may stand behind its options */
  readonly operands: Suggestion | undefined;
}

const HELP = { short: 'h', argument: undefined, group: 'Help', hidden: false, suggest: undefined } as const;
const ALWAYS: OutlinedOption = { ...HELP, long: 'help', meaning: 'show this help' };
const OF_PROGRAM: readonly OutlinedOption[] = [
  { ...HELP, long: 'version', short: undefined, meaning: 'print the version' },
  { ...HELP, long: 'help-hidden', short: undefined, meaning: 'show also what is rarely needed' },
];

/** The program itself is the first. */
export function outlineOf(root: CommandSpec, commands: readonly (CommandSpec | CommandFamily)[]): readonly OutlinedCommand[] {
  const program = { path: '', spec: root, commands, options: [...optionsOf(root), ...OF_PROGRAM, ALWAYS], operands: undefined };
  return [program, ...commands.flatMap((spec) => outlined(spec, spec.name))];
}

function outlined(spec: CommandSpec | CommandFamily, path: string): OutlinedCommand[] {
  if (!('commands' in spec)) {
    const options = spec.raw === true ? [] : [...optionsOf(spec), ALWAYS];
    return [{ path, spec, commands: [], options, operands: operandsOf(spec) }];
  }
  const { commands } = spec;
  return [
    { path, spec, commands, options: [ALWAYS], operands: undefined },
    ...commands.flatMap((each) => outlined(each, `${path} ${each.name}`)),
  ];
}

function optionsOf(spec: CommandSpec): OutlinedOption[] {
  const settings = settingsOf(spec);
  const shown = spec.shown ?? namesIn(settings);
  const rows: OptionRows = { ...spec.own, ...Object.fromEntries(shown.map((name) => [name, rowIn(settings, name)])) };
  return namesIn(rows).map((name) => optionOf(name, rowIn(rows, name)));
}

function optionOf(name: string, row: OptionRow): OutlinedOption {
  const { argument = 'VALUE', group, hidden = false, kind, short } = row;
  return {
    long: flagOf(name),
    short,
    argument: kind.shape === 'switch' ? undefined : argument,
    meaning: meaningOf(row) + defaultShown(row),
    group,
    hidden,
    suggest: kind.suggest,
  };
}

/** By what they are called: `[FILE...]` are files, `[bash|zsh]` is one of two words. */
function operandsOf({ operands }: CommandSpec): Suggestion | undefined {
  const name = operands?.name.replace(/[[\]<>.]/g, '') ?? '';
  return /FILE|DIR|PATH/.test(name) ? 'files' : name.includes('|') ? name.split('|') : undefined;
}

/**
 * The command line as commander knows it, made from the list of commands.
 *
 * Only collects flags as they were typed and calls an action; values are checked elsewhere, together with those of other sources.
 * A command gets its options when it is the one that was called: the others cost no time.
 */
import { Command, Help, Option } from 'commander';
import { nearby } from '../options/nearest.ts';
import { flagsOf, meaningOf, shownDefault } from '../options/markdown.ts';
import { readOption } from '../options/resolve.ts';
import { flagOf, namesIn, rowIn, type OptionRow, type OptionRows, type Options } from '../options/row.ts';
import { hiddenIn, settingsOf, type CommandFamily, type CommandSpec } from './command.ts';
import { EXIT, UsageError, type ExitName } from './exit.ts';
import type { Environment } from './gather.ts';

export interface ProgramParts {
  /** what is done when no command is named */
  readonly root: CommandSpec;
  readonly commands: readonly (CommandSpec | CommandFamily)[];
  readonly version: string;
  readonly environment: Environment;
  /** told the exit code of an action */
  readonly ended: (code: number) => void;
  /** where help and version go; by default to stdout */
  readonly out?: (text: string) => void;
}

/** What all commands of one call share: a setting may stand before the command's name as well. */
interface Shared extends Pick<ProgramParts, 'environment' | 'ended'> {
  readonly flags: Record<string, unknown>;
}

/** @throws by its `parseAsync`: CommanderError (help and version too, with exit code 0), UsageError, and what the actions throw */
export function buildProgram({
  root,
  commands,
  version,
  environment,
  ended,
  out = (text) => process.stdout.write(text),
}: ProgramParts): Command {
  const shared: Shared = { flags: {}, environment, ended };
  const program = prepare(new Command('warctap').configureOutput({ writeOut: out }))
    .enablePositionalOptions()
    .configureHelp({ formatHelp: commandsFirst });
  furnish(program, root, root.name, shared);
  program
    .description(`${root.summary}\n\nWithout a command it runs the proxy.`)
    .optionsGroup('Help:')
    .version(version, '-V, --version', 'print the version');
  addHelp(program, root);
  for (const spec of commands) add(program, spec, spec.name, shared);
  addHelpCommand(program);
  return program;
}

/** Whether there is a switch of this name, in any of the commands. */
export function isSwitch(flag: string, commands: readonly (CommandSpec | CommandFamily)[]): boolean {
  return commands.some((spec) => {
    if ('commands' in spec) return isSwitch(flag, spec.commands);
    const rows: OptionRows = { ...settingsOf(spec), ...spec.own };
    return namesIn(rows).some((name) => `--${flagOf(name)}` === flag && rowIn(rows, name).kind.shape === 'switch');
  });
}

/** What all commands have in common: errors in one line. */
function prepare(created: Command): Command {
  return created
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .hook('preAction', (_, called) => {
      const [stranger] = called.args;
      if (called !== created || created.registeredArguments.length > 0) return;
      if (stranger !== undefined) throw unknownWord(created, stranger);
    });
}

function unknownWord(command: Command, word: string): UsageError {
  const meant = nearby(word, commandNames(command));
  if (meant === undefined) return new UsageError(`unexpected argument ${JSON.stringify(word)}, see --help`);
  return new UsageError(`unknown command ${JSON.stringify(word)} (Did you mean ${meant}?), see --help`);
}

const commandNames = (command: Command): readonly string[] => command.commands.map((each) => each.name());

/** `warctap help ca export`: as `warctap ca export --help`. */
function addHelpCommand(program: Command): void {
  prepare(program.command('help [COMMAND...]'))
    .description('Show this help, or that of a command.')
    .helpOption(false)
    .action(async (words: readonly string[]) => {
      let command = program;
      for (const word of words) {
        const next = command.commands.find((each) => each.name() === word);
        if (next === undefined) throw unknownWord(command, word);
        command = next;
      }
      await program.parseAsync([...words, '--help'], { from: 'user' });
    });
}

/** Commander's help, with the commands in front of the options: there are many of these. */
function commandsFirst(command: Command, helper: Help): string {
  const sections = Help.prototype.formatHelp.call(helper, command, helper).split('\n\n');
  const commands = sections.findIndex((section) => section.startsWith('Commands:'));
  const options = sections.findIndex((section) => /^[^\n]+:\n +-/.test(section));
  if (commands !== -1 && options !== -1) sections.splice(options, 0, ...sections.splice(commands, 1).map((section) => section.trimEnd()));
  return `${sections.join('\n\n').trimEnd()}\n`;
}

/** @param path all words that are typed, such as `ca export` */
function add(parent: Command, spec: CommandSpec | CommandFamily, path: string, shared: Shared): void {
  const created = prepare(parent.command(spec.name)).description(spec.summary);
  if (!('commands' in spec)) {
    if (spec.raw === true) created.argument('[ARGUMENT...]').allowUnknownOption().passThroughOptions().helpOption(false);
    if (spec.operands !== undefined) created.argument(spec.operands.name, spec.operands.summary);
    parent.hook('preSubcommand', (_, called) => {
      if (called !== created) return;
      furnish(created, spec, path, shared);
      if (spec.raw !== true) addHelp(created, spec);
    });
    return;
  }
  const { commands, notes = 'Each command has a --help of its own, with its exit codes.' } = spec;
  addHelpFlag(created.addHelpText('after', `\n${notes}`)).action(() => {
    if (spec.helpAlone !== true)
      throw new UsageError(`${path}: expected a command, one of: ${commands.map(({ name }) => name).join(', ')}`);
    created.outputHelp();
  });
  for (const each of commands) add(created, each, `${path} ${each.name}`, shared);
}

/** Options and action. */
function furnish(command: Command, spec: CommandSpec, path: string, { flags, environment, ended }: Shared): void {
  const own: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(spec.own ?? {})) addOption(command, name, row, own);
  const refused = spec.refused ?? {};
  for (const flag of Object.keys(refused)) addRefused(command, flag, () => refuse(flag, path, refused));
  const settings = settingsOf(spec);
  for (const name of spec.shown ?? namesIn(settings)) addOption(command, name, rowIn(settings, name), flags);
  command.action(async () => {
    const call = {
      operands: command.args,
      own: checked(spec.own ?? {}, own),
      settings: async () => {
        const stranger = Object.keys(flags).find((name) => !Object.hasOwn(settings, name));
        if (stranger !== undefined) refuse(flagOf(stranger), path, refused);
        const { gather } = await import('./gather.ts');
        return gather(spec.settings ?? {}, flags, environment);
      },
    };
    ended(await spec.run(call));
  });
}

/** Whatever it is given. */
function addRefused(command: Command, flag: string, refuse: () => never): void {
  command.addOption(new Option(`--${flag} [VALUE]`).hideHelp()).on(`option:${flag}`, refuse);
}

/** @throws UsageError that says why, and what there is instead, if that is known */
function refuse(flag: string, path: string, reasons: Readonly<Record<string, string>>): never {
  const why = reasons[flag];
  if (why !== undefined) throw new UsageError(`--${flag} is not for ${path}: ${why}`);
  throw new UsageError(`--${flag} is no option of ${path}, see ${path} --help`);
}

function checked(rows: OptionRows, typed: Readonly<Record<string, unknown>>): Options<OptionRows> {
  return Object.fromEntries(Object.entries(typed).map(([name, input]) => [name, readOption(rows, name, input, `--${flagOf(name)}`)]));
}

function addOption(to: Command, name: string, row: OptionRow, typed: Record<string, unknown>): void {
  const { argument = 'VALUE', group, hidden = false, kind } = row;
  const isToggle = kind.shape === 'switch';
  const option = new Option(isToggle ? flagsOf(name, row) : `${flagsOf(name, row)} <${argument}>`, meaningOf(row) + defaultShown(row))
    .helpGroup(`${group}:`)
    .hideHelp(hidden);
  to.addOption(option).on(`option:${option.name()}`, (text?: string) => {
    typed[name] = isToggle ? true : kind.shape === 'list' ? [...((typed[name] as string[] | undefined) ?? []), text] : text;
  });
  // `--no-browser` is a switch beside `--browser NAME`, which takes it back.
  if (!isToggle || to.options.some(({ long }) => long === negationOf(name))) return;
  const negated = new Option(negationOf(name)).hideHelp();
  to.addOption(negated).on(`option:${negated.name()}`, () => (typed[name] = false));
}

/** With a space in front, as it follows what an option means; nothing for a switch, and where there is none. */
export function defaultShown(row: OptionRow): string {
  return row.kind.shape === 'switch' || row.defaultText === 'none' ? '' : ` (default ${shownDefault(row).text})`;
}

function negationOf(name: string): string {
  const flag = flagOf(name);
  return flag.startsWith('no-') ? `--${flag.slice('no-'.length)}` : `--no-${flag}`;
}

function addHelp(command: Command, spec: CommandSpec): void {
  const hidden = hiddenIn(spec);
  if (hidden.length > 0) {
    command.addOption(new Option('--help-hidden', 'show also what is rarely needed').helpGroup('Help:')).on('option:help-hidden', () => {
      for (const option of command.options) if (hidden.some((name) => option.long === `--${flagOf(name)}`)) option.hidden = false;
      command.help();
    });
  }
  const texts = [spec.notes, spec.settings !== undefined && spec.shown === undefined ? ABOUT_SETTINGS : undefined, exitCodes(spec)];
  addHelpFlag(command).addHelpText(
    'after',
    texts
      .map((text) => (text === undefined ? '' : `\n${text}\n`))
      .join('')
      .trimEnd(),
  );
}

function addHelpFlag(command: Command): Command {
  return command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('Help:'));
}

function exitCodes({ exits, exitNotes }: CommandSpec): string {
  const lines = Object.entries(exits).map(([name, meaning]) => `  ${EXIT[name as ExitName].code}  ${meaning}`);
  return ['Exit codes:', ...lines, ...(exitNotes === undefined ? [] : [exitNotes])].join('\n');
}

export const ABOUT_SETTINGS = `SIZE is a number of bytes, or has a unit: 512k, 10M, 1.5G (powers of 1024, as
KiB, MiB, GiB), 10MB (powers of 1000). TIME is a number of seconds, or has one:
500ms, 90s, 5m, 2h, 1d.

Every option may also be set in the environment (WARCTAP_MAX_THREADS=5, lists
with commas) or in the file of --config (max-threads: 5). A flag goes before
the environment, the environment before the file. --no-gzip takes back --gzip,
and so on. On SIGUSR2 what is reloadable is read again, without losing anything.`;

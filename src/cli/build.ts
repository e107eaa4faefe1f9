/**
 * The command line as commander knows it, made from the table of options.
 *
 * Only collects flags as they were typed and calls an action; values are checked elsewhere, together with those of other sources.
 */
import { Command, Option } from 'commander';
import { flagsOf, shownDefault } from '../options/markdown.ts';
import { flagOf, OPTION_NAMES, rowOf, type OptionName } from '../options/table.ts';
import { EXIT, UsageError } from './exit.ts';
import type { Flags } from './gather.ts';

/** What `warctap ca export` has beside the options of the table. */
export interface CaExportFlags {
  readonly p12?: boolean;
  readonly password?: string;
  readonly out?: string;
}

/** What `warctap verify` has. */
export interface VerifyFlags {
  readonly allowUnresolved?: boolean;
}

export interface Actions {
  readonly version: string;
  readonly run: (flags: Flags) => Promise<void>;
  readonly exportCa: (flags: Flags, own: CaExportFlags) => Promise<void>;
  readonly verify: (files: readonly string[], own: VerifyFlags) => Promise<void>;
  readonly repair: (files: readonly string[]) => Promise<void>;
  readonly passwd: (flags: Flags, user: string) => Promise<void>;
}

/** @throws by its `parseAsync`: CommanderError (help and version too, with exit code 0), UsageError, and what the actions throw */
export function createCommand(actions: Actions): Command {
  const flags: Flags = {};
  const program = command(new Command('warctap'), 'Archiving proxy: keeps what goes over the wire in WARC files.')
    .enablePositionalOptions()
    .action(() => actions.run(flags));
  const hidden = OPTION_NAMES.flatMap((name) => addOption(program, name, flags));
  program
    .optionsGroup('Help:')
    .version(actions.version, '--version', 'print the version')
    .option('--help-hidden', 'show also what is rarely needed')
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup('Help:'))
    .addHelpText('after', AFTER_HELP);
  program.on('option:help-hidden', () => {
    for (const option of hidden) option.hidden = false;
    program.help();
  });

  const ca = command(program.command('ca'), 'The certificate authority: "ca export" prints its certificate.').action(() => {
    throw new UsageError('ca: expected a command, one of: export');
  });
  const caExport = command(ca.command('export'), 'Print the certificate to be trusted by clients, without its key.')
    .option('--p12', 'as PKCS#12 instead of PEM')
    .option('--password <TEXT>', 'asked for when the PKCS#12 is imported (default empty)')
    .option('--out <FILE>', 'into a file instead of standard output')
    .action((own: CaExportFlags) => actions.exportCa(flags, own));
  for (const name of ['cacert', 'config', 'quiet', 'verbose', 'trace'] as const) addOption(caExport, name, flags);

  command(program.command('verify'), 'Check WARC files: structure, digests, gzip members, and that what revisits refer to is there.')
    .argument('[FILE...]', 'WARC files of any tool, plain or gzip, open ones too')
    .option('--allow-unresolved', 'a revisit may refer to a record that is in none of the files')
    .addHelpText('after', AFTER_VERIFY)
    .action((files: string[], own: VerifyFlags) => actions.verify(someFiles('verify', files), own));
  command(program.command('repair'), 'Cut WARC files behind their last whole record, and give open ones their final names.')
    .argument('[FILE...]', 'WARC files of any tool, plain or gzip')
    .addHelpText('after', AFTER_REPAIR)
    .action((files: string[]) => actions.repair(someFiles('repair', files)));

  const passwd = command(
    program.command('passwd'),
    'Make the line of a user for --proxy-auth-file: asks for a password, or reads a line of it.',
  )
    .argument('[USER]', 'a name without colon')
    .action((user: string | undefined, _own: object, { args }: Command) => {
      if (user === undefined) throw new UsageError('passwd: expected the name of a user, see passwd --help');
      if (args.length > 1) throw new UsageError('passwd: the password is asked for, it does not belong on the command line');
      return actions.passwd(flags, user);
    })
    .addHelpText('after', AFTER_PASSWD);
  for (const name of ['proxyAuthFile', 'config'] as const) addOption(passwd, name, flags);
  return program;
}

function someFiles(name: string, files: readonly string[]): readonly string[] {
  if (files.length === 0) throw new UsageError(`${name}: expected at least one file, see ${name} --help`);
  return files;
}

/** What all commands have in common: errors in one line, no argument that nobody asked for. */
function command(created: Command, description: string): Command {
  return created
    .description(description)
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .hook('preAction', (_, called) => {
      const [stranger] = called.args;
      if (called !== created || created.registeredArguments.length > 0) return;
      if (stranger !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(stranger)}, see --help`);
    });
}

/** @returns the option if it is hidden */
function addOption(to: Command, name: OptionName, flags: Flags): Option[] {
  const { argument, group, hidden, kind, summary } = rowOf(name);
  const isSwitch = kind.shape === 'switch';
  const shown = isSwitch || rowOf(name).defaultText === 'none' ? '' : ` (default ${shownDefault(name).text})`;
  const option = new Option(isSwitch ? flagsOf(name) : `${flagsOf(name)} <${argument ?? 'VALUE'}>`, summary + shown)
    .helpGroup(`${group}:`)
    .hideHelp(hidden ?? false);
  to.addOption(option).on(`option:${option.name()}`, (text?: string) => {
    flags[name] = isSwitch ? true : kind.shape === 'list' ? [...((flags[name] as string[] | undefined) ?? []), text] : text;
  });
  if (isSwitch) {
    const negated = new Option(negationOf(name)).hideHelp();
    to.addOption(negated).on(`option:${negated.name()}`, () => (flags[name] = false));
  }
  return hidden === true ? [option] : [];
}

function negationOf(name: OptionName): string {
  const flag = flagOf(name);
  return flag.startsWith('no-') ? `--${flag.slice('no-'.length)}` : `--no-${flag}`;
}

const AFTER_VERIFY = `
Prints a line for each fault, or one for a file that has none. Give all files
of a collection at once: what a revisit refers to may stand in another file.

Exit codes:
  0  no fault
  1  faults, or a file that cannot be read
  2  bad option or argument`;

const AFTER_REPAIR = `
Prints a line for each file. An open file in which nothing is whole is deleted.
Left as they are: a file that another process has locked, one in which whole
records follow behind damage, and one that holds no whole record. Another
file is never replaced: where NAME is taken, NAME.open becomes NAME-1.

Exit codes:
  0  every file is whole now
  1  a file could not be repaired
  2  bad option or argument`;

const AFTER_PASSWD = `
Without --proxy-auth-file the line is printed. With it, given here, in the
environment or in the file of --config, the line takes the place of the user's
old one in that file, which is made if need be (mode 600). A proxy that runs
reads the file at its next start.`;

const AFTER_HELP = `
Every option may also be set in the environment (WARCTAP_MAX_THREADS=5, lists
with commas) or in the file of --config (max-threads: 5). A flag goes before
the environment, the environment before the file. --no-gzip takes back --gzip,
and so on.

Exit codes:
${Object.values(EXIT)
  .map(({ code, meaning }) => `  ${code}  ${meaning}`)
  .join('\n')}
  A second signal ends it at once (a shell shows 130 for SIGINT, 143 for
  SIGTERM); the next start repairs open files.`;

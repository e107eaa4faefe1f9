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

export interface Actions {
  readonly version: string;
  readonly run: (flags: Flags) => Promise<void>;
  readonly exportCa: (flags: Flags, own: CaExportFlags) => Promise<void>;
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
  return program;
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
      if (called === created && stranger !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(stranger)}, see --help`);
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

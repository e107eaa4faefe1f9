/**
 * From the arguments to the exit code: one line on stderr for whatever keeps a command from its work.
 *
 * The rooms that cost time to load (proxy, logs, CA, WARC tools) are loaded by the action that needs them.
 */
import { CommanderError } from 'commander';
import { insteadOf } from '../options/of-warcprox.ts';
import { readVersion } from '../util/version.ts';
import { buildProgram, isSwitch } from './build.ts';
import { COMMANDS, DEFAULT_COMMAND } from './commands/list.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { reasonOf } from '../util/thrown.ts';

/** Where help goes, and what keeps a command from its work; what commands tell by themselves goes to the process's own. */
export interface Told {
  out(text: string): void;
  error(text: string): void;
}

const STREAMS: Told = { out: (text) => process.stdout.write(text), error: (text) => process.stderr.write(text) };

/** @param args without the names of node and the script */
export async function main(args: readonly string[], told = STREAMS): Promise<number> {
  let exitCode: number = EXIT.ok.code;
  const program = buildProgram({
    root: DEFAULT_COMMAND,
    commands: COMMANDS,
    version: readVersion(),
    environment: process.env,
    ended: (code) => (exitCode = code),
    out: (text) => told.out(text),
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === EXIT.ok.code) return EXIT.ok.code;
    told.error(`warctap: ${error instanceof CommanderError ? oneLineOfCommander(error) : reasonOf(error)}\n`);
    return error instanceof CommanderError ? EXIT.usage.code : exitCodeOf(error);
  }
}

/** Commander's message on one line, without values: what stands behind a mistyped option may be a secret. */
function oneLineOfCommander(error: CommanderError): string {
  const message = error.message.replace(/^error: /, '').replace(/\s+/g, ' ');
  const [, flag, rest] = /^unknown option '(--[^=']*|-[^-']).*?'( \(Did you mean [^)]*\))?$/.exec(message) ?? [];
  if (flag === undefined) return message;
  const instead = insteadOf(flag.slice('--'.length));
  if (instead !== undefined) return `${flag} is ${instead}`;
  if (isSwitch(flag, [DEFAULT_COMMAND, ...COMMANDS])) return `option ${flag} takes no value (to take it back: --no-${flag.slice(2)})`;
  return `unknown option ${flag}${rest ?? ''}, see --help`;
}

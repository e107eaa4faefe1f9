/**
 * The program from its arguments to its exit code: one line on stderr for whatever keeps it from its work.
 *
 * The rooms that cost time to load (proxy, logs, CA) are loaded by the action that needs them.
 */
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { CommanderError } from 'commander';
import { OptionError } from '../options/error.ts';
import { resolveOptions } from '../options/resolve.ts';
import { isOptionName, rowOf } from '../options/table.ts';
import { readVersion } from '../util/version.ts';
import { createCommand } from './command.ts';
import { EXIT, exitCodeOf, oneLine } from './exit.ts';
import { gather, type Flags, type Gathered } from './gather.ts';

/** How a shell shows a program that a signal has ended. */
const SIGNAL_EXIT_BASE = 128;

/** @param args without the names of node and the script */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok.code;
  const command = createCommand({
    version: readVersion(),
    run: async (flags) => {
      exitCode = await startProxy(flags);
    },
    exportCa: async (flags, own) => {
      const gathered = await gather(flags, process.env);
      const [{ exportCa }, log] = await Promise.all([import('./ca-export.ts'), logFor(gathered)]);
      await exportCa({ ...own, cacert: resolveOptions(gathered.proxy).cacert, log, output: process.stdout });
    },
    verify: async (files, own) => {
      const { verify } = await import('./verify.ts');
      exitCode = await verify(files, own, print);
    },
    repair: async (files) => {
      const { repairFiles } = await import('./repair.ts');
      exitCode = await repairFiles(files, print);
    },
    passwd: async (flags, user) => {
      const { proxy } = await gather(flags, process.env);
      const { passwd } = await import('./passwd.ts');
      await passwd({ user, file: proxy.proxyAuthFile, input: process.stdin, output: process.stdout, prompt: process.stderr });
    },
  });
  try {
    await command.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === EXIT.ok.code) return EXIT.ok.code;
    process.stderr.write(`warctap: ${error instanceof CommanderError ? oneLineOfCommander(error) : oneLine(error)}\n`);
    return error instanceof CommanderError ? EXIT.usage.code : exitCodeOf(error);
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

async function startProxy(flags: Flags): Promise<number> {
  const gathered = await gather(flags, process.env);
  const log = await logFor(gathered);
  for (const variable of gathered.unknownVariables) log.warn({ variable }, 'this environment variable names no option');
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, `a fault in warctap, exiting at once: ${oneLine(error)}${whereIn(error)}`);
    process.exit(EXIT.notStarted.code);
  });
  const [{ createProxy }, { run }] = await Promise.all([import('../index.ts'), import('./run.ts')]);
  return run({
    start: async () => {
      try {
        return await createProxy({ ...gathered.proxy, log });
      } catch (error) {
        if (gathered.logLevel === 'trace') log.error({ err: error }, 'could not start');
        throw error instanceof OptionError ? error.at(gathered.places.get(error.option) ?? `option ${error.option}`) : error;
      }
    },
    log,
    print,
    signals: process,
    endBy: (signal) => {
      // process.exit() would wait for the thread pool, where a name look-up or a disk may hang.
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
      // Still here: signals don't end the first process of a container.
      process.exit(SIGNAL_EXIT_BASE + constants.signals[signal]);
    },
    nowMs: () => performance.now(),
  });
}

async function logFor({ logLevel }: Gathered) {
  const { createLog } = await import('./log.ts');
  const { isTTY } = process.stderr;
  return createLog({ level: logLevel, pretty: isTTY, colour: isTTY && process.stderr.hasColors() });
}

/** Commander's message on one line, without values: what stands behind a mistyped option may be a secret. */
function oneLineOfCommander(error: CommanderError): string {
  const message = error.message.replace(/^error: /, '').replace(/\s+/g, ' ');
  const [, flag, rest] = /^unknown option '(--[^=']*|-[^-']).*?'( \(Did you mean [^)]*\))?$/.exec(message) ?? [];
  if (flag === undefined) return message;
  const name = flag.slice(2).replace(/-[a-z]/g, (letter) => letter.slice(1).toUpperCase());
  if (isOptionName(name) && rowOf(name).kind.shape === 'switch')
    return `option ${flag} takes no value (to take it back: --no-${flag.slice(2)})`;
  return `unknown option ${flag}${rest ?? ''}, see --help`;
}

/** The innermost place of a fault in our code, for a report, without the whole stack. */
function whereIn(error: Error): string {
  const line = error.stack?.split('\n').find((text) => text.startsWith('    at '));
  return line === undefined ? '' : ` (${line.trim()})`;
}

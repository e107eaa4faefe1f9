/**
 * How the program ends: its exit codes, and which errors lead to them.
 */
import { OptionError } from '../options/error.ts';

/** The registry: `--help` and docs/options.md are made from it. */
export const EXIT = {
  ok: { code: 0, meaning: 'stopped by a signal, everything written; verify, repair: all files are whole' },
  failed: { code: 1, meaning: 'could not start (port in use, broken CA …), a fault of warctap or in a file' },
  usage: { code: 2, meaning: 'bad option, argument or config file' },
  fatal: { code: 3, meaning: 'stopped because the WARC files could not be written' },
  store: { code: 4, meaning: 'stopped, WARC files whole; a database lacks what could not be written' },
} as const;

export type ExitName = keyof typeof EXIT;

/** What each code means that a command may end with. */
export type Exits = Readonly<Partial<Record<ExitName, string>>>;

/** Bad use of the program that is not the value of one option. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'WARCTAP_USAGE';
}

export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError || error instanceof OptionError ? EXIT.usage.code : EXIT.failed.code;
}

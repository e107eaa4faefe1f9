/**
 * SIGUSR2: options are read again from where they came, and a program that runs takes over what is reloadable.
 *
 * Nothing of it is taken over when any of it will not do. Calls that come while one is under way are one more.
 */
import { OptionError } from '../options/error.ts';
import { flagOf, type OptionRows, type Options } from '../options/row.ts';
import type { Changes } from '../options/changes.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import type { Gathered, LogLevel } from './gather.ts';

export interface Reload<Rows extends OptionRows, Program> {
  /** @throws OptionError, UsageError */
  readonly read: () => Promise<Gathered<Rows>>;
  /** @throws OptionError, and then has changed nothing */
  readonly apply: (program: Program, given: Options<Rows>, logLevel: LogLevel) => Promise<Changes>;
}

/** A log whose level may be set. */
export type LevelledLog = Log & { level: string };

/** Never throws: what is wrong is told by the log. */
export async function reload<Rows extends OptionRows, Program>(
  program: Program,
  { read, apply }: Reload<Rows, Program>,
  log: LevelledLog,
): Promise<void> {
  try {
    const { given, places, logLevel } = await read();
    const { now, atNextStart } = await apply(program, given, logLevel).catch((error: unknown) => {
      throw error instanceof OptionError ? error.at(places.get(error.option) ?? `option ${error.option}`) : error;
    });
    tell(log, logLevel, { now, atNextStart });
  } catch (error) {
    log.error({ err: error }, `not reloaded, all stays as it was: ${reasonOf(error)}`);
  }
}

function tell(log: LevelledLog, level: LogLevel, { now, atNextStart }: Changes): void {
  const before = log.level;
  const changed = [...now.map((name) => `--${flagOf(name)}`), ...(level === before ? [] : [`log level ${level}`])];
  // Whichever of the two levels lets the line through.
  if (before === 'warn') log.level = level;
  log.info({}, changed.length === 0 ? 'reloaded, nothing has changed' : `reloaded: ${changed.join(', ')}`);
  const later = atNextStart.map((name) => `--${flagOf(name)}`);
  if (later.length > 0) log.warn({}, `changed, and takes effect at the next start: ${later.join(', ')}`);
  log.level = level;
}

/** One call at a time: those that are made meanwhile are one more, afterwards. */
export function oneAtATime(act: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const begin = () => {
    again = running;
    if (running) return;
    running = true;
    void act().finally(() => {
      running = false;
      if (again) begin();
    });
  };
  return begin;
}

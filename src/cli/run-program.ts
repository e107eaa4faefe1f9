/**
 * A program that runs until a signal, tied to this process: its log, its signals, and what nobody caught.
 *
 * The commands that start something (the proxy) have this as their action.
 */
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { OptionError } from '../options/error.ts';
import type { OptionRows, Options } from '../options/row.ts';
import type { Log } from '../util/log.ts';
import { EXIT } from './exit.ts';
import type { Gathered, LogLevel } from './gather.ts';
import { openLog } from './log.ts';
import { reload, type Reload } from './reload.ts';
import { run, type Running, type Shown, type StopSignal } from './run.ts';
import { watch, type Watched, type WatchOptions } from './watch.ts';
import { reasonOf } from '../util/thrown.ts';

export interface Startable<Rows extends OptionRows, Program extends Running> {
  readonly start: (given: Options<Rows>, log: Log, of: StartedBy) => Promise<Program>;
  /** what stands on standard output once it has started, line ends included */
  readonly tell: (program: Program) => string;
  /** the live line on a terminal, where it is another than the usual one. @param columns of the terminal; the line is at least one narrower */
  readonly liveLine?: (program: Program, columns: number) => string;
  /** what SIGUSR2 does; without it that ends the process, as ever */
  readonly reload?: Reload<Rows, Program>;
}

/** What a program needs that starts processes of its own. */
export interface StartedBy {
  readonly logLevel: LogLevel;
  /** Write a line of JSON that the log of another process has made. */
  readonly passOn: (json: string) => void;
}

/** How a shell shows a program that a signal has ended. */
const SIGNAL_EXIT_BASE = 128;

/**
 * @returns the exit code, once the program is closed
 * @throws whatever keeps it from starting; an OptionError with the place that the option came from
 */
export async function runProgram<Rows extends OptionRows, Program extends Running>(
  { given, places, logLevel, unknownVariables, summarySeconds, ...gathered }: Gathered<Rows>,
  { start, tell, liveLine, reload: again }: Startable<Rows, Program>,
): Promise<number> {
  const { log, screen, flush, passOn } = openLog({ logLevel, ...gathered });
  for (const variable of unknownVariables) log.warn({ variable }, 'this environment variable names no option');
  let program: Program | undefined;
  process.on('uncaughtException', (error) => {
    if (program?.blame?.(error) === true) return;
    log.error({ err: error }, `a fault in warctap, exiting at once: ${reasonOf(error)}${whereIn(error)}`);
    screen?.show('');
    process.exit(EXIT.failed.code);
  });
  return run<Program>({
    start: async () => {
      try {
        return (program = await start(given, log, { logLevel, passOn }));
      } catch (error) {
        if (logLevel === 'trace') log.error({ err: error }, 'could not start');
        throw error instanceof OptionError ? error.at(places.get(error.option) ?? `option ${error.option}`) : error;
      }
    },
    tell,
    show: (program) =>
      showIfWatched(program, {
        log,
        screen,
        live: process.env.TERM !== 'dumb' && screen !== undefined,
        line: liveLine && ((columns) => liveLine(program, columns)),
        summarySeconds,
        nowMs,
      }),
    log,
    print: (text) => process.stdout.write(text),
    signals: process,
    endBy: (signal) => {
      screen?.show('');
      flush();
      endBy(signal);
    },
    nowMs,
    ...(again === undefined ? {} : { reload: (program) => reload(program, again, log) }),
  });
}

const nowMs = (): number => performance.now();

/** One that archives nothing has nothing to show. */
function showIfWatched(program: Running, options: WatchOptions): Shown {
  return isWatched(program) ? show(program, options) : { end: () => undefined };
}

function isWatched(program: Running): program is Running & Watched {
  return 'figures' in program;
}

/** On the screen, if there is one, at whatever size it has. */
function show(program: Watched, options: WatchOptions): Shown {
  const watching = watch(program, options);
  const redraw = () => watching.redraw();
  if (options.live) process.stderr.on('resize', redraw);
  return {
    end: () => {
      process.stderr.off('resize', redraw);
      watching.end();
    },
  };
}

/** process.exit() would wait for the thread pool, where a name look-up or a disk may hang. */
function endBy(signal: StopSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Still here: signals don't end the first process of a container.
  process.exit(SIGNAL_EXIT_BASE + constants.signals[signal]);
}

/** The innermost place of a fault in our code, for a report, without the whole stack. */
function whereIn(error: Error): string {
  const line = error.stack?.split('\n').find((text) => text.startsWith('    at '));
  return line === undefined ? '' : ` (${line.trim()})`;
}

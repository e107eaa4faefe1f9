/**
 * What every program that runs for long does: start, tell where it is, wait for a signal or a fatal error, close.
 *
 * Owns no process state: signals, clock and exit are passed in. Never throws once the program has started.
 * Source: spec/warcprox.md §12.
 */
import { isDatabaseError } from '../store/errors.ts';
import type { Log } from '../util/log.ts';
import { EXIT } from './exit.ts';
import { oneAtATime } from './reload.ts';
import { reasonOf } from '../util/thrown.ts';

/** Shows what a program does, until it ends. */
export interface Shown {
  end(): void;
}

/** What is needed of a program that runs. */
export interface Running {
  /** Stop accepting, finish what runs, close all files. */
  close(): Promise<void>;
  /** Whether what nobody caught is somebody else's fault, who has been told of: it goes on then. */
  blame?(error: unknown): boolean;
  on(event: 'fatal', listener: (error: Error) => void): unknown;
  /** of one that may come to an end by itself: resolves when there is nothing more to do, rejects when it cannot go on */
  readonly ended?: Promise<void>;
}

export interface RunContext<Program extends Running> {
  readonly start: () => Promise<Program>;
  /** what is printed once it has started */
  readonly tell: (program: Program) => string;
  /** begins to show what it does, after that */
  readonly show: (program: Program) => Shown;
  readonly log: Log;
  /** standard output */
  readonly print: (text: string) => void;
  /** the process, or whatever emits its signals */
  readonly signals: SignalSource;
  /** ends the process at once, as this signal does without a handler */
  readonly endBy: (signal: StopSignal) => void;
  /** milliseconds from any fixed point */
  readonly nowMs: () => number;
  /** what SIGUSR2 asks of a program that runs; never throws */
  readonly reload?: (program: Program) => Promise<void>;
}

export interface SignalSource {
  on(signal: StopSignal | typeof RELOAD_SIGNAL, listener: () => void): unknown;
  off(signal: StopSignal | typeof RELOAD_SIGNAL, listener: () => void): unknown;
}

/** SIGHUP, too: closing the terminal must not leave open files behind. */
const STOP_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** SIGHUP, the usual one, is already taken; and SIGUSR1 is Node's own. */
const RELOAD_SIGNAL = 'SIGUSR2';

/** The same signal again within this time is the same wish: npm passes on signals that the process group has got as well. */
const SAME_SIGNAL_MS = 100;

/**
 * @returns the exit code, once the program is closed
 * @throws whatever `start` throws
 */
export async function run<Program extends Running>(context: RunContext<Program>): Promise<number> {
  const { log } = context;
  const { stopped, dispose } = waitForSignal(context);
  const starting = context.start();
  const { closing, dispose: forgetReload } = reloadOnSignal(context, starting);
  try {
    const program = await starting;
    let failure: number | undefined;
    const fail = (error: unknown, message: string, code: number = (isDatabaseError(error) ? EXIT.store : EXIT.fatal).code) => {
      if (failure !== undefined) return;
      failure = code;
      log.error({ err: error }, `${message}: ${reasonOf(error)}`);
    };
    const failed = new Promise<void>((done) => {
      program.on('fatal', (error) => {
        fail(error, 'stopping, nothing more can be archived');
        done();
      });
    });
    context.print(context.tell(program));
    const ended = program.ended?.catch((error: unknown) => fail(error, 'stopping', EXIT.failed.code));
    const shown = context.show(program);
    await Promise.race([stopped, failed, ...(ended === undefined ? [] : [ended])]);
    closing();
    try {
      await program.close();
    } catch (error) {
      fail(error, 'closing failed');
    }
    shown.end();
    if (failure === undefined) log.info({}, 'closed, everything is written');
    return failure ?? EXIT.ok.code;
  } finally {
    dispose();
    forgetReload();
  }
}

/** One that comes while the program still starts waits for that; while it closes, none counts. */
function reloadOnSignal<Program extends Running>(
  { signals, reload }: RunContext<Program>,
  starting: Promise<Program>,
): { closing: () => void; dispose: () => void } {
  if (reload === undefined) return { closing: () => undefined, dispose: () => undefined };
  let open = true;
  const listener = oneAtATime(async () => {
    const program = await starting.catch(() => undefined);
    if (program !== undefined && open) await reload(program);
  });
  signals.on(RELOAD_SIGNAL, listener);
  return { closing: () => (open = false), dispose: () => signals.off(RELOAD_SIGNAL, listener) };
}

/** A first signal asks to stop, also while still starting; a second one exits at once. */
function waitForSignal({ signals, log, endBy, nowMs }: Pick<RunContext<Running>, 'signals' | 'log' | 'endBy' | 'nowMs'>): {
  stopped: Promise<void>;
  dispose: () => void;
} {
  let first: { signal: StopSignal; atMs: number } | undefined;
  let stop = (): void => undefined;
  const stopped = new Promise<void>((done) => (stop = done));
  const listeners = STOP_SIGNALS.map((signal) => {
    const listener = () => {
      if (first === undefined) {
        first = { signal, atMs: nowMs() };
        log.info({ signal }, 'stopping; a second signal exits at once');
        stop();
      } else if (signal !== first.signal || nowMs() - first.atMs > SAME_SIGNAL_MS) {
        log.warn({ signal }, 'exiting at once, the next start repairs open files');
        endBy(signal);
      }
    };
    signals.on(signal, listener);
    return { signal, listener };
  });
  return { stopped, dispose: () => listeners.forEach(({ signal, listener }) => signals.off(signal, listener)) };
}

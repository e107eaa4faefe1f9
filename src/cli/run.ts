/**
 * The default action: start the proxy, tell where it is, wait for a signal or a fatal error, close it.
 *
 * Owns no process state: signals, clock and exit are passed in. Never throws once the proxy has started.
 * Source: spec/warcprox.md §12.
 */
import { resolve } from 'node:path';
import type { Log } from '../util/log.ts';
import { EXIT, oneLine } from './exit.ts';

/** What is needed of a proxy that runs. */
export interface RunningProxy {
  /** such as `http://127.0.0.1:8000` */
  readonly url: string;
  /** of the playback proxy, if there is one */
  readonly playbackUrl?: string | undefined;
  readonly caFile: string;
  readonly warcDir: string;
  /** Stop accepting, finish what runs, close all files. */
  close(): Promise<void>;
  on(event: 'fatal', listener: (error: Error) => void): unknown;
}

export interface RunContext {
  readonly start: () => Promise<RunningProxy>;
  readonly log: Log;
  /** standard output */
  readonly print: (text: string) => void;
  /** the process, or whatever emits its signals */
  readonly signals: SignalSource;
  /** ends the process at once, as this signal does without a handler */
  readonly endBy: (signal: StopSignal) => void;
  /** milliseconds from any fixed point */
  readonly nowMs: () => number;
}

export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

/** SIGHUP, too: closing the terminal must not leave open files behind. */
const STOP_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The same signal again within this time is the same wish: npm passes on signals that the process group has got as well. */
const SAME_SIGNAL_MS = 100;

/**
 * @returns the exit code, once the proxy is closed
 * @throws whatever `start` throws
 */
export async function run(context: RunContext): Promise<number> {
  const { log } = context;
  const { stopped, dispose } = waitForSignal(context);
  try {
    const proxy = await context.start();
    let failure: unknown;
    const fail = (error: unknown, message: string) => {
      if (failure !== undefined) return;
      failure = error;
      log.error({ err: error }, `${message}: ${oneLine(error)}`);
    };
    const failed = new Promise<void>((done) => {
      proxy.on('fatal', (error) => {
        fail(error, 'stopping, nothing more can be archived');
        done();
      });
    });
    context.print(startBlock(proxy));
    await Promise.race([stopped, failed]);
    try {
      await proxy.close();
    } catch (error) {
      fail(error, 'closing failed');
    }
    if (failure === undefined) log.info({}, 'closed, everything is written');
    return failure === undefined ? EXIT.ok.code : EXIT.fatal.code;
  } finally {
    dispose();
  }
}

/** A first signal asks to stop, also while still starting; a second one exits at once. */
function waitForSignal({ signals, log, endBy, nowMs }: RunContext): { stopped: Promise<void>; dispose: () => void } {
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

function startBlock({ url, playbackUrl, caFile, warcDir }: RunningProxy): string {
  const cacert = resolve(caFile);
  return [
    `warctap listens on ${url}`,
    `  CA certificate  ${cacert}`,
    `  WARC files      ${resolve(warcDir)}`,
    ...(playbackUrl === undefined ? [] : [`  playback        ${playbackUrl}`]),
    `  try             curl --proxy ${url} --cacert ${shellWord(cacert)} https://example.com/`,
    '',
  ].join('\n');
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

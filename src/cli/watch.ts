/**
 * What a program shows while it runs: a live line on a terminal, a line of the log every minute elsewhere, and a line for each capture if asked.
 *
 * Looks at what the program counts anyway. Owns two timers, neither of which keeps the process alive.
 */
import { readFileSync } from 'node:fs';
import type { Capture } from '../capture/capture.ts';
import { archivedAs, contentType, statusOf, wireSize } from '../capture/kinds.ts';
import { mediaTypeIn } from '../http/media-type.ts';
import type { Figures } from '../programs/figures.ts';
import { finalLine, liveLine, type Rates } from './figures-line.ts';
import type { ProgramLog } from './log.ts';
import type { Screen } from './screen.ts';

/** A program that can be watched. */
export interface Watched {
  figures(): Figures;
  on(event: 'capture', listener: (capture: Capture) => void): unknown;
}

export interface WatchOptions {
  readonly log: ProgramLog;
  /** of people, who get their figures in words */
  readonly screen: Screen | undefined;
  /** the screen can draw a line over the last one */
  readonly live: boolean;
  /** the live line, where it is another than that of figures and rates. @param columns of the terminal; the line is at least one narrower */
  readonly line?: ((columns: number) => string) | undefined;
  /** how often the log says what has been done, where there is no live line; 0 is never */
  readonly summarySeconds: number;
  /** milliseconds from any fixed point, never going back */
  readonly nowMs: () => number;
}

export interface Watching {
  /** Draw anew: the terminal has another size. */
  redraw(): void;
  /** The live line goes, and what has been done stays as a line. */
  end(): void;
}

const REDRAW_MS = 250;
/** The rates of the live line are those of so long. */
const RATE_MS = 5000;

export function watch(program: Watched, options: WatchOptions): Watching {
  const { log, screen, nowMs } = options;
  program.on('capture', (capture) => logCapture(log, capture));
  const startMs = nowMs();
  const rates = ratesOf(program, nowMs);
  const draw = () => {
    if (screen === undefined || !options.live) return;
    const current = rates();
    if (isInBackground()) screen.forget();
    else
      screen.show(
        log.isLevelEnabled('info') ? (options.line?.(screen.columns) ?? liveLine(program.figures(), current, screen.columns)) : '',
      );
  };
  const summary = summaries(program, log, nowMs);
  const seconds = options.summarySeconds;
  const timer = options.live ? setInterval(draw, REDRAW_MS) : seconds > 0 ? setInterval(summary, seconds * 1000) : undefined;
  timer?.unref();
  draw();
  return {
    redraw: draw,
    end() {
      clearInterval(timer);
      screen?.show('');
      if (screen === undefined) {
        if (timer !== undefined) summary();
      } else if (log.isLevelEnabled('info')) {
        screen.write(`${finalLine(program.figures(), (nowMs() - startMs) / 1000, screen.columns)}\n`);
      }
    },
  };
}

/** A line for each, if asked. */
export function logCapture(log: ProgramLog, capture: Capture): void {
  if (log.isLevelEnabled('verbose')) log.verbose(captureFields(capture), 'captured');
}

/** Tells of what has been done since it told last, and nothing when that is nothing. */
function summaries(program: Watched, log: ProgramLog, nowMs: () => number): () => void {
  let told = { atMs: nowMs(), captures: 0, errors: 0 };
  return () => {
    const { captures, errors, duplicates, queued, ...figures } = program.figures();
    if (captures === told.captures && errors === told.errors) return;
    const seconds = (nowMs() - told.atMs) / 1000;
    const perSecond = seconds > 0 ? Number(((captures - told.captures) / seconds).toFixed(1)) : 0;
    told = { atMs: nowMs(), captures, errors };
    const { new: fresh, warcBytes, warcFiles } = figures;
    log.info({ captures, new: fresh, duplicates, errors, warcBytes, warcFiles, perSecond, queued }, 'archived so far');
  };
}

/** Of the last seconds, or since the start while that is shorter. */
function ratesOf(program: Watched, nowMs: () => number): () => Rates {
  const samples: { readonly atMs: number; readonly captures: number; readonly warcBytes: number }[] = [];
  return () => {
    const { captures, warcBytes } = program.figures();
    const atMs = nowMs();
    samples.push({ atMs, captures, warcBytes });
    while (samples[1] !== undefined && samples[1].atMs <= atMs - RATE_MS) samples.shift();
    const [first = { atMs, captures, warcBytes }] = samples;
    const seconds = (atMs - first.atMs) / 1000;
    if (seconds === 0) return { captures: 0, warcBytes: 0 };
    return { captures: (captures - first.captures) / seconds, warcBytes: (warcBytes - first.warcBytes) / seconds };
  };
}

function captureFields(capture: Capture): object {
  const type = mediaTypeIn(contentType(capture));
  return {
    method: capture.method,
    status: statusOf(capture),
    size: wireSize(capture),
    archived: archivedAs(capture),
    ...(type === '' ? {} : { type }),
    url: capture.url,
  };
}

/**
 * Whether another program has the terminal, such as the shell that this one was sent to the background of.
 *
 * Source: proc(5), /proc/PID/stat: (5) process group, (8) foreground process group of the terminal. Elsewhere nobody knows.
 */
function isInBackground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(foreground) > 0 && group !== foreground;
  } catch {
    return false;
  }
}

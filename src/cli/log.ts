/**
 * Log lines on stderr: on a terminal for people to read, JSON otherwise.
 *
 * Secrets are taken out by the names of their fields. Errors are told without their stacks below the level `trace`.
 * Everything that is written there by us goes through the one `Sink` of `openLog`.
 */
import { pino, type Logger } from 'pino';
import { secretsIn, type OptionRows } from '../options/row.ts';
import { PROXY_OPTIONS } from '../options/table.ts';
import { codeOf } from '../util/thrown.ts';
import type { Gathered, LogLevel } from './gather.ts';
import { lineForPeople } from './log-line.ts';
import { LogSink, standardError } from './log-sink.ts';
import { Screen, type Sink } from './screen.ts';

/** pino's, and one for each capture. */
export type ProgramLog = Logger<'verbose'>;

export interface LogOptions {
  readonly level: LogLevel;
  /** whose secrets are taken out, beside those of the proxy */
  readonly rows?: OptionRows;
  /** gets the lines: as JSON, or for people if it is a screen */
  readonly output: Sink | Screen;
  readonly colour?: boolean;
  /** fields of every line */
  readonly base?: Readonly<Record<string, unknown>>;
}

export interface OpenLog {
  readonly log: ProgramLog;
  /** Have what waits written, as far as its reader takes it now; the process may end then. */
  readonly flush: () => void;
  /** where there are people */
  readonly screen: Screen | undefined;
  /** Write a line of JSON that the log of another process has made. */
  readonly passOn: (json: string) => void;
}

/** So long the end of the process waits for a reader. */
const FLUSH_MS = 1000;

/** Between pino's `debug` and `info`. */
const VERBOSE = 25;

const SECRET_FIELDS = ['password', 'authorization', 'Authorization', 'proxy-authorization', 'Proxy-Authorization'];

/** The log of a command: for people if they are there. */
export function openLog({ rows, logLevel: level }: Pick<Gathered<OptionRows>, 'rows' | 'logLevel'>): OpenLog {
  const { stderr } = process;
  const onDropped = (lines: number) =>
    log.warn({ lines }, 'log lines are missing here: nobody took them, and they did not fit into memory');
  const sink = new LogSink({ fd: standardError(), onDropped });
  const screen = stderr.isTTY ? new Screen(sink, () => stderr.columns) : undefined;
  const colour = stderr.isTTY && stderr.hasColors();
  const output = screen ?? sink;
  const log = createLog({ level, rows, output, colour });
  const passOn = (json: string) => linesTo(output, colour).write(json);
  const flush = () => sink.flush(FLUSH_MS);
  process.on('exit', flush);
  return { log, flush, screen, passOn };
}

export function createLog({ level, rows = {}, output, colour = false, base }: LogOptions): ProgramLog {
  const secrets = [...secretsIn({ ...PROXY_OPTIONS, ...rows }), ...SECRET_FIELDS];
  const describe = (error: unknown) => describeError(error, log.isLevelEnabled('trace'));
  const log: ProgramLog = pino(
    {
      level,
      customLevels: { verbose: VERBOSE },
      base: base ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: describe, error: describe },
      redact: { paths: secrets.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '(secret)' },
    },
    linesTo(output, colour),
  );
  return log;
}

/** @returns what takes lines of JSON */
function linesTo(output: Sink | Screen, colour: boolean): Pick<Sink, 'write'> {
  if (!(output instanceof Screen)) return output;
  return { write: (json) => output.write(lineForPeople(json, { columns: output.columns, colour })) };
}

function describeError(error: unknown, withStack: boolean): unknown {
  if (!(error instanceof Error)) return error;
  const code = codeOf(error);
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(withStack ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause, withStack) }),
  };
}

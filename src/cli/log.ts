/**
 * Log lines on stderr: one a person can read on a terminal, JSON otherwise.
 *
 * Secrets are taken out by the names of their fields. Errors are told without their stacks below the level `trace`.
 */
import { pino, type Logger } from 'pino';
import { secretsIn, type OptionRows } from '../options/row.ts';
import { PROXY_OPTIONS } from '../options/table.ts';
import { codeOf } from '../util/thrown.ts';
import type { Gathered, LogLevel } from './gather.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** for people instead of programs */
  readonly pretty: boolean;
  readonly colour?: boolean;
  /** whose secrets are taken out, beside those of the proxy */
  readonly rows?: OptionRows;
  /** standard error unless given */
  readonly output?: NodeJS.WritableStream;
}

const STDERR = 2;

const SECRET_FIELDS = ['password', 'authorization', 'Authorization', 'proxy-authorization', 'Proxy-Authorization'];

/** The log of a command: for people if they are there. */
export async function logFor({ rows, logLevel }: Pick<Gathered<OptionRows>, 'rows' | 'logLevel'>): Promise<Logger> {
  const { isTTY } = process.stderr;
  return createLog({ level: logLevel, pretty: isTTY, colour: isTTY && process.stderr.hasColors(), rows });
}

export async function createLog({ level, pretty, colour = false, rows = {}, output }: LogOptions): Promise<Logger> {
  const withStack = level === 'trace';
  const secrets = [...secretsIn({ ...PROXY_OPTIONS, ...rows }), ...SECRET_FIELDS];
  const describe = (error: unknown) => describeError(error, withStack);
  const options = {
    level,
    // pino-pretty gives several lines to this field, which is wanted for stacks only; nobody logs a bare error.
    errorKey: withStack ? 'err' : 'thrown',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describe, error: describe, thrown: describe },
    redact: { paths: secrets.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '(secret)' },
  };
  if (!pretty) return pino(options, output ?? pino.destination({ fd: STDERR, sync: true }));
  const { default: prettyStream } = await import('pino-pretty');
  const stream = prettyStream({
    destination: output ?? STDERR,
    sync: true,
    colorize: colour,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: withStack ? ['err', 'error'] : [],
  });
  return pino(options, stream);
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

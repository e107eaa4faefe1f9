/**
 * Log lines on stderr: one a person can read on a terminal, JSON otherwise.
 *
 * Secrets are taken out by the names of their fields. Errors are told without their stacks below the level `trace`.
 */
import { pino, type Logger } from 'pino';
import { OPTION_NAMES, rowOf } from '../options/table.ts';
import { codeOf } from '../util/thrown.ts';
import type { LogLevel } from './gather.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** for people instead of programs */
  readonly pretty: boolean;
  readonly colour?: boolean;
  /** standard error unless given */
  readonly output?: NodeJS.WritableStream;
}

const STDERR = 2;

const SECRET_FIELDS = [
  ...OPTION_NAMES.filter((name) => rowOf(name).secret === true),
  'password',
  'authorization',
  'Authorization',
  'proxy-authorization',
  'Proxy-Authorization',
];

export async function createLog({ level, pretty, colour = false, output }: LogOptions): Promise<Logger> {
  const withStack = level === 'trace';
  const describe = (error: unknown) => describeError(error, withStack);
  const options = {
    level,
    // pino-pretty gives several lines to this field, which is wanted for stacks only; nobody logs a bare error.
    errorKey: withStack ? 'err' : 'thrown',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describe, error: describe, thrown: describe },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '(secret)' },
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

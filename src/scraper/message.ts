/** Requests and answers of the line protocol. */
import { compact, membersOf } from './json-text.ts';

/** A request that cannot be met; its message is the answer. */
export class ScraperError extends Error {
  override readonly name = 'ScraperError';
}

export interface Request {
  readonly type: string;
  /** text of a JSON value; undefined when there is none */
  readonly content: string | undefined;
}

export interface Answer {
  readonly type: 'ready' | 'ok' | 'pong' | 'error';
  /** text of a JSON value */
  readonly content?: string;
}

/** @throws ScraperError */
export function parseRequest(line: string | undefined): Request {
  if (line === undefined) throw new ScraperError('the line is too long, expected at most 64 MiB');
  const value = parsed(line);
  if (value === null) return { type: '', content: undefined };
  if (!isObject(value)) throw new ScraperError('expected an object with the fields type and content');
  const type = Object.hasOwn(value, 'type') ? value.type : undefined;
  if (typeof type !== 'string' && type !== undefined && type !== null) throw new ScraperError('type is expected to be a string');
  return { type: type ?? '', content: membersOf(line).get('content') };
}

/** @throws ScraperError */
function parsed(line: string): unknown {
  if (line.trim() === '') throw new ScraperError('the line is empty, expected a JSON object');
  try {
    return JSON.parse(line);
  } catch (error) {
    // The parser's message quotes the line, which may hold keys.
    const [, position] = / at position ([0-9]+)/.exec((error as Error).message) ?? [];
    throw new ScraperError(`the line is no JSON${position === undefined ? '' : ` from character ${position} on`}`);
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function errorAnswer(message: string): Answer {
  return { type: 'error', content: JSON.stringify(message) };
}

/** One line, with its end. */
export function lineOf({ type, content }: Answer): string {
  return `{"type":"${type}"${content === undefined ? '' : `,"content":${compact(content)}`}}\n`;
}

/**
 * A line of the log as people read it: time, level, message, then details as `key=value` in a second colour, wrapped at the terminal's width.
 *
 * Pure: from pino's JSON to text. Much of it comes from clients and origins, so nothing in it reaches the terminal as a control character.
 * A word that is wider than the terminal, such as a URL, stays whole, so that it can be copied; but of captures each is one row.
 */
import { inBytes } from './figures-line.ts';

export interface LineStyle {
  readonly columns: number;
  readonly colour: boolean;
}

interface Entry {
  readonly level: string;
  readonly time: string;
  readonly msg?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Word {
  readonly text: string;
  readonly paint?: Paint | undefined;
}

type Paint = keyof typeof PAINTS;

/** ECMA-48 §8.3.117 (SGR) */
const PAINTS = { dim: '2', red: '31', green: '32', yellow: '33', blue: '34' } as const;
const LEVEL_PAINTS: Readonly<Record<string, Paint>> = { error: 'red', fatal: 'red', warn: 'yellow', info: 'green' };
const LEVEL_WIDTH = 5;
/** Below the level, where there is room for that. */
const INDENT = 'HH:MM:SS '.length;
const NARROW = 60;
const NARROW_INDENT = 2;
const WIDE = 100;
const TYPE_WIDTH = 10;
const MAX_TYPE = 24;
const MIN_URL = 16;
const ERROR_KEYS = new Set(['err', 'error', 'thrown']);

/** @param json one line of the log. @returns one line or more, with line feeds */
export function lineForPeople(json: string, style: LineStyle): string {
  const { level, time, msg = '', ...fields } = JSON.parse(json) as Omit<Entry, 'fields'> & Entry['fields'];
  const entry = { level, time, msg, fields };
  return level === 'verbose' ? captureRow(entry, style) : messageLines(entry, style);
}

function messageLines({ level, time, msg = '', fields }: Entry, style: LineStyle): string {
  const label = level.toUpperCase().padEnd(LEVEL_WIDTH);
  const begin: Word[] = [
    { text: clock(time), paint: 'dim' },
    { text: label, paint: LEVEL_PAINTS[level] ?? 'blue' },
  ];
  const stacks: string[] = [];
  const details = Object.entries(fields).flatMap(([key, value]) => detailsOf(key, value, msg, stacks));
  const indent = style.columns < NARROW ? NARROW_INDENT : INDENT;
  const wrapped = wrap(
    begin,
    wordsOf(clean(msg)),
    details.flatMap((text) => wordsOf(text, 'dim')),
    { indent, columns: style.columns },
  );
  const lines = wrapped.map((words, index) => (index === 0 ? '' : ' '.repeat(indent)) + painted(words, style));
  const traced = stacks
    .flatMap((stack) => stack.split('\n'))
    .map((line) => painted([{ text: `    ${clean(line.trim())}`, paint: 'dim' }], style));
  return [...lines, ...traced].map((line) => `${line}\n`).join('');
}

/** A capture, in columns. A narrow terminal shows the second half of its type, and of a long URL beginning and end. */
function captureRow({ time, fields }: Entry, style: LineStyle): string {
  const text = (key: string) => {
    const value = fields[key];
    return typeof value === 'string' || typeof value === 'number' ? clean(String(value)) : '-';
  };
  const archived = text('archived');
  const type = shortened(style.columns < WIDE ? text('type').replace(/^[^/]*\//, '') : text('type'), MAX_TYPE);
  const row: Word[] = [
    { text: clock(time), paint: 'dim' },
    { text: text('method').padEnd(4) },
    { text: text('status') },
    { text: inBytes(Number(fields.size)).padStart(7) },
    { text: archived.padEnd('skipped'.length), paint: archived === 'failed' ? 'red' : archived === 'new' ? 'green' : 'yellow' },
    { text: type.padEnd(TYPE_WIDTH), paint: 'dim' },
  ];
  const room = Math.max(style.columns - widthOf(row) - 1, MIN_URL);
  return `${painted([...row, { text: shortened(text('url'), room) }], style)}\n`;
}

function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.floor(room / 2);
  return `${text.slice(0, room - end - 1)}…${text.slice(-end)}`;
}

/** Whether the details stand behind the message or below it, and where lines break. */
function wrap(
  begin: readonly Word[],
  message: readonly Word[],
  details: readonly Word[],
  { indent, columns }: { indent: number; columns: number },
): Word[][] {
  const lines: Word[][] = [[...begin]];
  let width = widthOf(begin);
  const add = (words: readonly Word[]) => {
    for (const word of words) {
      if (width + 1 + word.text.length > columns && width > indent) {
        lines.push([]);
        width = indent - 1;
      }
      lines.at(-1)?.push(word);
      width += 1 + word.text.length;
    }
  };
  add(message);
  if (details.length > 0 && width + 1 + widthOf(details) > columns) {
    lines.push([]);
    width = indent - 1;
  }
  add(details);
  return lines;
}

function widthOf(words: readonly Word[]): number {
  return words.reduce((sum, { text }) => sum + text.length + 1, -1);
}

function painted(words: readonly Word[], { colour }: LineStyle): string {
  return words.map(({ text, paint }) => (colour && paint !== undefined ? `\x1b[${PAINTS[paint]}m${text}\x1b[0m` : text)).join(' ');
}

function wordsOf(text: string, paint?: Paint): Word[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ text: word, paint }));
}

/** `key=value`, or several of them for what has parts. @param stacks gets those of errors, which are shown at the level trace */
function detailsOf(key: string, value: unknown, said: string, stacks: string[]): string[] {
  if (typeof value !== 'object' || value === null) return [`${clean(key)}=${quoted(value)}`];
  if (ERROR_KEYS.has(key) && 'message' in value) return errorDetails(key, value, said, stacks);
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return [`${clean(key)}=${quoted(value.join(','))}`];
  return Object.entries(value).flatMap(([name, part]) => detailsOf(`${key}.${name}`, part, said, stacks));
}

interface ToldError {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly stack?: unknown;
  readonly cause?: unknown;
}

/** What an error and its causes say that the message has not said already. */
function errorDetails(key: string, error: ToldError, said: string, stacks: string[]): string[] {
  const reasons: string[] = [];
  const codes: string[] = [];
  for (let each: ToldError | undefined = error; each !== undefined; each = causeOf(each)) {
    const { message, code, stack } = each;
    if (typeof message === 'string' && message !== '' && !clean(said).includes(clean(message))) reasons.push(message);
    if (typeof code === 'string' && !codes.includes(code)) codes.push(code);
    if (typeof stack === 'string') stacks.push(stack);
  }
  return [
    ...(reasons.length === 0 ? [] : [`${key}=${quoted(reasons.join(': '))}`]),
    ...(codes.length === 0 ? [] : [`${key}.code=${quoted(codes.join(','))}`]),
  ];
}

function causeOf({ cause }: ToldError): ToldError | undefined {
  return typeof cause === 'object' && cause !== null ? cause : undefined;
}

function quoted(value: unknown): string {
  const text = clean(String(value));
  return /^[^\s"]+$/.test(text) ? text : JSON.stringify(text);
}

/** On one line, and with nothing that a terminal obeys or that turns the direction of text. */
function clean(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(
      /[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

/** `HH:MM:SS`, by the clock on the wall */
function clock(time: string): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

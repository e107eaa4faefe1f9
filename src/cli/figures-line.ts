/**
 * What a core has done, in words of one line: of as many as fit.
 *
 * Pure. Each part has several forms, from long to short; in a fixed order they are shortened, step by step, until the line is narrow enough.
 */
import type { Figures } from '../programs/figures.ts';

/** Of late, in a second. */
export interface Rates {
  readonly captures: number;
  readonly warcBytes: number;
}

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
export const SEPARATOR = ' · ';
const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** A line for people who watch. @param columns of the terminal; the line is at least one narrower */
export function liveLine(figures: Figures, rates: Rates, columns: number): string {
  const { captures, errors, active, waiting, queued, warcFiles, warcBytes } = figures;
  if (captures + errors + active + waiting === 0) return cut('waiting for the first request', columns - 1);
  const parts = {
    captures: [...capturesInWords(figures), NUMBER.format(captures)],
    errors: [counted(errors, 'error'), `${NUMBER.format(errors)} err`, ''],
    size: [inBytes(warcBytes), ''],
    rate: [`${perSecond(rates.captures)}/s`, ''],
    flow: [`${inBytes(rates.warcBytes)}/s`, ''],
    active: [
      ...(waiting === 0 ? [] : [`${NUMBER.format(active)} under way, ${NUMBER.format(waiting)} waiting`]),
      `${NUMBER.format(active)} under way`,
      '',
    ],
    queue: [`queue ${NUMBER.format(queued)}`, ''],
    files: [counted(warcFiles, 'file'), ''],
  };
  // What is looked at least is the first to be shortened. Nothing waits to be written in a slow crawl, whose requests are long under way.
  const [idle, busy] = queued === 0 ? [parts.queue, parts.active] : [parts.active, parts.queue];
  const first = [
    parts.flow,
    ...(waiting === 0 ? [] : [parts.active]),
    parts.captures,
    idle,
    ...(active + queued === 0 ? [busy, parts.files] : [parts.files, busy]),
  ];
  const last = [parts.errors, parts.captures, parts.rate, parts.size, parts.captures, parts.errors];
  return fitted(Object.values(parts), [...first, ...last], columns - 1);
}

/** What remains of a whole run, which took so long. */
export function finalLine(figures: Figures, seconds: number, columns: number): string {
  const { errors, warcBytes, warcFiles } = figures;
  const captures = capturesInWords(figures);
  const size = [`${inBytes(warcBytes)} in ${counted(warcFiles, 'file')}`, inBytes(warcBytes)];
  const time = [inTime(seconds), ''];
  return fitted([captures, [counted(errors, 'error')], size, time], [captures, size, captures, time], columns - 1);
}

/** `1,204 captures (1,100 new, 104 duplicates)`, and shorter */
function capturesInWords({ captures, new: fresh, duplicates }: Figures): string[] {
  const total = counted(captures, 'capture');
  const skipped = captures - fresh - duplicates;
  const kinds = (duplicate: string) =>
    [
      `${NUMBER.format(fresh)} new`,
      `${NUMBER.format(duplicates)} ${duplicate}`,
      ...(skipped > 0 ? [`${NUMBER.format(skipped)} skipped`] : []),
    ].join(', ');
  return [`${total} (${kinds(duplicates === 1 ? 'duplicate' : 'duplicates')})`, `${total} (${kinds('dup')})`, total];
}

/** @param parts each from its longest form to its shortest @param cuts which of them is shortened next */
function fitted(parts: readonly string[][], cuts: readonly string[][], width: number): string {
  const line = () =>
    parts
      .map(([form]) => form)
      .filter((form) => form !== '')
      .join(SEPARATOR);
  for (const part of cuts) {
    if (line().length <= width) break;
    part.shift();
  }
  return cut(line(), width);
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 0))}…`;
}

export function counted(count: number, word: string): string {
  return `${NUMBER.format(count)} ${word}${count === 1 ? '' : 's'}`;
}

function perSecond(rate: number): string {
  return rate >= 100 ? NUMBER.format(rate) : rate.toFixed(1);
}

/** Three digits: `56.2 MB` */
export function inBytes(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const larger of UNITS) {
    if (value < 999.5) break;
    value /= 1000;
    unit = larger;
  }
  return `${unit === 'B' || value >= 99.95 ? NUMBER.format(value) : value.toFixed(value >= 9.995 ? 1 : 2)} ${unit}`;
}

/** `12 s`, `12 min 5 s`, `3 h 12 min` */
function inTime(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${NUMBER.format(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

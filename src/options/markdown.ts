/**
 * Options as people read them: flags, defaults, and Markdown tables, one for each heading, laid out as prettier would.
 *
 * docs/options.md holds a copy of the tables, and a test keeps it in step.
 */
import { flagOf, type OptionRow, type OptionRows } from './row.ts';

export function optionsTable(rows: OptionRows): string {
  const groups = [...new Set(Object.values(rows).map(({ group }) => group))];
  return groups.map((heading) => `**${heading}**\n\n${table(rows, heading)}`).join('\n');
}

/** `-p, --port` */
export function flagsOf(name: string, { short }: OptionRow): string {
  return short === undefined ? `--${flagOf(name)}` : `-${short}, --${flagOf(name)}`;
}

/** The default as people read it, and whether it is the very text that could be given. */
export function shownDefault({ kind, default: value, defaultText }: OptionRow): { text: string; literal: boolean } {
  if (kind.shape === 'switch') return { text: 'off', literal: false };
  if (defaultText === undefined) return { text: String(value), literal: true };
  return { text: defaultText, literal: typeof value === 'function' };
}

/** What it is for, and whether a program that runs takes a new value over. */
export function meaningOf({ summary, reloadable }: OptionRow): string {
  return reloadable === true ? `${summary}; reloadable` : summary;
}

function table(rows: OptionRows, heading: string): string {
  const body = Object.entries(rows)
    .filter(([, row]) => row.group === heading)
    .map(([name, row]) => cells(name, row));
  const head = ['option', 'default', 'meaning'];
  const widths = [0, 1, 2].map((column) => Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + body.map(line).join('');
}

function cells(name: string, row: OptionRow): string[] {
  const { argument } = row;
  const { text, literal } = shownDefault(row);
  return [`\`${flagsOf(name, row)}${argument === undefined ? '' : ` ${argument}`}\``, literal ? `\`${text}\`` : text, meaningOf(row)];
}

/**
 * The options as Markdown tables, one for each purpose, laid out as prettier would: the README holds a copy, and a test keeps it in step.
 */
import { flagOf, OPTION_NAMES, rowOf, type OptionName } from './table.ts';

export function optionsTable(): string {
  const groups = [...new Set(OPTION_NAMES.map((name) => rowOf(name).group))];
  return groups.map((group) => `**${group}**\n\n${table(OPTION_NAMES.filter((name) => rowOf(name).group === group))}`).join('\n');
}

/** `-p, --port` */
export function flagsOf(name: OptionName): string {
  const { short } = rowOf(name);
  return short === undefined ? `--${flagOf(name)}` : `-${short}, --${flagOf(name)}`;
}

/** The default as people read it, and whether it is the very text that could be given. */
export function shownDefault(name: OptionName): { text: string; literal: boolean } {
  const { kind, default: value, defaultText } = rowOf(name);
  if (kind.shape === 'switch') return { text: 'off', literal: false };
  if (defaultText === undefined) return { text: String(value), literal: true };
  return { text: defaultText, literal: typeof value === 'function' };
}

function table(names: readonly OptionName[]): string {
  const rows = [['option', 'default', 'meaning'], ...names.map(cells)];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [head = [], ...body] = rows;
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + body.map(line).join('');
}

function cells(name: OptionName): string[] {
  const { argument, summary } = rowOf(name);
  const { text, literal } = shownDefault(name);
  return [`\`${flagsOf(name)}${argument === undefined ? '' : ` ${argument}`}\``, literal ? `\`${text}\`` : text, summary];
}

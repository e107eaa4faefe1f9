/**
 * The manual page, from the same tables as `--help`.
 *
 * Source: man(7), as groff and mandoc read it.
 */
import { variableOf } from '../options/row.ts';
import { ABOUT_SETTINGS } from './build.ts';
import type { CommandFamily, CommandSpec } from './command.ts';
import { EXIT, type ExitName } from './exit.ts';
import type { OutlinedCommand, OutlinedOption } from './outline.ts';

/** @param outline the program itself first */
export function manPage(outline: readonly OutlinedCommand[], version: string): string {
  const [program, ...commands] = outline;
  if (program === undefined) throw new TypeError('there is no program');
  const leaves = commands.filter((command) => command.commands.length === 0);
  const parts = [
    `.TH WARCTAP 1 "" "warctap ${escaped(version)}" "User Commands"`,
    '.SH NAME',
    `warctap \\- ${escaped(uncapitalized(program.spec.summary))}`,
    '.SH SYNOPSIS',
    ...[program, ...leaves].flatMap((command, index) => [
      ...(index === 0 ? [] : ['.br']),
      `.B ${escaped(typed(command))}`,
      `[\\fIOPTION\\fR ...] ${operands(command)}`.trim(),
    ]),
    '.SH DESCRIPTION',
    'Without a command it runs the proxy, until SIGINT, SIGTERM or SIGHUP.',
    '.PP',
    paragraph(ABOUT_SETTINGS),
    '.SH OPTIONS',
    ...groups(program.options, '.SS'),
    '.SH COMMANDS',
    ...leaves.flatMap((command) => [
      `.SS ${escaped(typed(command))} ${operands(command)}`.trim(),
      escaped(command.spec.summary),
      ...notes(command.spec),
      ...command.options.flatMap(entry),
      ...exits(command.spec),
    ]),
    '.SH EXIT STATUS',
    ...exitEntries(program.spec),
    '.SH ENVIRONMENT',
    '.TP',
    `.BR ${escaped(variableOf('port'))} " and so on"`,
    'Each option by its name in capitals, as told above.',
  ];
  return `${parts.join('\n')}\n`;
}

function typed({ path }: OutlinedCommand): string {
  return `warctap ${path}`.trim();
}

function operands({ spec }: OutlinedCommand): string {
  return 'operands' in spec ? escaped(spec.operands.name) : '';
}

function groups(options: readonly OutlinedOption[], macro: string): string[] {
  const headings = [...new Set(options.map(({ group }) => group))];
  return headings.flatMap((heading) => [
    `${macro} ${escaped(heading)}`,
    ...options.filter(({ group }) => group === heading).flatMap(entry),
  ]);
}

function entry({ long, short, argument, meaning }: OutlinedOption): string[] {
  const flags = [...(short === undefined ? [] : [`-${short}`]), `--${long}`].map((flag) => `\\fB${escaped(flag)}\\fR`).join(', ');
  return ['.TP', argument === undefined ? flags : `${flags} \\fI${escaped(argument)}\\fR`, paragraph(meaning)];
}

/** Their lines are broken already, some are lists. */
function notes({ notes: text }: CommandSpec | CommandFamily): string[] {
  return text === undefined ? [] : ['.PP', '.nf', ...text.split('\n').map(line), '.fi'];
}

function exits(spec: CommandSpec | CommandFamily): string[] {
  return ['.PP', 'Exit status:', ...exitEntries(spec)];
}

function exitEntries(spec: CommandSpec | CommandFamily): string[] {
  if (!('exits' in spec)) return [];
  const entries = Object.entries(spec.exits).flatMap(([name, meaning]) => ['.TP', `.B ${EXIT[name as ExitName].code}`, paragraph(meaning)]);
  return spec.exitNotes === undefined ? entries : [...entries, '.PP', paragraph(spec.exitNotes)];
}

function paragraph(text: string): string {
  return line(text.replace(/\s+/g, ' ').trim());
}

/** A line of text: a dot or a quote at its beginning is not a request. */
function line(text: string): string {
  return escaped(text).replace(/^(?=[.'])/, '\\&');
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^\0-\x7f]/gu, (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`);
}

function uncapitalized(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '');
}

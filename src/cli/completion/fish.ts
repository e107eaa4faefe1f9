/**
 * Completion for fish, 3.0 or newer. fish reads options and their values by itself; which command they belong to is asked of a function.
 */
import type { Suggestion } from '../../options/kinds.ts';
import { flagsWithValue, lines, shown, type CompletionScript } from './words.ts';

export const fish: CompletionScript = (outline) => {
  const valued = flagsWithValue(outline).flatMap(({ flags }) => flags);
  const paths = outline.map(({ path }) => path).filter((path) => path !== '');
  return lines(
    '# Completion of warctap for fish, made by: warctap completion fish',
    'function __warctap_at',
    '  set -l at',
    '  set -l value 0',
    '  for word in (commandline -opc)[2..-1]',
    '    if test $value = 1',
    '      set value 0',
    `    else if contains -- $word ${valued.join(' ')}`,
    '      set value 1',
    `    else if contains -- (string join ' ' -- $at $word) ${paths.map(quoted).join(' ')}`,
    '      set at $at $word',
    '    end',
    '  end',
    '  test "$at" = "$argv[1]"',
    'end',
    'complete -c warctap -e',
    'complete -c warctap -f',
    ...outline.flatMap(({ path, commands, options, operands }) => {
      const here = `complete -c warctap -n ${quoted(`__warctap_at ${quoted(path)}`)}`;
      return [
        ...commands.map(({ name, summary }) => `${here} -a ${name} -d ${quoted(summary)}`),
        ...(operands === undefined ? [] : [`${here} ${operands === 'files' ? '-F' : `-a ${quoted(operands.join(' '))}`}`]),
        ...shown(options).map(({ long, short, argument, meaning, suggest }) =>
          [
            here,
            ...(short === undefined ? [] : [`-s ${short}`]),
            `-l ${long}`,
            ...(argument === undefined ? [] : [values(suggest)]),
            `-d ${quoted(meaning)}`,
          ].join(' '),
        ),
      ];
    }),
  );
};

function values(suggest: Suggestion | undefined): string {
  return suggest === undefined ? '-x' : suggest === 'files' ? '-r -F' : `-x -a ${quoted(suggest.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

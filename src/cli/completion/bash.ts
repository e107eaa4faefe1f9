/**
 * Completion for bash, 3.2 or newer, without the package bash-completion.
 *
 * bash takes `--option=value` apart at the sign, so the sign is a word of its own.
 */
import type { Suggestion } from '../../options/kinds.ts';
import { flagsOf, flagsWithValue, lines, shown, type CompletionScript } from './words.ts';

export const bash: CompletionScript = (outline) => {
  const valued = flagsWithValue(outline);
  const paths = outline.map(({ path }) => path).filter((path) => path !== '');
  return lines(
    '# Completion of warctap for bash, made by: warctap completion bash',
    '_warctap() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} at= word i',
    '  COMPREPLY=()',
    `  if [[ $cur == = ]]; then cur=; elif [[ $option == = ]]; then option=\${COMP_WORDS[COMP_CWORD-2]}; fi`,
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word=${COMP_WORDS[i]}',
    '    case $word in',
    '      =) ((i++)) ;;',
    `      ${valued.flatMap(({ flags }) => flags).join('|')}) [[ \${COMP_WORDS[i+1]} == = ]] || ((i++)) ;;`,
    '      -*) ;;',
    `      *) case \${at:+$at }$word in ${paths.map(quoted).join('|')}) at=\${at:+$at }$word ;; esac ;;`,
    '    esac',
    '  done',
    '  case $option in',
    ...valued.map(({ flags, suggest }) => `    ${flags.join('|')}) ${reply(suggest)}; return ;;`),
    '  esac',
    '  case $at in',
    ...outline.flatMap(({ path, commands, options, operands }) => [
      `    ${quoted(path)})`,
      `      if [[ $cur == -* ]]; then ${reply(shown(options).flatMap((option) => flagsOf(option).slice(-1)))}`,
      `      else ${reply(commands.length > 0 ? commands.map(({ name }) => name) : operands)}; fi ;;`,
    ]),
    '  esac',
    '}',
    '_warctap_files() {',
    `  local IFS=$'\\n'`,
    '  compopt -o filenames 2>/dev/null',
    '  COMPREPLY=($(compgen -f -- "$1"))',
    '}',
    'complete -F _warctap warctap',
  );
};

function reply(suggest: Suggestion | undefined): string {
  if (suggest === undefined) return ':';
  return suggest === 'files' ? '_warctap_files "$cur"' : `COMPREPLY=($(compgen -W ${quoted(suggest.join(' '))} -- "$cur"))`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

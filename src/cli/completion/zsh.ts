/**
 * Completion for zsh: a file `_warctap` of $fpath, or read by `source` after compinit.
 */
import type { Suggestion } from '../../options/kinds.ts';
import { flagsOf, flagsWithValue, lines, shown, type CompletionScript } from './words.ts';

export const zsh: CompletionScript = (outline) => {
  const valued = flagsWithValue(outline);
  const paths = outline.map(({ path }) => path).filter((path) => path !== '');
  return lines(
    '#compdef warctap',
    '# Completion of warctap for zsh, made by: warctap completion zsh',
    '_warctap() {',
    '  local option=${words[CURRENT-1]} at= word i',
    '  local -a described',
    `  if [[ \${words[CURRENT]} == --*=* ]]; then option=\${words[CURRENT]%%=*}; compset -P '*='; fi`,
    '  for ((i = 2; i < CURRENT; i++)); do',
    '    word=${words[i]}',
    '    case $word in',
    `      ${valued.flatMap(({ flags }) => flags).join('|')}) ((i++)) ;;`,
    '      -*) ;;',
    `      *) case \${at:+$at }$word in ${paths.map((path) => `(${quoted(path)})`).join(' at=${at:+$at }$word ;; ')} at=\${at:+$at }$word ;; esac ;;`,
    '    esac',
    '  done',
    '  case $option in',
    ...valued.map(({ flags, suggest }) => `    ${flags.join('|')}) ${reply(suggest)}; return ;;`),
    '  esac',
    '  case $at in',
    ...outline.flatMap(({ path, commands, options, operands }) => [
      `    (${quoted(path)})`,
      '      if [[ ${words[CURRENT]} == -* ]]; then',
      `        described=(${shown(options)
        .flatMap((option) => flagsOf(option).map((flag) => described(flag, option.meaning)))
        .join(' ')})`,
      `        _describe -o option described`,
      commands.length > 0
        ? `      else described=(${commands.map(({ name, summary }) => described(name, summary)).join(' ')}); _describe command described; fi ;;`
        : `      else ${reply(operands)}; fi ;;`,
    ]),
    '  esac',
    '}',
    'if [[ ${funcstack[1]} == _warctap ]]; then _warctap "$@"; else compdef _warctap warctap; fi',
  );
};

function reply(suggest: Suggestion | undefined): string {
  if (suggest === undefined) return '_message value';
  return suggest === 'files' ? '_files' : `compadd -- ${suggest.map(quoted).join(' ')}`;
}

/** A colon parts the two. */
function described(word: string, meaning: string): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${meaning}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

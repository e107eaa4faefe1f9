/** The completion scripts, in the shells themselves. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { COMMANDS, DEFAULT_COMMAND } from '../../src/cli/commands/list.ts';
import { outlineOf } from '../../src/cli/outline.ts';
import { findTool } from '../support/tools.ts';
import { runHere, runToEnd } from './child.ts';

const SHELLS = {
  bash: findTool({ commands: ['bash'], ask: ['--version'], says: /^GNU bash, version/ }),
  zsh: findTool({ commands: ['zsh'], ask: ['--version'], says: /^zsh \d/ }),
  fish: findTool({ commands: ['fish'], ask: ['--version'], says: /^fish, version/ }),
};
type Shell = keyof typeof SHELLS;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'warctap-completion-'));
  writeFileSync(join(folder, 'some file.warc'), '');
});
after(() => rmSync(folder, { recursive: true }));

async function script(shell: Shell): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(['completion', shell]);
  assert.deepEqual([code, stderr], [0, '']);
  const file = join(folder, `completion.${shell}`);
  writeFileSync(file, stdout);
  return file;
}

function run(shell: Shell, args: readonly string[]): string {
  const env = { PATH: process.env.PATH, HOME: folder, TERM: 'xterm', LC_ALL: 'C.UTF-8' };
  const { stdout, stderr, status } = spawnSync(SHELLS[shell].command, args, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

/** What is typed, word by word as bash takes them apart, and what is offered. */
const CASES: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [['--fs'], ['--fsync']],
  [
    ['--fsync', ''],
    ['never', 'close', 'capture'],
  ],
  [
    ['--fsync', '=', 'c'],
    ['close', 'capture'],
  ],
  [['--ssl-context', 'f'], ['firefox']],
  [['--port', ''], []],
  [['ve'], ['verify']],
  [['ca', ''], ['export']],
  [
    ['ca', 'export', '--p'],
    ['--p12', '--password'],
  ],
  // A setting may stand before the command; the value of an option is no command.
  [['--cacert', 'repair', 'ca', 'ex'], ['export']],
  [['--dir', 'so'], ['some file.warc']],
  [['verify', 'so'], ['some file.warc']],
  [['verify', '--allow'], ['--allow-unresolved']],
  [['passwd', 's'], []],
  [['completion', 'z'], ['zsh']],
];

test('bash', { skip: SHELLS.bash.skip }, async () => {
  const file = await script('bash');
  const ask = `
    source "$1"; shift
    [[ $(complete -p warctap) == *"-F _warctap warctap" ]] || exit 3
    COMP_WORDS=(warctap "$@"); COMP_CWORD=$#
    _warctap
    for each in "\${COMPREPLY[@]}"; do printf '%s\\n' "$each"; done`;
  for (const [words, offered] of CASES) {
    const said = run('bash', ['--noprofile', '--norc', '-c', ask, 'bash', file, ...words]);
    assert.deepEqual(said.split('\n').slice(0, -1), offered, words.join(' '));
  }
});

test('fish', { skip: SHELLS.fish.skip }, async () => {
  const file = await script('fish');
  const lines = CASES.map(([words]) => `warctap ${words.join(' ').replace(' = ', '=')}`);
  // What is in the environment may hold no list, so the lines are arguments.
  const ask = `source $argv[1]; for line in $argv[2..-1]; complete -C $line; echo ==; end`;
  const answers = run('fish', ['--no-config', '-c', ask, '--', file, ...lines]).split('==\n');
  for (const [index, [words, offered]] of CASES.entries()) {
    const said = (answers[index] ?? '')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t')[0] ?? '');
    const values = said.map((each) => each.replace(/^--fsync=/, '').replace(/\\(?= )/g, ''));
    assert.deepEqual(values.sort(), [...offered].sort(), words.join(' '));
  }
});

test('zsh', { skip: SHELLS.zsh.skip }, async () => {
  const file = await script('zsh');
  // A shell on a terminal of its own, into which a line is typed, with a tab at its end and whatever completes it shown.
  const ask = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1= PROMPT_EOL_MARK=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source \${(q)1}; echo REA''DY"
    zpty -r shell said '*READY*'
    shift
    while (($#)); do
      zpty -w -n shell "$1"$'\\t'
      zpty -r shell said "*$2*" || exit 4
      zpty -w -n shell $'\\C-u'
      shift 2
    done
    zpty -d shell`;
  const typed = CASES.filter(([, offered]) => offered.length === 1).map(
    ([words, [offered = '']]) => [`warctap ${words.join(' ').replace(' = ', '=')}`, offered.replaceAll(' ', '\\\\ ')] as const,
  );
  assert.ok(typed.length > 6);
  run('zsh', ['-f', '-c', ask, 'zsh', file, ...typed.flat()]);
});

describe('the outline behind them', () => {
  const outline = outlineOf(DEFAULT_COMMAND, COMMANDS);

  test('an option takes a value, or none, whichever command has it', () => {
    const shapes = new Map<string, string>();
    for (const { options } of outline)
      for (const { long, short = '', argument, suggest } of options) {
        const shape = JSON.stringify([short, argument === undefined, suggest]);
        assert.equal(shapes.get(long) ?? shape, shape, long);
        shapes.set(long, shape);
      }
  });

  test('has every option that the help of its command has', async () => {
    for (const { path, options } of outline) {
      const { stdout } = await runHere(...path.split(' ').filter((word) => word !== ''), '--help');
      const told = [...stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, flag]) => flag);
      assert.deepEqual(
        told,
        options.filter(({ hidden }) => !hidden).map(({ long }) => long),
        path,
      );
    }
  });
});

test('another shell is refused', async () => {
  assert.deepEqual(await runToEnd(['completion', 'tcsh']), {
    code: 2,
    stdout: '',
    stderr: 'warctap: completion: expected one of: bash, zsh, fish\n',
  });
});

/**
 * `warctap completion SHELL`: a script that lets a shell complete commands, options and their values.
 */
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const completion = defineCommand({
  name: 'completion',
  summary: 'Print the script by which a shell completes commands, options and file names.',
  operands: { name: `[${SHELLS.join('|')}]`, summary: 'the shell' },
  notes: `To switch it on:
  bash  warctap completion bash > ~/.local/share/bash-completion/completions/warctap
  zsh   warctap completion zsh > _warctap, in a folder of $fpath
  fish  warctap completion fish > ~/.config/fish/completions/warctap.fish
For one terminal: source <(warctap completion bash), after compinit in zsh.`,
  exits: { ok: 'printed', failed: 'a fault of warctap', usage: 'bad option or argument' },

  async run({ operands: [name, ...more] }) {
    const shell = SHELLS.find((each) => each === name);
    if (shell === undefined || more.length > 0) throw new UsageError(`completion: expected one of: ${SHELLS.join(', ')}`);
    const [{ COMMANDS, DEFAULT_COMMAND }, { outlineOf }, { bash }, { zsh }, { fish }] = await Promise.all([
      import('./list.ts'),
      import('../outline.ts'),
      import('../completion/bash.ts'),
      import('../completion/zsh.ts'),
      import('../completion/fish.ts'),
    ]);
    const script = { bash, zsh, fish }[shell](outlineOf(DEFAULT_COMMAND, COMMANDS));
    await new Promise<void>((done) => process.stdout.write(script, () => done()));
    return EXIT.ok.code;
  },
});

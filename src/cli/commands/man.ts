/**
 * `warctap man`: the manual page, for whoever reads or installs it.
 */
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';

export const man = defineCommand({
  name: 'man',
  summary: 'Print the manual page.',
  notes: 'To read it: warctap man | man -l -',
  exits: { ok: 'printed', failed: 'a fault of warctap', usage: 'bad option or argument' },

  async run() {
    const [{ COMMANDS, DEFAULT_COMMAND }, { outlineOf }, { manPage }, { readVersion }] = await Promise.all([
      import('./list.ts'),
      import('../outline.ts'),
      import('../man-page.ts'),
      import('../../util/version.ts'),
    ]);
    const page = manPage(outlineOf(DEFAULT_COMMAND, COMMANDS), readVersion());
    await new Promise<void>((done) => process.stdout.write(page, () => done()));
    return EXIT.ok.code;
  },
});

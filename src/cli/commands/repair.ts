/**
 * `warctap repair`: a line for each WARC file, with what was done to it.
 */
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';
import { warcFiles } from '../warc-operands.ts';
import { reasonOf } from '../../util/thrown.ts';

export const repair = defineCommand({
  name: 'repair',
  summary: 'Cut WARC files behind their last whole record, and give open ones their final names.',
  operands: { name: '[FILE|DIR...]', summary: 'WARC files of any tool, or folders of them, plain or gzip' },
  notes: `Prints a line for each file. An open file in which nothing is whole is deleted.
Left as they are: a file that another process has locked, one in which whole
records follow behind damage, and one that holds no whole record. Another
file is never replaced: where NAME is taken, NAME.open becomes NAME-1.`,
  exits: { ok: 'every file is whole now', failed: 'a file could not be repaired', usage: 'bad option or argument' },

  async run({ operands }) {
    const files = await warcFiles('repair', operands);
    const [tool, { loadLock }] = await Promise.all([import('../../warc/tools/repair.ts'), import('../../warc/write/output.ts')]);
    const lock = loadLock();
    let allWhole = true;
    for (const file of files) {
      try {
        const { ok, told } = await tool.repair(file, lock);
        allWhole &&= ok;
        process.stdout.write(`${file}: ${told}\n`);
      } catch (error) {
        allWhole = false;
        process.stdout.write(`${file}: not repaired: ${reasonOf(error)}\n`);
      }
    }
    return allWhole ? EXIT.ok.code : EXIT.failed.code;
  },
});

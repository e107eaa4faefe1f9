/**
 * `warctap store`: what can be done by hand to the databases of deduplication, statistics and playback.
 */
import { anyText, path } from '../../options/kinds.ts';
import { group } from '../../options/row.ts';
import type { Log } from '../../util/log.ts';
import { defineCommand, type CommandFamily } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';

const FOLDER = { name: '[FOLDER]', summary: 'a LevelDB folder, as of --dedup-db-file; of a proxy that does not run' };

const check = defineCommand({
  name: 'check',
  summary: 'Look at every byte of a database for damage. Changes nothing.',
  operands: FOLDER,
  notes: 'Prints a line for each damaged file, or one when there is none.',
  exits: { ok: 'no damage', failed: 'damage, or no database', usage: 'bad option or argument' },

  async run({ operands }) {
    const folder = oneFolder('store check', operands);
    const { checkDatabase } = await import('../../store/level/tools.ts');
    const { damages, files } = await checkDatabase(folder);
    for (const damage of damages) process.stdout.write(`${folder}: ${damage}\n`);
    if (damages.length === 0) process.stdout.write(`${folder}: ok, ${files} files\n`);
    return damages.length === 0 ? EXIT.ok.code : EXIT.failed.code;
  },
});

const repair = defineCommand({
  name: 'repair',
  summary: 'Leave out what is damaged in a database, and keep everything else.',
  operands: FOLDER,
  notes: `Prints what was damaged, and how many entries are left; the proxy does the same
when it starts. What LevelDB puts aside stands in FOLDER/lost until the next
repair. Entries of lost originals come back with "store rebuild".`,
  exits: { ok: 'the database is whole now', failed: 'it could not be repaired, or is none', usage: 'bad option or argument' },

  async run({ operands }) {
    const folder = oneFolder('store repair', operands);
    const { repairDatabase } = await import('../../store/level/tools.ts');
    const { log, lines } = printed();
    await repairDatabase(folder, log);
    if (lines() === 0) process.stdout.write(`${folder}: nothing to repair\n`);
    return EXIT.ok.code;
  },
});

const rebuild = defineCommand({
  name: 'rebuild',
  summary: 'Put back what the deduplication and playback indexes lack, from the WARC files.',
  operands: { ...FOLDER, summary: `${FOLDER.summary}; made if there is none` },
  own: group('Options', {
    from: { argument: 'DIR', kind: path, defaultText: 'none', summary: 'the folder of the WARC files: --dir of the proxy' },
    bucket: {
      argument: 'NAME',
      kind: anyText,
      defaultText: 'none',
      summary: 'deduplication bucket of the entries; WARC files do not say which it was',
    },
  }),
  notes: `Entries that are there stay. Statistics are not rebuilt: which bucket a capture
was counted in does not stand in WARC files.`,
  exits: { ok: 'all files were read', failed: 'a file could not be read to its end', usage: 'bad option or argument' },

  async run({ operands, own: { from, bucket = '' } }) {
    const folder = oneFolder('store rebuild', operands);
    if (from === undefined) throw new UsageError('store rebuild: expected --from DIR, the folder of the WARC files');
    const { rebuild: build } = await import('../../programs/rebuild.ts');
    let faults = 0;
    const onFault = (file: string, problem: string) => {
      faults++;
      process.stdout.write(`${file}: ${problem}\n`);
    };
    const { files, records, dedup, playback } = await build({ folder, from, bucket, onFault, log: printed().log });
    process.stdout.write(
      `${folder}: ${records} records in ${files} files, added ${dedup} entries for deduplication and ${playback} captures for playback\n`,
    );
    return faults === 0 ? EXIT.ok.code : EXIT.failed.code;
  },
});

export const store: CommandFamily = {
  name: 'store',
  summary: 'The databases of deduplication, statistics and playback: check, repair, rebuild.',
  commands: [check, repair, rebuild],
};

/** What is of interest, as lines on standard output. */
function printed(): { readonly log: Log; readonly lines: () => number } {
  let lines = 0;
  const print = (_: object, message: string) => {
    lines++;
    process.stdout.write(`${message}\n`);
  };
  return { log: { debug() {}, info() {}, warn() {}, error: print }, lines: () => lines };
}

function oneFolder(command: string, operands: readonly string[]): string {
  const [folder, ...more] = operands;
  if (folder === undefined || more.length > 0) throw new UsageError(`${command}: expected one folder, see ${command} --help`);
  return folder;
}

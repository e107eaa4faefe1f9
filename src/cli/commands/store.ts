/**
 * `warctap store`: what can be done by hand to the databases of deduplication, statistics and playback.
 */
import { anyText, path } from '../../options/kinds.ts';
import { group } from '../../options/row.ts';
import type { Side } from '../../store/migration.ts';
import { isUrl, STORE_URL, storeAddress, type StoreAddress } from '../../store/valkey/address.ts';
import type { StoreFacts } from '../../store/valkey/side.ts';
import type { Log } from '../../util/log.ts';
import { defineCommand, type CommandFamily } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';

const STORE = {
  name: '[STORE]',
  summary: 'a LevelDB folder of a proxy that does not run, or a URL as of --store',
};

const check = defineCommand({
  name: 'check',
  summary: 'Look at every byte of a database for damage. Changes nothing.',
  operands: STORE,
  notes: 'Prints a line for each damaged file, or one when there is none;\nof a URL how many entries cannot be read.',
  exits: { ok: 'no damage', failed: 'damage, or no database', usage: 'bad option or argument' },

  async run({ operands }) {
    const folder = oneFolder('store check', operands);
    const address = addressOf('store check', folder);
    if (address !== undefined) return checkShared(address, false);
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
  operands: STORE,
  notes: `Prints what was damaged, and how many entries are left; the proxy does the same
when it starts. What LevelDB puts aside stands in FOLDER/lost until the next
repair. Entries of lost originals come back with "store rebuild".`,
  exits: { ok: 'the database is whole now', failed: 'it could not be repaired, or is none', usage: 'bad option or argument' },

  async run({ operands }) {
    const folder = oneFolder('store repair', operands);
    const address = addressOf('store repair', folder);
    if (address !== undefined) return checkShared(address, true);
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
  operands: { ...STORE, summary: `${STORE.summary}; a folder is made if there is none` },
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
    const { rebuild: build, rebuildShared } = await import('../../programs/rebuild.ts');
    const address = addressOf('store rebuild', folder);
    let faults = 0;
    const onFault = (file: string, problem: string) => {
      faults++;
      process.stdout.write(`${file}: ${problem}\n`);
    };
    const parts = { from, bucket, onFault, log: printed().log };
    const { files, records, dedup, playback } = await (address === undefined ? build({ folder, ...parts }) : rebuildShared(parts, address));
    const played = address === undefined ? ` and ${playback} captures for playback` : '';
    const told = `${records} records in ${files} files, added ${dedup} entries for deduplication${played}`;
    process.stdout.write(`${address?.shown ?? folder}: ${told}\n`);
    return faults === 0 ? EXIT.ok.code : EXIT.failed.code;
  },
});

const info = defineCommand({
  name: 'info',
  summary: 'What is in a shared store: server, memory, entries, buckets, claims.',
  operands: { ...STORE, summary: 'a URL as of --store' },
  notes: 'Goes through all of it, in steps that keep nobody waiting.',
  exits: { ok: 'told', failed: 'it cannot be reached', usage: 'bad option or argument' },

  async run({ operands }) {
    const url = oneFolder('store info', operands);
    const address = addressOf('store info', url);
    if (address === undefined)
      throw new UsageError('store info: expected a URL such as valkey://HOST:PORT/DB; see "store check" for a folder');
    const { valkeySide } = await import('../../store/valkey/side.ts');
    const side = await valkeySide(address, printed().log);
    try {
      for (const line of linesOf(await side.facts())) process.stdout.write(`${line}\n`);
    } finally {
      await side.close();
    }
    return EXIT.ok.code;
  },
});

const migrate = defineCommand({
  name: 'migrate',
  summary: 'Put the deduplication entries and statistics of one store into another.',
  operands: { name: '[FROM] [TO]', summary: 'LevelDB folders of proxies that do not run, or URLs as of --store' },
  notes: `Entries that are in TO stay, counts are added to those of TO; once all is there,
it changes nothing. Interrupted, run it again. The playback index is of one
machine, and stays.`,
  exits: { ok: 'all is in TO', failed: 'a store cannot be used', usage: 'bad option or argument' },

  async run({ operands }) {
    const [from, to, ...more] = operands;
    if (from === undefined || to === undefined || more.length > 0) throw new UsageError('store migrate: expected two stores, FROM and TO');
    const { migrate: run } = await import('../../store/migration.ts');
    const [fromAddress, toAddress] = [addressOf('store migrate', from), addressOf('store migrate', to)];
    const source = await sideOf(from, fromAddress, true);
    try {
      const target = await sideOf(to, toAddress, false);
      try {
        let toldMs = performance.now();
        const done = await run(source, target, ({ entries, buckets }) => {
          if (performance.now() - toldMs < PROGRESS_MS) return;
          toldMs = performance.now();
          process.stderr.write(`${entries} entries, ${buckets} buckets so far\n`);
        });
        const left =
          'left' in source && source.left > 0
            ? `; ${source.left} entries of WARC files that a crash left open stay: start its proxy once`
            : '';
        process.stdout.write(
          `${toAddress?.shown ?? to}: ${done.newEntries} of ${done.entries} entries and ${done.newBuckets} of ${done.buckets} buckets were new${left}\n`,
        );
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
    return EXIT.ok.code;
  },
});

const PROGRESS_MS = 1000;

export const store: CommandFamily = {
  name: 'store',
  summary: 'The databases of deduplication, statistics and playback: info, check, repair, rebuild, migrate.',
  commands: [info, check, repair, rebuild, migrate],
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

/** @returns undefined for a folder; @throws UsageError for a URL of something else */
function addressOf(command: string, text: string): StoreAddress | undefined {
  if (!isUrl(text)) return undefined;
  const address = storeAddress(text);
  if (address === undefined) throw new UsageError(`${command}: expected a folder, or ${STORE_URL}`);
  return address;
}

async function sideOf(folder: string, address: StoreAddress | undefined, exists: boolean): Promise<Side & { readonly left?: number }> {
  if (address !== undefined) return (await import('../../store/valkey/side.ts')).valkeySide(address, printed().log);
  const { levelSide } = await import('../../store/level/side.ts');
  return levelSide(folder, exists);
}

async function checkShared(address: StoreAddress, drop: boolean): Promise<number> {
  const { valkeySide } = await import('../../store/valkey/side.ts');
  const side = await valkeySide(address, printed().log);
  try {
    const { whole, damaged } = await side.check(drop);
    const told = drop
      ? `${damaged} entries that could not be read are gone, ${whole} are left`
      : `${damaged} of ${whole + damaged} entries cannot be read`;
    process.stdout.write(`${address.shown}: ${damaged === 0 ? `ok, ${whole} entries` : told}\n`);
    return damaged === 0 || drop ? EXIT.ok.code : EXIT.failed.code;
  } finally {
    await side.close();
  }
}

function linesOf({ server, entries, buckets, claims, holders, packed }: StoreFacts): readonly string[] {
  const { product, version, usedMemory, maxMemory, policy, appends } = server;
  const perEntry = entries === 0 ? '' : `, ${Math.round(usedMemory / entries)} bytes of memory for each`;
  return [
    `server    ${product} ${version}, ${appends ? 'writes to its disk' : 'keeps all in memory only: see appendonly'}`,
    `memory    ${usedMemory} bytes of ${maxMemory === 0 ? 'what the machine has' : maxMemory}, ${policy} when full`,
    `entries   ${entries}${perEntry}`,
    `buckets   ${buckets}`,
    `claims    ${claims}, by ${holders} who are there`,
    ...(policy === 'noeviction' ? [] : ['advice    set maxmemory-policy noeviction: what it throws away is archived once more']),
    ...(packed === undefined || packed >= 512
      ? []
      : ['advice    set hash-max-listpack-value 512: entries take two thirds of the memory then']),
  ];
}

function oneFolder(command: string, operands: readonly string[]): string {
  const [folder, ...more] = operands;
  if (folder === undefined || more.length > 0) throw new UsageError(`${command}: expected one folder, see ${command} --help`);
  return folder;
}

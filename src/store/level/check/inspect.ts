/**
 * Looks for damage in a folder of LevelDB, which is not open: in its logs, and in the tables that were not looked at before.
 *
 * A table never changes once it is written. Which were whole is remembered in a file beside them, by size and time, so that a start costs
 * what is new. Changes nothing but that file.
 */
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkLog, endsWithRecord, skip } from './log.ts';
import { tablesIn } from './manifest.ts';
import { checkTable, refusal } from './table.ts';

export interface Damage {
  /** name in the folder */
  readonly file: string;
  /** `2 of 781 blocks` */
  readonly told: string;
  /** what makes LevelDB leave out just what is damaged */
  readonly writes: readonly Write[];
}

interface Write {
  readonly at: number;
  readonly bytes: Buffer;
}

const TABLE = /^\d+\.(?:ldb|sst)$/;
const LOG = /^\d+\.log$/;
/** A log of what tables there are, which only grows. */
const MANIFEST = /^MANIFEST-\d+$/;
const CURRENT = 'CURRENT';
/** LevelDB leaves alone what has no name of its own kind. */
const WHOLE_FILES = 'warctap-whole-files.json';
/** among them, no file */
const INTERRUPTED = 'interrupted';
/** of LevelDB's own account, from its end */
const ACCOUNT_BYTES = 64 * 1024;

export interface Inspected {
  readonly damages: readonly Damage[];
  /** tables that are no part of the database, as far as that is known */
  readonly stray: readonly string[];
  /** the process that had it last ended while LevelDB put tables together */
  readonly interrupted: boolean;
}

/** @param all tables that were whole before, too */
export async function inspectFolder(path: string, all: boolean): Promise<Inspected> {
  const known = await wholeFiles(path);
  const interrupted = await endsWithinCompaction(path);
  // Once is what a kill does; twice it may be damage that ends the process.
  const again = all || (interrupted && known.has(INTERRUPTED));
  const names = (await readdir(path)).sort();
  const damages: Damage[] = [];
  if (!names.some((name) => TABLE.test(name) || LOG.test(name) || name === CURRENT)) return { damages, stray: [], interrupted };
  const current = await currentIn(path);
  if (!names.includes(current)) damages.push({ file: CURRENT, told: 'names no manifest that is there', writes: [] });
  const tables = names.filter((name) => TABLE.test(name));
  const live = names.includes(current) ? await liveTables(join(path, current), known.get(current)) : undefined;
  const stray = live === undefined ? [] : tables.filter((name) => !live.has(parseInt(name)));
  for (const file of names) {
    if (stray.includes(file)) continue;
    if (LOG.test(file)) damages.push(...logDamage(file, await readFile(join(path, file))));
    if (MANIFEST.test(file)) damages.push(...manifestDamage(file, await readFile(join(path, file)), known.get(file)));
    if (!TABLE.test(file) || (!again && known.get(file) === (await markOf(path, file)))) continue;
    damages.push(...tableDamage(file, await readFile(join(path, file))));
  }
  return { damages, stray, interrupted };
}

/** From now on the tables that there are count as whole, and the list of them as at least so long. */
export async function rememberWhole(path: string, interrupted = false): Promise<void> {
  const marks: [string, string][] = interrupted ? [[INTERRUPTED, 'once']] : [];
  for (const file of await readdir(path)) {
    // LevelDB deletes files while we look.
    const mark = TABLE.test(file) || MANIFEST.test(file) ? await markOf(path, file).catch(() => undefined) : undefined;
    if (mark !== undefined) marks.push([file, mark]);
  }
  await writeFile(join(path, WHOLE_FILES), JSON.stringify(Object.fromEntries(marks)));
}

/** Make LevelDB leave out what is damaged. Does no harm where another process has the folder open: it could not read that either. */
export async function leaveOut(path: string, damages: readonly Damage[]): Promise<void> {
  for (const { file, writes } of damages) {
    if (writes.length === 0) continue;
    const handle = await open(join(path, file), 'r+');
    try {
      const { size } = await handle.stat();
      // Where the file ends before, there is nothing to be refused.
      for (const { at, bytes } of writes) if (at + bytes.length <= size) await handle.write(bytes, 0, bytes.length, at);
    } finally {
      await handle.close();
    }
  }
}

function tableDamage(file: string, content: Buffer): Damage[] {
  const { blocks, damaged } = checkTable(content);
  const writes = damaged.map(refusal).map(({ at, byte }) => ({ at, bytes: Buffer.of(byte) }));
  if (blocks === undefined) return [{ file, told: 'all of it', writes }];
  return damaged.length === 0 ? [] : [{ file, told: `${damaged.length} of ${blocks} blocks`, writes }];
}

function logDamage(file: string, content: Buffer): Damage[] {
  const damages = checkLog(content);
  const bytes = damages.reduce((sum, damage) => sum + damage.bytes, 0);
  return damages.length === 0 ? [] : [{ file, told: `${bytes} of ${content.length} bytes`, writes: damages.map(skip) }];
}

/** One that is cut says nothing of tables that are there, and LevelDB would delete them. */
function manifestDamage(file: string, content: Buffer, before = '0'): Damage[] {
  const missing = parseInt(before) - content.length;
  const [damage] = checkLog(content);
  if (missing <= 0 && damage === undefined && endsWithRecord(content)) return [];
  const told = missing > 0 ? `the last ${missing} bytes` : damage === undefined ? 'its end' : `from byte ${damage.offset} on`;
  return [{ file, told, writes: [{ at: 0, bytes: Buffer.from('damaged') }] }];
}

/** @returns undefined when the manifest is damaged */
async function liveTables(manifest: string, before: string | undefined): Promise<ReadonlySet<number> | undefined> {
  const content = await readFile(manifest);
  return manifestDamage(manifest, content, before).length > 0 ? undefined : tablesIn(content);
}

/** The manifest in force. */
async function currentIn(path: string): Promise<string> {
  const current = await readFile(join(path, CURRENT), 'latin1').catch(() => '');
  return current.endsWith('\n') ? current.slice(0, -1) : '';
}

async function wholeFiles(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map(Object.entries(JSON.parse(await readFile(join(path, WHOLE_FILES), 'utf8')) as Record<string, string>));
  } catch {
    return new Map();
  }
}

async function markOf(path: string, file: string): Promise<string> {
  const { size, mtimeMs } = await stat(join(path, file));
  return `${size} ${mtimeMs}`;
}

/** A process that ended while tables were put together may have come upon damage in one that was whole before. */
async function endsWithinCompaction(path: string): Promise<boolean> {
  const account = await readFile(join(path, 'LOG'), 'latin1').catch(() => '');
  const end = account.slice(-ACCOUNT_BYTES);
  return end.lastIndexOf('Compacting ') > end.lastIndexOf('compacted to: ');
}

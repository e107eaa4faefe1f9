/**
 * Deduplication and playback indexes made again from the WARC files of a folder.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reindex, type Reindexed, type ReindexOptions } from '../archive/reindex.ts';
import { dedupKey } from '../store/dedup.ts';
import { StoreError } from '../store/errors.ts';
import { Databases } from '../store/level/database.ts';
import { levelDedup } from '../store/level/dedup.ts';
import { levelPlayback } from '../store/level/playback.ts';
import type { StoreAddress } from '../store/valkey/address.ts';
import { valkeySide } from '../store/valkey/side.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import { closedName, OPEN_SUFFIX, pathBelow, WARC_SUFFIX } from '../warc/paths.ts';

export interface RebuildOptions {
  /** of the database */
  readonly folder: string;
  /** of the WARC files, and of those in folders in it */
  readonly from: string;
  /** of deduplication */
  readonly bucket: string;
  /** told of a file that could not be read to its end, in one line */
  readonly onFault: (file: string, problem: string) => void;
  readonly log: Log;
}

/** The same in a shared store, which has no playback index. @throws StoreError, or the file system's error when `from` cannot be read */
export async function rebuildShared(
  { from, bucket, onFault, log }: Omit<RebuildOptions, 'folder'>,
  address: StoreAddress,
): Promise<Reindexed & { readonly files: number }> {
  const files = await warcsIn(from, true);
  const added: Reindexed = { records: 0, dedup: 0, playback: 0 };
  const side = await valkeySide(address, log);
  const dedup: ReindexOptions['dedup'] = {
    claim: async (wanted) => (await side.has(wanted.map(({ key }) => key))).map((there) => (there ? 'held' : 'won')),
    publish: async (originals) => {
      await side.addEntries(originals);
    },
  };
  try {
    for (const file of files) {
      await reindex(
        file,
        pathBelow(from, file),
        { dedup, playback: undefined, keysOf: (digest) => [dedupKey(digest, bucket)] },
        added,
      ).catch((error: unknown) => {
        if (error instanceof StoreError) throw error;
        onFault(file, reasonOf(error));
      });
    }
  } finally {
    await side.close();
  }
  return { ...added, files: files.length };
}

/** @throws DatabaseError, or the file system's error when `from` cannot be read */
export async function rebuild({ folder, from, bucket, onFault, log }: RebuildOptions): Promise<Reindexed & { readonly files: number }> {
  const files = await warcsIn(from, true);
  const added: Reindexed = { records: 0, dedup: 0, playback: 0 };
  await using databases = new Databases(log);
  const database = await databases.open(folder);
  const dedup = levelDedup(database.later('dedup')).holder();
  const playback = levelPlayback(database.later('playback'));
  for (const file of files) {
    try {
      await reindex(file, pathBelow(from, file), { dedup, playback, keysOf: (digest) => [dedupKey(digest, bucket)] }, added);
    } catch (error) {
      onFault(file, reasonOf(error));
    }
  }
  return { ...added, files: files.length };
}

async function warcsIn(dir: string, deeper: boolean): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && isWarc(entry.name)).map(({ name }) => join(dir, name));
  if (deeper) for (const entry of entries) if (entry.isDirectory()) files.push(...(await warcsIn(join(dir, entry.name), false)));
  return files.sort();
}

function isWarc(name: string): boolean {
  return WARC_SUFFIX.test(name.endsWith(OPEN_SUFFIX) ? closedName(name) : name);
}

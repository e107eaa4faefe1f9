/**
 * What `warctap store` does to a folder by hand.
 */
import { readdirSync } from 'node:fs';
import type { Log } from '../../util/log.ts';
import { inspectFolder } from './check/inspect.ts';
import { existingFolder, openWhole } from './folder.ts';

/**
 * Look at everything, and change nothing. Of a folder that is in use, what is being written may look damaged.
 *
 * @returns a line for each file that is damaged, and how many files there are
 * @throws DatabaseError when there is no database
 */
export async function checkDatabase(folder: string): Promise<{ readonly damages: readonly string[]; readonly files: number }> {
  const path = existingFolder(folder);
  const { damages } = await inspectFolder(path, true);
  return { damages: damages.map(({ file, told }) => `${file}: damaged: ${told}`), files: readdirSync(path).length };
}

/** @param log told of what was damaged; @throws DatabaseError when there is no database, another process has it, or it cannot be repaired */
export async function repairDatabase(folder: string, log: Log): Promise<void> {
  const path = existingFolder(folder);
  await (await openWhole({ folder, path, tuning: {}, log }, true)).close();
}

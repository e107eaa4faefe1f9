/** Hears of changes in a folder where the system tells of them; whoever needs to know for certain looks from time to time as well. */
import { watch } from 'node:fs';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';

/** @param onChange gets the name of what has changed, if that is known */
export function folderEvents(dir: string, onChange: (name: string) => void, log: Log): { close(): void } {
  const missed = (error: unknown) => log.warn({ err: error, dir }, `looking once a second, as changes are not told: ${reasonOf(error)}`);
  try {
    return watch(dir, (_, name) => onChange(name ?? '')).on('error', missed);
  } catch (error) {
    // So many are watched already that the system takes no more.
    missed(error);
    return { close: () => undefined };
  }
}

/** The space that must be free on the disk of the WARC files, and what is said when it is not. */
import { roughSize } from '../options/measures.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { FreeSpace, type Shortage } from '../util/free-space.ts';
import type { Log } from '../util/log.ts';

/** @returns what has looked once, and looks on; to be closed */
export async function watchSpace({ dir, minFreeSpace }: ResolvedCoreOptions, log: Log): Promise<FreeSpace> {
  const space = new FreeSpace({
    dir,
    minBytes: minFreeSpace,
    onChange: (low, { freeBytes, minBytes }) => {
      if (low) {
        log.error(
          { dir, freeBytes, minBytes },
          `${tooLittleSpace({ freeBytes, minBytes })}; requests are answered 503 until there is more`,
        );
      } else log.info({ dir, freeBytes }, 'enough space again');
    },
  });
  await space.check();
  return space;
}

export function tooLittleSpace({ freeBytes, minBytes }: Shortage): string {
  const figures = `${roughSize(freeBytes)} free, --min-free-space is ${roughSize(minBytes)}`;
  return `too little space is left on the disk of the WARC files (${figures})`;
}

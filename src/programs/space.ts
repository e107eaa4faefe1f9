/**
 * The disks that are written to while the program works, that of the WARC files and that of temporary files, and what all spools may take.
 */
import { stat } from 'node:fs/promises';
import { roughSize } from '../options/measures.ts';
import type { CoreLimitSlice } from '../options/rows/limits.ts';
import { FreeSpace, spaceOf, type DiskState } from '../util/free-space.ts';
import type { Log } from '../util/log.ts';
import { SpoolSpace } from '../util/spool-space.ts';

export interface SpaceParts {
  readonly options: Pick<CoreLimitSlice, 'minFreeSpace' | 'maxSpool'>;
  /** of the WARC files */
  readonly dir: string;
  /** of temporary files */
  readonly spoolDir: string;
  /** temporary files open at once */
  readonly maxFiles: number;
  readonly log: Log;
}

export interface Space {
  /** why there is too little space left to archive anything more, if so */
  readonly refusal: () => string | undefined;
  readonly spools: SpoolSpace;
  /** The disks as they are now. */
  readonly disks: () => Promise<readonly DiskState[]>;
  /** Look no more. */
  close(): void;
}

/** The disks are looked at so often, whether bytes come or not: others write to them, too. */
const LOOK_MS = 1000;

/** Of what is free at the start, temporary files may take so much. */
const SPOOL_SHARE = 0.1;

export async function openSpace({ options, dir, spoolDir, maxFiles, log }: SpaceParts): Promise<Space> {
  const one = await onOneDisk(dir, spoolDir);
  // What is held will be a record, wherever it is now; what waits for its temporary file will be there as well.
  const warcs = { of: 'the WARC files', dir, due: () => spools.due + (one ? spools.unwritten : 0) };
  const free = new FreeSpace({
    disks: one ? [warcs] : [warcs, { of: 'temporary files', dir: spoolDir, due: () => spools.unwritten }],
    minBytes: options.minFreeSpace,
    onChange: (low, disk) => {
      const { dir: where, freeBytes, dueBytes, minBytes } = disk;
      const facts = { dir: where, freeBytes, dueBytes, minBytes };
      if (low) log.error(facts, `${tooLittleSpace(disk)}; requests are answered 503 until there is more`);
      else log.info(facts, 'enough space again');
    },
  });
  const maxBytes = options.maxSpool ?? (await spoolShare(spoolDir));
  const spools: SpoolSpace = new SpoolSpace({ maxBytes, maxFiles, free });
  log.debug({ dir: spoolDir, maxBytes }, 'temporary files');
  await spools.look();
  const timer = setInterval(() => void spools.look(), LOOK_MS).unref();
  return {
    refusal: () => free.shortage && tooLittleSpace(free.shortage),
    spools,
    disks: () => free.states(),
    close: () => clearInterval(timer),
  };
}

/** Figures that say why: where there would be enough but for what is to come, that as well. */
function tooLittleSpace({ of, freeBytes, dueBytes, minBytes }: DiskState): string {
  const toCome = freeBytes >= minBytes && dueBytes > 0 ? `, ${roughSize(dueBytes)} of it for what is not written yet` : '';
  const figures = `${roughSize(freeBytes)} free${toCome}, --min-free-space is ${roughSize(minBytes)}`;
  return `too little space is left on the disk of ${of} (${figures})`;
}

/** No bound where the disk cannot be asked. */
export async function spoolShare(dir: string): Promise<number> {
  const { freeBytes } = await spaceOf(dir).catch(() => ({ freeBytes: 0 }));
  return Math.floor(freeBytes * SPOOL_SHARE);
}

/** A folder that is not there is taken for one on a disk of its own. */
async function onOneDisk(one: string, other: string): Promise<boolean> {
  const devices = await Promise.all(
    [one, other].map(async (dir) => stat(dir).then(({ dev }) => dev)).map((found) => found.catch(() => NaN)),
  );
  return devices[0] === devices[1];
}

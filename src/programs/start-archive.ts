/**
 * An archive of pages, with what it needs opened first: the folder of its WARC files, and a core that writes there.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseBrowser } from '../browser/find.ts';
import { library } from '../browser/headless.ts';
import type { ARCHIVE_ROWS, PACKED_CORE_ROWS } from '../options/rows/archive.ts';
import { resolve } from '../options/resolve.ts';
import type { Resolved } from '../options/row.ts';
import { CORE_OPTIONS } from '../options/table.ts';
import type { Log } from '../util/log.ts';
import { timeOfDay } from '../util/time-of-day.ts';
import { ArchiveRun } from './archive-run.ts';
import { openCore } from './open-core.ts';
import { PackFolder } from './pack.ts';

export interface StartArchiveParts {
  /** in `pageUrl`'s form, each once; at least one */
  readonly seeds: readonly string[];
  readonly options: Resolved<typeof ARCHIVE_ROWS & typeof PACKED_CORE_ROWS>;
  readonly log: Log;
}

const PREFIX = 'archive';

/**
 * @throws NoBrowserError when there is none and one is wanted; WarcOptionError when the WACZ is there already; OptionError, or an error whose
 *   message is one line, when it cannot start
 */
export async function startArchive({ seeds, options, log }: StartArchiveParts): Promise<ArchiveRun> {
  if (!options.noBrowser) {
    await library();
    await chooseBrowser(options.browser, ['chromium']);
  }
  const { force, title, description, text, output = waczName(seeds[0] ?? '', timeOfDay()) } = options;
  const folder = await PackFolder.open({ output, force, title, description, text });
  try {
    await mkdir(folder.warcs);
    const inForce = { ...options, ...packedCore(folder, options, PREFIX) };
    const core = await openCore({ options: inForce, log });
    return new ArchiveRun({ seeds, core, folder, options: inForce, log });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** All options of a core whose WARC files are in that folder. */
export function packedCore(folder: PackFolder, given: Resolved<typeof PACKED_CORE_ROWS>, prefix: string): Resolved<typeof CORE_OPTIONS> {
  const rows = Object.entries(given).filter(([name]) => Object.hasOwn(CORE_OPTIONS, name));
  return {
    ...resolve(CORE_OPTIONS, {}),
    ...Object.fromEntries(rows),
    dir: folder.warcs,
    prefix,
    gzip: true,
    recordFailures: true,
    dedupDbFile: join(folder.dir, 'db'),
    statsDbFile: false,
  };
}

/** `example.com-20260102030405.wacz`, in this folder. */
export function waczName(url: string, at: Date): string {
  const host = URL.canParse(url) ? new URL(url).host.replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^-+|-+$/g, '') : '';
  const time = at.toISOString().replace(/\D/g, '').slice(0, 14);
  return `${host === '' ? 'archive' : host}-${time}.wacz`;
}

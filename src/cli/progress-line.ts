/**
 * How far an archive of pages is, in a line: a bar, and words as far as they fit.
 *
 * Pure.
 */
import type { ArchiveProgress } from '../programs/archive-run.ts';
import type { Figures } from '../programs/figures.ts';
import { counted, cut, inBytes, SEPARATOR } from './figures-line.ts';

const BAR_CHARS = 20;
/** Narrower there is no bar. */
const MIN_COLUMNS_FOR_BAR = 60;

/** @param columns of the terminal; the line is at least one narrower */
export function progressLine({ visited, failed, found, current, packed }: ArchiveProgress, figures: Figures, columns: number): string {
  const done = visited + failed;
  const share = packed ?? (found === 0 ? 0 : done / found);
  const bar = columns < MIN_COLUMNS_FOR_BAR ? '' : `${barOf(share)} `;
  const parts =
    packed === undefined
      ? [
          `${done} of ${counted(found, 'page')}`,
          ...(failed === 0 ? [] : [`${failed} failed`]),
          counted(figures.captures, 'capture'),
          inBytes(figures.warcBytes),
          ...(current === undefined ? [] : [current.replace(/^https?:\/\//, '')]),
        ]
      : [`writing the WACZ: ${Math.floor(share * 100)} %`, counted(visited, 'page'), inBytes(figures.warcBytes)];
  return cut(bar + parts.join(SEPARATOR), columns - 1);
}

function barOf(share: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * BAR_CHARS);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CHARS - full)}]`;
}

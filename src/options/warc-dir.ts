/**
 * Where WARC files and their indexes go: in one folder, or as pywb lays out a collection.
 *
 * Source: pywb, "Directory Structure" (collections/NAME/archive, collections/NAME/indexes).
 */
import { join } from 'node:path';
import { OptionError } from './error.ts';
import { WARC_ROWS, type WarcSlice } from './rows/warc-files.ts';

export interface WarcFolders {
  /** of the WARC files */
  readonly dir: string;
  /** of all indexes; undefined where each is beside its file, or there are none */
  readonly indexes: string | undefined;
}

/** @throws OptionError when two folders are named */
export function warcFolders({ dir, collection }: Pick<WarcSlice, 'dir' | 'collection'>): WarcFolders {
  if (collection === undefined) return { dir, indexes: undefined };
  if (dir !== WARC_ROWS.dir.default)
    throw new OptionError('dir', dir, `no --dir beside --collection ${collection}: WARC files go to its folder "archive"`);
  return { dir: join(collection, 'archive'), indexes: join(collection, 'indexes') };
}

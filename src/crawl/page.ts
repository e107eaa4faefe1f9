/**
 * The page for people: files of the folder `page`. What they show is asked for by the API, with the credentials of whoever has logged in.
 */
import { readPageFiles } from '../web/page-files.ts';

/** By path. */
export function readCrawlPages(): ReadonlyMap<string, () => Response> {
  return readPageFiles(new URL('./page/', import.meta.url));
}

/**
 * The page for people: files of the folder `page`. What they show is asked for with the administrator's key by the page itself.
 */
import { readPageFiles } from '../web/page-files.ts';
import { SERVER } from './api/replies.ts';

/** By path. */
export function readPages(): ReadonlyMap<string, () => Response> {
  return readPageFiles(new URL('./page/', import.meta.url), { headers: { server: SERVER } });
}

/**
 * A core, with what it needs opened first.
 */
import { tmpdir } from 'node:os';
import { warcFolders } from '../options/warc-dir.ts';
import { readVersion } from '../util/version.ts';
import { Core } from './core.ts';
import type { CoreParts } from './core-parts.ts';
import { handlesFor, tellOfHandles } from './handles.ts';
import { openParts } from './open.ts';
import { openSpace } from './space.ts';

/**
 * Open what a core needs.
 *
 * @throws OptionError, or an error whose message is one line, when it cannot start
 */
export async function openCore(parts: CoreParts): Promise<Core> {
  const { options, log, playbackIndex = false, among } = parts;
  const wanted = { maxConnections: 0, playback: false, maxExchanges: options.maxThreads, crawlLogs: options.crawlLogDir !== undefined };
  const handles = parts.handles ?? handlesFor(wanted);
  const opened = await openParts({ options, playbackIndex, stores: among?.stores, version: readVersion(), log });
  const space = await openSpace({ options, dir: warcFolders(options).dir, spoolDir: tmpdir(), maxFiles: handles.maxSpools, log });
  if (parts.handles === undefined) tellOfHandles(wanted, handles, log);
  return new Core(parts, { opened, space, handles });
}

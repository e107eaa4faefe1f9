/**
 * What a core is given, and what it tells of.
 */
import type { Finished } from '../finished/finished.ts';
import type { AddressInfo } from 'node:net';
import type { Capture } from '../capture/capture.ts';
import type { Origin } from '../fetch/origin.ts';
import type { Resolve } from '../fetch/resolver.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import type { Log } from '../util/log.ts';
import type { Handles } from './handles.ts';
import type { Opened } from './open.ts';
import type { Space } from './space.ts';
import type { Stores } from './stores.ts';

/** What happens while a core runs. */
export interface CoreEvents {
  /** A capture has left the chain. Its bytes are let go of when the listeners have returned. */
  capture: [capture: Capture];
  /** Nothing can be archived any more; requests are refused from now on, and the core should be closed. */
  fatal: [error: Error];
}

export interface CoreParts {
  readonly options: ResolvedCoreOptions;
  readonly log: Log;
  /** names of origins to addresses; the system's by default */
  readonly resolve?: Resolve;
  /** keep the index that playback finds captures by */
  readonly playbackIndex?: boolean;
  /** where the program in front of it listens: it is never connected to. The first one's port may be a part of file names */
  readonly listening?: () => readonly AddressInfo[];
  /** told of each origin to which there is TLS now */
  readonly onSecured?: (origin: Origin) => void;
  /** what may be open at once; by default all that the system allows */
  readonly handles?: Handles;
  /** it is one of many that share their stores and the folder of WARC files */
  readonly among?: Among;
}

/** One of many processes. */
export interface Among {
  /** of 1 and on, and how many there are */
  readonly number: number;
  readonly of: number;
  readonly stores: Stores;
  /** told of the WARC files that are closed */
  readonly finished: Pick<Finished, 'add'>;
  /** Resolves when all that is under way now, in any of them, is in its files and counted. */
  settled(): Promise<void>;
}

/** What is opened for it. */
export interface CoreResources {
  readonly opened: Opened;
  readonly space: Space;
  readonly handles: Handles;
}

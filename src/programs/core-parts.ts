/**
 * What a core is given, what it tells of, and what it counts.
 */
import type { AddressInfo } from 'node:net';
import type { Capture } from '../capture/capture.ts';
import type { Origin } from '../fetch/origin.ts';
import type { Resolve } from '../fetch/resolver.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import type { Log } from '../util/log.ts';
import type { Handles } from './handles.ts';
import type { Opened } from './open.ts';
import type { Space } from './space.ts';

/** What happens while a core runs. */
export interface CoreEvents {
  /** A capture has left the chain. Its bytes are let go of when the listeners have returned. */
  capture: [capture: Capture];
  /** Nothing can be archived any more; requests are refused from now on, and the core should be closed. */
  fatal: [error: Error];
}

/** What a core has done so far, and is doing. */
export interface Figures {
  /** exchanges and records of clients that have passed, written or not */
  readonly captures: number;
  /** those of them that were written whole */
  readonly new: number;
  /** those of them that were written as revisits, because their payload was there already */
  readonly duplicates: number;
  /** fetches that failed */
  readonly errors: number;
  readonly warcBytes: number;
  /** WARC files, open or not */
  readonly warcFiles: number;
  /** requests that are under way, and those that wait for their turn */
  readonly active: number;
  readonly waiting: number;
  /** captures that wait to be written */
  readonly queued: number;
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
}

/** What is opened for it. */
export interface CoreResources {
  readonly opened: Opened;
  readonly space: Space;
  readonly handles: Handles;
}

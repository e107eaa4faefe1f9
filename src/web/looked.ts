/** What a program is doing and holds at the moment when it is asked: what its pages are made of, of one process or of many. */
import type { FileState } from '../warc/write/open-files.ts';
import type { Bound } from './metrics/bound.ts';
import type { DiskSpaceState } from './metrics/metrics-page.ts';
import type { ProcessLook } from './metrics/process-families.ts';
import type { StatusSource } from './status.ts';

export interface Looked {
  readonly status: StatusSource;
  /** begun so far */
  readonly warcFiles: number;
  readonly bounds: readonly Bound[];
  readonly disks: readonly DiskSpaceState[];
  /** open ones, and those that were closed last */
  readonly files: readonly FileState[];
  readonly processes: readonly ProcessLook[];
}

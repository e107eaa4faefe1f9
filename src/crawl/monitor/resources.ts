/**
 * The resource monitor: a frame each second, the last ones kept.
 */
import { EventEmitter } from 'node:events';
import { create } from '@bufbuild/protobuf';
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { ResourceFrameSchema, type ResourceFrame, type ResourceFrameDisk, type ResourceFrameNetwork } from '../proto/starbelly_pb.ts';
import { timeText } from '../times.ts';
import { cpuMeter, disks, memory, networks } from './machine.ts';

/** What the crawl says of itself. */
export type CrawlLoad = Pick<ResourceFrame, 'jobs' | 'currentDownloads' | 'maximumDownloads' | 'rateLimiter'>;

export interface ResourcesParts {
  readonly load: () => CrawlLoad;
  readonly history: number;
  /** milliseconds since 1970 */
  readonly now: () => number;
  readonly log: Log;
}

const FRAME_MS = 1000;

export class Resources extends EventEmitter<{ frame: [frame: ResourceFrame] }> {
  readonly #parts: ResourcesParts;
  readonly #frames: ResourceFrame[] = [];
  readonly #cpus = cpuMeter();
  readonly #timer: NodeJS.Timeout;
  #disks: readonly ResourceFrameDisk[] = [];
  #networks: readonly ResourceFrameNetwork[] = [];
  #asking = false;

  constructor(parts: ResourcesParts) {
    super();
    this.setMaxListeners(0);
    this.#parts = parts;
    this.#ask();
    this.#timer = setInterval(() => this.#add(), FRAME_MS);
    this.#timer.unref();
  }

  /** The newest frames, oldest first. */
  newest(count: number): ResourceFrame[] {
    return count <= 0 ? [] : this.#frames.slice(-count);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #add(): void {
    const { load, history, now } = this.#parts;
    const frame = create(ResourceFrameSchema, {
      ...load(),
      timestamp: timeText(now()),
      cpus: this.#cpus(),
      memory: memory(),
      disks: [...this.#disks],
      networks: [...this.#networks],
    });
    this.#frames.push(frame);
    if (this.#frames.length > history) this.#frames.shift();
    this.emit('frame', frame);
    this.#ask();
  }

  /** For the next frame. As long as a disk does not answer, what was last known of all of them stands. */
  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    Promise.all([disks(), networks()])
      .then(([allDisks, allNetworks]) => {
        this.#disks = allDisks;
        this.#networks = allNetworks;
      })
      .catch((error: unknown) => this.#parts.log.debug({ err: error }, `the machine could not be asked: ${reasonOf(error)}`))
      .finally(() => (this.#asking = false));
  }
}

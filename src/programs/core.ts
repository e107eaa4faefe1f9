/**
 * What all programs stand on: gate, fetcher, archive and stores, without a listener.
 *
 *   passage: gate ─ admission ─ exchange ─► archive ─► WARC files, stores, logs
 *
 * Who asks by `passage` is a client in whatever protocol; a program in this process asks by `fetch`. Both go the same road, and so are in
 * the WARC files, in the statistics and in the crawl log.
 */
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import type { Archive, ArchiveState } from '../capture/archive.ts';
import type { Capture } from '../capture/capture.ts';
import { Admission } from '../fetch/admission.ts';
import type { Connect } from '../fetch/origin.ts';
import { OriginPool } from '../fetch/pool.ts';
import { createResolver, type Resolve } from '../fetch/resolver.ts';
import { metaCache } from '../meta/cache.ts';
import type { AddressSlice } from '../options/rows/towards-origins.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { createGate } from '../proxy/gate.ts';
import { createPassage, type Passage } from '../proxy/passage.ts';
import { createRegexes } from '../regex/regex.ts';
import type { PlaybackIndex } from '../store/playback.ts';
import type { FreeSpace } from '../util/free-space.ts';
import type { Log } from '../util/log.ts';
import { MemoryBudget } from '../util/memory-budget.ts';
import { timeSlices } from '../util/slices.ts';
import { allInOrder, reasonOf } from '../util/thrown.ts';
import { readVersion } from '../util/version.ts';
import { warcDate } from '../warc/fields.ts';
import type { StatusSource } from '../web/status.ts';
import { digestOf, newRecordId, now, openArchive, type OpenArchive } from './archiving.ts';
import { Expected } from './expected.ts';
import { connectorOf } from './fetching.ts';
import type { Figures } from './figures.ts';
import { InnerClient } from './inner-client.ts';
import { openParts, type Opened } from './open.ts';
import { wantedOf, type FetchInit } from './request.ts';
import { FetchedResponse } from './response.ts';
import { tooLittleSpace, watchSpace } from './space.ts';

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
}

/** Idle connections to origins that are kept. */
const MAX_IDLE_CONNECTIONS = 512;

export class Core extends EventEmitter<CoreEvents> implements AsyncDisposable {
  /** folder of the WARC files */
  readonly warcDir: string;
  readonly passage: Passage;
  readonly archive: Archive & ArchiveState;
  readonly playbackIndex: PlaybackIndex | undefined;
  readonly #version = readVersion();
  readonly #startedAt = now();
  readonly #opened: Opened;
  readonly #totals: OpenArchive['totals'];
  readonly #warcs: OpenArchive['warcs'];
  readonly #wayToOrigins: (addresses: AddressSlice) => { connect: Connect; pool: OriginPool };
  #origins: OriginPool;
  readonly #space: FreeSpace;
  readonly #admission: Admission;
  readonly #maxExchanges: number;
  readonly #expected = new Expected();
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  constructor({ options, log, resolve = createResolver(), listening = () => [] }: CoreParts, opened: Opened, space: FreeSpace) {
    super();
    this.warcDir = options.dir;
    this.playbackIndex = opened.playback;
    this.#opened = opened;
    this.#space = space;
    this.#log = log;
    this.#maxExchanges = options.maxThreads;

    const recording = {
      digest: digestOf(options),
      spool: { maxMemoryBytes: options.tmpFileMaxMemorySize, budget: new MemoryBudget(options.maxMemory), dir: tmpdir() },
    };
    const slices = timeSlices();
    const { archive, totals, warcs } = openArchive({
      options,
      opened,
      version: this.#version,
      slices,
      port: () => listening()[0]?.port ?? 0,
      done: (capture) => this.#tell(capture),
      onFatal: (error) => {
        // What is not archived must not look as if it were: requests that run are answered 503 or cut.
        this.#admission.close(`nothing can be archived any more: ${reasonOf(error.cause ?? error)}`);
        this.emit('fatal', error);
      },
      log,
    });
    this.archive = archive;
    this.#totals = totals;
    this.#warcs = warcs;
    this.#wayToOrigins = (addresses) => {
      const connector = connectorOf({
        options: { ...options, ...addresses },
        timeoutMs: options.socketTimeout * 1000,
        resolve,
        listening,
        log,
      });
      return { connect: (origin) => connector.connect(origin), pool: new OriginPool(MAX_IDLE_CONNECTIONS) };
    };
    const way = this.#wayToOrigins(options);
    this.#origins = way.pool;
    this.#admission = new Admission(
      {
        ...way,
        recording,
        now,
        newRecordId,
        sink: (capture) => archive.push(capture),
        maxResourceBytes: options.maxResourceSize ?? 0,
        minRate: { bytesPerSecond: options.minRate, windowMs: options.socketTimeout * 1000 },
      },
      {
        maxExchanges: options.maxThreads,
        fetchTimeoutMs: options.fetchTimeout * 1000,
        noSpace: () => space.shortage && tooLittleSpace(space.shortage),
      },
    );
    const { stats } = opened;
    this.passage = createPassage({
      gate: createGate({
        cache: metaCache({ regexes: createRegexes(), slices }),
        slices,
        statistics: stats && { settled: () => archive.settled(), get: (bucket) => stats.get(bucket) },
        log,
      }),
      admission: this.#admission,
      records: { recording, now, newRecordId, record: (capture) => this.#record(capture) },
      warcPrefix: options.prefix,
      warcDate: (date) => warcDate(date, options.warcVersion),
    });
  }

  /**
   * Fetch a URL through gate, fetcher and archive, as a client of the proxy does.
   *
   * @param url http or https; the fragment and user info are taken off, what is no URI character is percent-encoded
   * @returns once the head of the answer has come, whatever its status
   * @throws FetchError when there is no answer, and when nothing is begun any more; RefusedError when `meta` does not let the request go on;
   *   MessageError for what cannot be asked
   */
  async fetch(url: string, init: FetchInit = {}): Promise<FetchedResponse> {
    const { signal } = init;
    signal?.throwIfAborted();
    const recordId = newRecordId();
    const wanted = wantedOf(url, init, `warctap/${this.#version}`, recordId);
    const client = new InnerClient(init);
    const leave = () => client.leave(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    const archived = this.#expected.capture(recordId);
    this.passage(wanted, client);
    try {
      return new FetchedResponse(wanted.outgoing.target.url, await client.answered, client, archived);
    } catch (error) {
      // What was refused leaves no capture; what has failed leaves one that nobody waits for.
      this.#expected.forget(recordId);
      throw error;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** What it is doing: what `GET /status` says, but for who listens. */
  state(): Omit<StatusSource, 'host' | 'address' | 'port'> {
    const { oldest, queued, maxQueued, processors } = this.archive;
    return {
      version: this.#version,
      startedAt: this.#startedAt,
      maxExchanges: this.#maxExchanges,
      activeRequests: this.#admission.active,
      waitingRequests: this.#admission.waiting,
      queued,
      maxQueued,
      secondsBehind: oldest === undefined ? 0 : (Date.now() - oldest.startedAt.getTime() - oldest.durationMs) / 1000,
      urlsProcessed: this.#totals.urlsProcessed,
      warcBytesWritten: this.#totals.warcBytesWritten,
      earliestFetch: this.#admission.earliest,
      earliestInChain: oldest && { url: oldest.url, processor: processors.findLast((each) => each.queued > 0)?.name },
      processors,
      rate: (minutes) => this.#totals.rate(minutes),
    };
  }

  /** What it has done so far, in numbers. */
  figures(): Figures {
    return {
      captures: this.#totals.urlsProcessed,
      new: this.#totals.newWritten,
      duplicates: this.#totals.duplicates,
      errors: this.#totals.failures,
      warcBytes: this.#totals.warcBytesWritten,
      warcFiles: this.#warcs.filesBegun,
      active: this.#admission.active,
      waiting: this.#admission.waiting,
      queued: this.archive.queued,
    };
  }

  /**
   * Which addresses may be reached from now on. What runs goes on; connections that were kept are not used again, as they may lead to one
   * that may not be reached any more.
   */
  replaceAddressRules(addresses: AddressSlice): void {
    const way = this.#wayToOrigins(addresses);
    this.#admission.connectBy(way);
    this.#origins.close();
    this.#origins = way.pool;
  }

  /** Begin nothing more, and cut what runs; what has come is kept. */
  stop(): void {
    this.#admission.close();
  }

  /** Stop, write everything that has come, close all files. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.stop();
    const rooms = [this.archive, this.#opened.databases, this.#origins, this.#space, this.#expected];
    await allInOrder(
      rooms.map((room) => () => room.close()),
      'closing failed',
    );
  }

  async #record(capture: Capture): Promise<void> {
    await this.archive.push(capture);
    await this.archive.settled();
  }

  #tell(capture: Capture): void {
    this.#expected.tell(capture);
    try {
      this.emit('capture', capture);
    } catch (error) {
      this.#log.error({ err: error }, 'a listener of the event "capture" has thrown');
    }
  }
}

/**
 * Open what a core needs.
 *
 * @throws OptionError, or an error whose message is one line, when it cannot start
 */
export async function openCore(parts: CoreParts): Promise<Core> {
  const { options, log, playbackIndex = false } = parts;
  const opened = await openParts({ options, playbackIndex, version: readVersion(), log });
  return new Core(parts, opened, await watchSpace(options, log));
}

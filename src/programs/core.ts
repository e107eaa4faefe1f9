/**
 * What all programs stand on: gate, fetcher, archive and stores, without a listener.
 *
 *   passage: gate ─ admission ─ exchange ─► archive ─► WARC files, stores, logs
 *
 * Who asks by `passage` is a client in whatever protocol; a program in this process asks by `fetch`. Both go the same road, and so are in
 * the WARC files, in the statistics and in the crawl log.
 */
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import type { Archive, ArchiveState } from '../capture/archive.ts';
import type { Capture } from '../capture/capture.ts';
import { Admission } from '../fetch/admission.ts';
import type { OriginPool } from '../fetch/pool.ts';
import { createResolver } from '../fetch/resolver.ts';
import { HeadMemory } from '../http1/head-memory.ts';
import { metaCache } from '../meta/cache.ts';
import { warcFolders } from '../options/warc-dir.ts';
import type { AddressSlice } from '../options/rows/towards-origins.ts';
import { createGate } from '../proxy/gate.ts';
import type { RecordServices } from '../proxy/custom-record.ts';
import { createPassage, type Passage } from '../proxy/passage.ts';
import { createRegexes } from '../regex/regex.ts';
import type { PlaybackIndex } from '../store/playback.ts';
import type { Log } from '../util/log.ts';
import type { HashingThread } from '../util/hashing-thread.ts';
import { MemoryBudget } from '../util/memory-budget.ts';
import { timeSlices } from '../util/slices.ts';
import { newRecordId } from '../util/record-id.ts';
import { timeOfDay } from '../util/time-of-day.ts';
import { allInOrder, reasonOf } from '../util/thrown.ts';
import { readVersion } from '../util/version.ts';
import { warcDate } from '../warc/fields.ts';
import type { StatusSource } from '../web/status.ts';
import { digestOf, hashingOf, openArchive, type OpenArchive } from './archiving.ts';
import { insidesOf, type Insides } from './insides.ts';
import type { CoreEvents, CoreParts, CoreResources } from './core-parts.ts';
import { Expected } from './expected.ts';
import { wayToOrigins, type WayToOrigins } from './fetching.ts';
import type { Figures } from './figures.ts';
import { InnerClient } from './inner-client.ts';
import { writeRecord, type InnerDraft } from './inner-record.ts';
import type { Opened } from './open.ts';
import { wantedOf, type FetchInit } from './request.ts';
import { FetchedResponse } from './response.ts';
import type { Space } from './space.ts';

export type { CoreEvents, CoreParts } from './core-parts.ts';

export class Core extends EventEmitter<CoreEvents> implements AsyncDisposable {
  /** folder of the WARC files */
  readonly warcDir: string;
  readonly passage: Passage;
  readonly archive: Archive & ArchiveState;
  readonly playbackIndex: PlaybackIndex | undefined;
  /** room for the heads of clients and origins together */
  readonly heads: HeadMemory;
  /** what pages show of it */
  readonly insides: Insides;
  readonly #version = readVersion();
  readonly #startedAt = timeOfDay();
  readonly #opened: Opened;
  readonly #totals: OpenArchive['totals'];
  readonly #warcs: OpenArchive['warcs'];
  readonly #wayToOrigins: WayToOrigins;
  #origins: OriginPool;
  readonly #hashing: HashingThread | undefined;
  readonly #space: Space;
  readonly #admission: Admission;
  readonly #maxExchanges: number;
  readonly #records: RecordServices;
  readonly #expected = new Expected();
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  constructor(parts: CoreParts, { opened, space, handles }: CoreResources) {
    super();
    const { options, log, resolve = createResolver(), listening = () => [], onSecured = () => undefined, among } = parts;
    this.warcDir = warcFolders(options).dir;
    this.playbackIndex = opened.playback;
    this.heads = new HeadMemory(options.maxHeadMemory);
    this.#opened = opened;
    this.#space = space;
    this.#log = log;
    this.#maxExchanges = handles.maxExchanges;
    const memory = new MemoryBudget(options.maxMemory);

    const slices = timeSlices();
    const { archive, totals, warcs } = openArchive({
      options,
      opened,
      handles,
      version: this.#version,
      slices,
      port: () => listening()[0]?.port ?? 0,
      among,
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
    this.#hashing = hashingOf(options, among?.of ?? 1);
    const recording = {
      digest: digestOf(options),
      hashing: this.#hashing,
      spool: {
        maxMemoryBytes: options.tmpFileMaxMemorySize,
        budget: memory,
        space: space.spools,
        dir: tmpdir(),
      },
      places: (prefix: string, url: string) => warcs.place(prefix, url),
    };
    const timeoutMs = options.socketTimeout * 1000;
    this.#wayToOrigins = wayToOrigins({ options, timeoutMs, resolve, listening, heads: this.heads, onSecured, log }, handles.maxIdle);
    const way = this.#wayToOrigins(options);
    this.#origins = way.pool;
    this.#admission = new Admission(
      {
        ...way,
        recording,
        recordFailures: options.recordFailures,
        now: timeOfDay,
        newRecordId,
        sink: (capture) => archive.push(capture),
        maxResourceBytes: options.maxResourceSize ?? 0,
        finishAbandoned: options.finishAbandoned,
        heads: this.heads,
        webSockets: {
          maxBytes: options.websocketMaxSize,
          idleMs: options.fetchTimeout * 1000,
          lingerMs: options.socketTimeout * 1000,
          log,
        },
        minRate: { bytesPerSecond: options.minRate, windowMs: timeoutMs },
      },
      { maxExchanges: handles.maxExchanges, fetchTimeoutMs: options.fetchTimeout * 1000, noSpace: space.refusal },
    );
    const { stats } = opened;
    const [admission, heads, origins] = [this.#admission, this.heads, () => this.#origins];
    this.insides = insidesOf({ admission, archive, origins, heads, memory, space, warcs, handles, stats });
    this.#records = { recording, now: timeOfDay, newRecordId, record: (capture) => this.#archived(capture) };
    this.passage = createPassage({
      gate: createGate({
        cache: metaCache({ regexes: createRegexes(), slices }),
        slices,
        statistics: stats && {
          settled: () => (among === undefined ? this.settled() : among.settled()),
          get: (bucket) => stats.get(bucket),
          get crowded() {
            return stats.crowded;
          },
        },
        log,
      }),
      admission: this.#admission,
      records: this.#records,
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

  /** Write a record, and come back when it is in its file. @throws RefusedError when it could not be written */
  record(draft: InnerDraft, bytes: Buffer): Promise<string> {
    return writeRecord(this.#records, draft, bytes);
  }

  /** What it is doing: what `GET /status` says, but for who listens, and to what. */
  state(): Omit<StatusSource, 'host' | 'address' | 'port' | 'metaIgnored'> {
    const { oldest, oldestMs, queued, maxQueued, processors } = this.archive;
    return {
      version: this.#version,
      startedAt: this.#startedAt,
      maxExchanges: this.#maxExchanges,
      activeRequests: this.#admission.active,
      waitingRequests: this.#admission.waiting,
      queued,
      maxQueued,
      secondsBehind: oldestMs / 1000,
      urlsProcessed: this.#totals.urlsProcessed,
      warcBytesWritten: this.#totals.warcBytesWritten,
      earliestFetch: this.#admission.earliest,
      earliestInChain: oldest && { url: oldest.url, processor: processors.findLast((each) => each.queued > 0)?.name },
      processors,
      databases: this.#opened.databases.states,
      finished: this.#opened.finished?.state,
      rate: (minutes) => this.#totals.rate(minutes),
    };
  }

  /** Whether what nobody caught is the fault of a plugin; it is told and counted as a call that throws, and the core goes on. */
  blame(error: unknown): boolean {
    return this.#opened.plugins.blame(error);
  }

  /** Requests wait for others to end. */
  get crowded(): boolean {
    return this.#admission.waiting > 0;
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

  /** Resolves when everything that has come by now is in its files and counted. */
  async settled(): Promise<void> {
    await this.#hashing?.settled();
    await this.archive.settled();
  }

  /** Begin nothing more, and cut what runs; what has come is kept. */
  stop(): void {
    this.#admission.close();
  }

  /** Resolves, after `stop`, when everything that ran is in the archive's hands. */
  stopped(): Promise<void> {
    return this.#admission.settled();
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
    const rooms = [this.#hashing, this.archive, this.#opened.databases, this.#origins, this.#space, this.#expected, this.#opened.finished];
    await allInOrder([() => this.stopped(), ...rooms.map((room) => () => room?.close())]);
  }

  async #archived(capture: Capture): Promise<void> {
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

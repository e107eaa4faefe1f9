/**
 * What stands behind the queue of captures: the WARC files, and the processors of the chain, the whole list on one screen.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname as machineName } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Archive, ArchiveState } from '../capture/archive.ts';
import type { Capture } from '../capture/capture.ts';
import { bucketsOf } from '../meta/buckets.ts';
import { HashingThread } from '../util/hashing-thread.ts';
import type { TimeSlices } from '../util/slices.ts';
import type { Among } from './core-parts.ts';
import type { Handles } from './handles.ts';
import type { Opened } from './open.ts';
import type { ResolvedCoreOptions } from '../options/table.ts';
import { warcFolders } from '../options/warc-dir.ts';
import { Chain } from '../archive/chain.ts';
import { cdxDedupLoader } from '../archive/cdx-dedup-loader.ts';
import { crawlLog } from '../archive/crawl-log.ts';
import { dedupDb } from '../archive/dedup-db.ts';
import { dedupLoader } from '../archive/dedup-loader.ts';
import { lapsedClaims } from '../archive/lapsed-claims.ts';
import { mimeTypeFilter } from '../archive/mime-type-filter.ts';
import { playbackIndexer } from '../archive/playback-index.ts';
import type { Processor } from '../archive/processor.ts';
import { runningStats, type RunningStats } from '../archive/running-stats.ts';
import { statsProcessor } from '../archive/stats.ts';
import { warcWriter } from '../archive/warc-writer.ts';
import type { DigestFormat } from '../util/digest.ts';
import type { Log } from '../util/log.ts';
import { machineAddress } from '../util/machine-address.ts';
import { WarcWriteError } from '../warc/errors.ts';
import { Names, type NamesOptions } from '../warc/write/names.ts';
import { createExclusively } from '../warc/write/output.ts';
import { WriterPool } from '../warc/write/pool.ts';
import { newRecordId } from '../util/record-id.ts';
import { timeOfDay } from '../util/time-of-day.ts';

const RANDOM_TOKEN_LENGTH = 8;

export interface ArchiveParts {
  readonly options: ResolvedCoreOptions;
  readonly opened: Opened;
  readonly handles: Pick<Handles, 'maxWarcs' | 'maxCrawlLogs'>;
  readonly version: string;
  readonly slices: TimeSlices;
  /** where the program in front of the core listens, known once it does */
  readonly port: () => number;
  readonly among: Pick<Among, 'number' | 'of' | 'finished'> | undefined;
  /** told of each capture when it leaves the archive, before its bytes are let go of */
  readonly done: (capture: Capture) => void;
  /** nothing can be archived any more */
  readonly onFatal: (error: Error) => void;
  readonly log: Log;
}

export interface OpenArchive {
  readonly archive: Archive & ArchiveState;
  /** what it has done since it was opened */
  readonly totals: RunningStats;
  readonly warcs: Pick<WriterPool, 'filesBegun' | 'openFiles' | 'files' | 'place'>;
}

export function digestOf(options: Pick<ResolvedCoreOptions, 'digestAlgorithm' | 'base32'>): DigestFormat {
  return { algorithm: options.digestAlgorithm, base32: options.base32 };
}

/** @returns undefined where every core has a process that works already: a thread would only take time from those. @param processes that share the traffic */
export function hashingOf({ digestAlgorithm }: Pick<ResolvedCoreOptions, 'digestAlgorithm'>, processes: number): HashingThread | undefined {
  return availableParallelism() > processes ? new HashingThread(digestAlgorithm) : undefined;
}

/** The chain with the WARC files behind it; both are closed with the archive. */
export function openArchive(parts: ArchiveParts): OpenArchive {
  const { options, done, onFatal, log } = parts;
  const warcs = warcFiles(parts);
  const totals = runningStats(
    () => warcs.bytesWritten,
    () => performance.now(),
  );
  const isFatal = (error: unknown) => error instanceof WarcWriteError;
  const processors = processorsOf(parts, warcs, totals);
  return { archive: new Chain({ processors, done, maxQueued: options.queueSize, log, isFatal, onFatal }), totals, warcs };
}

/** The chain, in the order of spec/warcprox.md §4; what is switched off is absent. */
function processorsOf(
  { options, opened, handles, slices, port, log }: ArchiveParts,
  warcs: WriterPool,
  totals: Processor,
): readonly Processor[] {
  const { stats, playback: index, plugins } = opened;
  const won: string[] = [];
  const dedup = opened.dedup && { index: opened.dedup.holder(), won };
  const methods = options.methodFilter;
  const rules = {
    minTextSize: options.dedupMinTextSize,
    minBinarySize: options.dedupMinBinarySize,
    onlyWithBucket: options.dedupOnlyWithBucket,
  };
  const cdx = options.cdxserverDedup !== undefined && {
    url: options.cdxserverDedup,
    cookies: options.cdxserverDedupCookies,
    maxRequests: options.cdxserverDedupMaxThreads,
  };
  const chain: readonly (Processor | false | undefined)[] = [
    ...plugins.early,
    mimeTypeFilter({ slices, log }),
    cdx && cdxDedupLoader({ ...cdx, rules, methods, log }),
    dedup && dedupLoader({ ...dedup, rules, methods, log }),
    warcWriter({
      pool: warcs,
      records: { version: options.warcVersion, digest: digestOf(options), newRecordId, protocol: !options.noWarcProtocol },
      methods,
      recordFailures: options.recordFailures,
      lapsed: dedup && lapsedClaims({ ...dedup, rules, methods }),
      blackout: { seconds: options.blackoutPeriod, now: timeOfDay },
      log,
    }),
    dedup && dedupDb({ ...dedup, rules }),
    stats && statsProcessor({ store: stats, bucketsOf }),
    index && playbackIndexer({ index }),
    options.crawlLogDir !== undefined &&
      crawlLog({
        dir: options.crawlLogDir,
        hostname: machineName(),
        port,
        maxOpenFiles: handles.maxCrawlLogs,
        now: timeOfDay,
        log,
      }),
    ...plugins.late,
    totals,
  ];
  return chain.filter((processor) => processor !== undefined && processor !== false);
}

function warcFiles({ options, opened, handles, version, port, among, log }: ArchiveParts): WriterPool {
  const hostname = machineName();
  return new WriterPool({
    dir: warcFolders(options).dir,
    subdirPrefix: options.subdirPrefix,
    names: new Names({ template: opened.template, hostname, port, now: timeOfDay, ...namesAmong(options.warcFilename, among) }),
    encoder: opened.encoder,
    version: options.warcVersion,
    info: { software: `warctap ${version}`, hostname, ip: machineAddress() },
    output: { openSuffix: !options.noWarcOpenSuffix, lock: opened.lock, fsync: fsyncOf(options), create: createExclusively },
    maxBytes: options.size,
    idleMs: options.rolloverIdleTime === undefined ? undefined : options.rolloverIdleTime * 1000,
    openPaths: opened.openFiles,
    indexes: opened.indexes,
    onFinished: (file, prefix) => (among?.finished ?? opened.finished)?.add(file, prefix),
    maxOpenFiles: handles.maxWarcs,
    now: timeOfDay,
    nowMs: () => performance.now(),
    newRecordId,
    log,
  });
}

/** What others may refer to must outlast a power cut of this machine. */
function fsyncOf({ fsync, store }: ResolvedCoreOptions): 'never' | 'close' | 'capture' {
  return fsync ?? (store === undefined ? 'close' : 'capture');
}

/**
 * Names that no other of many processes gives: its number stands in the random token, and where names have none, the serial numbers are
 * those of one process each. What is taken all the same is not taken twice (warc/write/output.ts).
 */
function namesAmong(template: string, among: ArchiveParts['among']): Pick<NamesOptions, 'newRandomToken' | 'serials'> {
  if (among === undefined) return { newRandomToken: () => randomToken('') };
  const { number, of } = among;
  if (template.includes('{randomtoken}')) return { newRandomToken: () => randomToken(`w${number}`) };
  return { newRandomToken: () => randomToken(''), serials: { first: number - 1, step: of } };
}

function randomToken(beginning: string): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const random = randomBytes(RANDOM_TOKEN_LENGTH - beginning.length);
  return beginning + Array.from(random, (byte) => letters[byte % letters.length]).join('');
}

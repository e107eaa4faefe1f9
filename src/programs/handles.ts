/**
 * Who may have how many files and sockets open, so that all together stay below the system's limit.
 *
 * Where it is lower than what the options allow, connections of clients and exchanges are fewer: those are what is refused or waits, and
 * never a WARC file, a log or the stores.
 */
import type { Log } from '../util/log.ts';
import { openFilesLimit } from '../util/open-files-limit.ts';

export interface WantedHandles {
  /** of clients, at each listener; 0 without one */
  readonly maxConnections: number;
  /** a second listener, whose connections have a file open each */
  readonly playback: boolean;
  readonly maxExchanges: number;
  readonly crawlLogs: boolean;
}

export interface Handles {
  /** at each listener */
  readonly maxConnections: number;
  readonly maxExchanges: number;
  /** idle connections to origins */
  readonly maxIdle: number;
  /** temporary files */
  readonly maxSpools: number;
  readonly maxWarcs: number;
  readonly maxCrawlLogs: number;
}

/** The system lets too few files be open for anything. */
export class OpenFilesError extends Error {
  readonly code = 'OPEN_FILES';
  override readonly name = 'OpenFilesError';
}

const MAX_IDLE_CONNECTIONS = 512;
const MAX_OPEN_WARCS = 256;
const MAX_OPEN_CRAWL_LOGS = 256;
/** Of Node, the log, the stores, look-ups of names, and what is open for a moment: 26 when nothing is done, see docs/decisions.md. */
const RESERVE = 64;
/** WARC files that are open past their bound, while all of them are written to. */
const PAST_BOUND = 4;
/** Temporary files for each exchange: its two, and one that waits to be written. More than two, so that none waits for itself. */
const SPOOLS = 3;
/** So few connections deserve a warning: a browser opens dozens. */
const FEW_CONNECTIONS = 1000;

/** @throws OpenFilesError when the limit is too low for anything */
export function divideHandles(limit: number, { maxConnections, playback, maxExchanges, crawlLogs }: WantedHandles): Handles {
  let left = limit - RESERVE;
  const take = (share: number, most: number) => {
    const taken = Math.min(Math.max(Math.floor(left * share), 1), most);
    left -= taken;
    return taken;
  };
  const maxWarcs = take(1 / 8, MAX_OPEN_WARCS);
  left -= PAST_BOUND;
  const maxCrawlLogs = crawlLogs ? take(1 / 8, MAX_OPEN_CRAWL_LOGS) : MAX_OPEN_CRAWL_LOGS;
  const maxIdle = take(1 / 16, MAX_IDLE_CONNECTIONS);
  const ofExchange = 1 + SPOOLS;
  const ofConnection = playback ? 3 : 1;
  const forExchanges = maxConnections === 0 ? left : left / 2;
  const exchanges = Math.min(maxExchanges, Math.floor(forExchanges / ofExchange));
  left -= exchanges * ofExchange;
  const connections = Math.min(maxConnections, Math.floor(left / ofConnection));
  if (exchanges < 1 || connections < Math.min(maxConnections, 1)) {
    throw new OpenFilesError(`only ${limit} files may be open at once, which is too few: see "ulimit -n"`);
  }
  return { maxConnections: connections, maxExchanges: exchanges, maxIdle, maxSpools: exchanges * SPOOLS, maxWarcs, maxCrawlLogs };
}

/** By the limit of this process. @throws OpenFilesError when it is too low for anything */
export function handlesFor(wanted: WantedHandles): Handles {
  return divideHandles(openFilesLimit() ?? Infinity, wanted);
}

/** Say so where less is possible than was wanted. Once it has started: what keeps it from that has a line to itself. */
export function tellOfHandles(wanted: WantedHandles, { maxConnections, maxExchanges }: Handles, log: Log): void {
  if (maxConnections >= wanted.maxConnections && maxExchanges >= wanted.maxExchanges) return;
  const facts = { openFiles: openFilesLimit(), maxConnections, maxThreads: maxExchanges };
  const line = 'the system lets fewer files be open (ulimit -n) than --max-connections and --max-threads need: both are lowered';
  if (wanted.maxConnections > 0 && maxConnections < FEW_CONNECTIONS) log.warn(facts, line);
  else log.info(facts, line);
}

/**
 * A shared store, put together: the link to it, and in a database of this machine what waits for it and what this machine has put in.
 */
import type { Log } from '../../util/log.ts';
import type { DedupStore } from '../dedup.ts';
import type { Database, DatabaseState } from '../level/database.ts';
import type { AddingStatistics } from '../statistics.ts';
import type { StoreAddress } from './address.ts';
import { valkeyDedup } from './dedup.ts';
import { Link } from './link.ts';
import { Outbox } from './outbox.ts';
import { OwnEntries } from './own-entries.ts';
import { ValkeyStatistics } from './statistics.ts';

export interface SharedStoreOptions {
  readonly address: StoreAddress;
  /** of this machine */
  readonly database: Database;
  /** paths of the WARC files that are open */
  readonly openFiles: ReadonlySet<string>;
  /** how long an answer of the store may take */
  readonly timeoutMs?: number;
  /** entries kept in memory */
  readonly maxCached?: number;
  /** characters that may wait for the store */
  readonly maxWaiting?: number;
  /** how long a claim stands whose holder is gone */
  readonly livesMs?: number;
  readonly log: Log;
}

export interface SharedStore {
  readonly dedup: DedupStore;
  readonly stats: AddingStatistics;
  readonly state: DatabaseState;
  /** Once the stores in it are closed, and before the database is. */
  close(): Promise<void>;
}

/** @throws StoreError when it cannot be reached, or cannot be a store */
export async function openSharedStore(options: SharedStoreOptions): Promise<SharedStore> {
  const { address, database, openFiles, timeoutMs, maxWaiting, log, ...tuning } = options;
  const link = await Link.open({ address, log, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  const outbox = await Outbox.open({
    section: database.later('outbox'),
    link,
    log,
    ...(maxWaiting === undefined ? {} : { maxChars: maxWaiting }),
  });
  const own = new OwnEntries(database.later('own'), openFiles);
  return {
    dedup: valkeyDedup({ link, outbox, own, ...tuning }),
    stats: new ValkeyStatistics({ link, outbox }),
    get state() {
      return { folder: link.shown, problem: link.problem?.message, waiting: outbox.waiting, lost: outbox.lost };
    },
    async close() {
      await outbox.deliver();
      await link.close();
      if (!outbox.isInUse) return;
      const line = 'what waits for the store is delivered at the next start with the same store and database';
      log.warn({ store: link.shown, database: database.folder, entries: outbox.waiting }, line);
    },
  };
}

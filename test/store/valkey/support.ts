/** A shared store on a real server, with a database of its own beside it. */
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { Databases } from '../../../src/store/level/database.ts';
import { openSharedStore, type SharedStore } from '../../../src/store/valkey/open.ts';
import type { StoreAddress } from '../../../src/store/valkey/address.ts';
import { silentLog, type Log } from '../../../src/util/log.ts';
import { tempDir } from '../level/support.ts';
import { join } from 'node:path';

export interface Machine extends SharedStore {
  /** of its database */
  readonly folder: string;
  /** closes the store, and the database with it */
  readonly leave: () => Promise<void>;
}

export interface MachineOptions {
  readonly address: StoreAddress;
  readonly folder?: string;
  readonly openFiles?: ReadonlySet<string>;
  readonly timeoutMs?: number;
  readonly maxCached?: number;
  readonly livesMs?: number;
  readonly maxWaiting?: number;
  readonly log?: Log;
}

/** One of those that share it. */
export async function machine(t: TestContext, options: MachineOptions): Promise<Machine> {
  const { address, folder = join(tempDir(t), 'db'), openFiles = new Set<string>(), timeoutMs = 2000, log = silentLog, ...tuning } = options;
  const databases = new Databases(log);
  const store = await openSharedStore({ address, database: await databases.open(folder), openFiles, timeoutMs, log, ...tuning });
  let left = false;
  const leave = async () => {
    if (left) return;
    left = true;
    await store.close();
    await databases.close();
  };
  t.after(leave);
  return { ...store, get state() { return store.state; }, folder, leave }; // prettier-ignore
}

/** A log, and its lines of the levels `warn` and `error`, to be waited for. */
export function kept(): { readonly log: Log; readonly lines: string[]; readonly until: (line: RegExp) => Promise<void> } {
  const lines: string[] = [];
  const said = new EventTarget();
  const keep = (_: object, message: string) => {
    lines.push(message);
    said.dispatchEvent(new Event('line'));
  };
  return {
    lines,
    log: { debug() {}, info: keep, warn: keep, error: keep },
    async until(line) {
      while (!lines.some((each) => line.test(each))) await once(said, 'line');
    },
  };
}

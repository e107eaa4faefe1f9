/**
 * What a job has still to fetch: in the database, with the cheapest entries of some hosts in memory.
 *
 * An entry stays in the database until its end is stored, so that whatever was under way when the process died is there again. An index
 * tells which hosts have entries of which cost: hosts come into memory cheapest first, and go when nothing is left of them.
 */
import type { Batch, CrawlDatabase } from './database.ts';
import { HostQueue, type Entry } from './host-queue.ts';
import { count, double, hostKey, key, readFrontierKey, readHostKey, within } from './keys.ts';
import type { Id } from './types.ts';

/** An entry that there is not yet. */
export type NewEntry = Omit<Entry, 'n' | 'key'>;

export interface FrontierRoom {
  /** hosts in memory */
  readonly hosts: number;
  /** entries in memory, of all of them, about */
  readonly entries: number;
}

/** As it is stored under its key. */
interface Stored {
  readonly u: string;
  readonly s: number;
  readonly k?: Entry['kind'];
}

const MAX_PER_HOST = 100;

export class Frontier {
  /** by name */
  readonly hosts = new Map<string, HostQueue>();
  readonly #db: CrawlDatabase;
  readonly #job: Id;
  readonly #room: FrontierRoom;
  /** the index may know hosts that are not in memory */
  #moreHosts = true;
  #filling: Promise<void> | undefined;
  /** hosts that have got entries since the index is being read */
  #touched: Set<string> | undefined;

  constructor(db: CrawlDatabase, job: Id, room: FrontierRoom) {
    this.#db = db;
    this.#job = job;
    this.#room = room;
  }

  /** Nothing is left, and nothing is under way. */
  get exhausted(): boolean {
    return this.hosts.size === 0 && !this.#moreHosts && this.#filling === undefined;
  }

  /** Entries in memory. */
  get waiting(): number {
    let waiting = 0;
    for (const queue of this.hosts.values()) waiting += queue.entries.length;
    return waiting;
  }

  /** Part of a change. @returns the entry, for `added` once it is stored */
  put(batch: Batch, entry: NewEntry): Entry {
    const n = ++batch.n;
    const host = hostKey(entry.host);
    const name = key('F', this.#job, host, double(entry.cost), count(n));
    const stored: Stored = { u: entry.url, s: entry.seed, ...(entry.kind === 'link' ? {} : { k: entry.kind }) };
    batch.put(name, stored);
    batch.mark(key('H', this.#job, double(entry.cost), host));
    const queue = this.hosts.get(entry.host);
    // From now on the host may not be forgotten.
    if (queue !== undefined) queue.coming++;
    this.#touched?.add(host.toString('latin1'));
    return { ...entry, n, key: name };
  }

  /** Part of a change. */
  delete(batch: Batch, entry: Entry): void {
    batch.delete(entry.key);
  }

  added(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const queue = this.hosts.get(entry.host);
      if (queue === undefined) this.#moreHosts = true;
      else queue.added(entry);
      if (queue !== undefined && queue.coming > 0) queue.coming--;
    }
  }

  ended(entry: Entry): void {
    this.hosts.get(entry.host)?.ended(entry);
  }

  giveBack(entry: Entry): void {
    this.hosts.get(entry.host)?.giveBack(entry);
  }

  /** There is something to be read, or to be forgotten. */
  get wantsFilling(): boolean {
    if (this.#filling !== undefined) return false;
    if (this.#wantsHosts) return true;
    for (const queue of this.hosts.values()) if ((queue.entries.length === 0 && queue.more) || queue.drained) return true;
    return false;
  }

  /** Read what is wanted. @throws CrawlStoreError */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().finally(() => (this.#filling = undefined));
    return this.#filling;
  }

  /** Nothing is read or forgotten any more. */
  async settled(): Promise<void> {
    await this.#filling?.catch(() => undefined);
  }

  get #wantsHosts(): boolean {
    return this.#moreHosts && this.hosts.size <= this.#room.hosts / 2;
  }

  async #fill(): Promise<void> {
    const drained = [...this.hosts.values()].filter((queue) => queue.drained);
    if (drained.length > 0) await this.#forget(drained);
    for (const queue of this.hosts.values()) if (queue.entries.length === 0 && queue.more) await this.#read(queue);
    if (this.#wantsHosts) await this.#readHosts();
  }

  async #read(queue: HostQueue): Promise<void> {
    const all = within(key('F', this.#job, hostKey(queue.host)));
    queue.beginReading();
    let entries: Entry[] = [];
    try {
      const { upTo } = queue;
      const range = upTo === undefined ? all : { gt: upTo, lt: all.lt };
      entries = (await this.#db.entries({ ...range, limit: queue.room })).map(([name, value]) => entryOf(name, value));
    } finally {
      queue.endReading(entries);
    }
  }

  /** Cheapest hosts first. */
  async #readHosts(): Promise<void> {
    const { hosts: maxHosts, entries: maxEntries } = this.#room;
    const known = new Set([...this.hosts.keys()].map((host) => hostKey(host).toString('latin1')));
    const wanted: { readonly host: Buffer; readonly name: Buffer }[] = [];
    // Cleared before it is read: what is added from now on counts again.
    this.#moreHosts = false;
    this.#touched = new Set();
    for await (const name of this.#db.keys(within(key('H', this.#job)))) {
      const { host } = readHostKey(name);
      const text = host.toString('latin1');
      if (known.has(text)) continue;
      if (wanted.length + this.hosts.size >= maxHosts) {
        this.#moreHosts = true;
        break;
      }
      known.add(text);
      wanted.push({ host, name });
    }
    const room = Math.max(1, Math.min(MAX_PER_HOST, Math.floor(maxEntries / (this.hosts.size + wanted.length || 1))));
    for (const { host, name } of wanted) {
      const [first] = await this.#db.entries({ ...within(key('F', this.#job, host)), limit: 1 });
      if (first === undefined) {
        await this.#db.change((batch) => {
          if (this.#touched?.has(host.toString('latin1')) !== true) batch.delete(name);
        });
        continue;
      }
      const queue = new HostQueue(entryOf(...first).host, room);
      this.hosts.set(queue.host, queue);
      queue.costs.add(readHostKey(name).cost);
      await this.#read(queue);
    }
    this.#touched = undefined;
  }

  /** Unless something has come for them meanwhile. */
  async #forget(queues: readonly HostQueue[]): Promise<void> {
    await this.#db.change((batch) => {
      for (const queue of queues) {
        if (!queue.drained) continue;
        this.hosts.delete(queue.host);
        for (const cost of queue.costs) batch.delete(key('H', this.#job, double(cost), hostKey(queue.host)));
      }
    });
  }
}

function entryOf(name: Buffer, value: Buffer): Entry {
  const { u: url, s: seed, k: kind = 'link' } = JSON.parse(value.toString()) as Stored;
  return { ...readFrontierKey(name), url, seed, kind, host: hostOf(url), key: name };
}

/** @param url as URL writes it @returns in lower case and IDNA form, without port */
export function hostOf(url: string): string {
  const [, v6, host = ''] = /^https?:\/\/(?:[^/?#]*@)?(?:\[([^\]]*)\]|([^:/?#]*))/.exec(url) ?? [];
  return v6 ?? host;
}

/** Everything of the frontier of a job, and what it has seen. */
export function frontierRanges(job: Id) {
  return (['F', 'H', 'S'] as const).map((space) => within(key(space, job)));
}

/**
 * Handing out: which URLs a worker is given.
 *
 * Rank after rank; within one, hosts take turns, and each gives as many as all together need. Costs a look at the hosts that may go and three
 * reads of what they have first, whatever else is stored.
 */
import { hostIn, hostsOf, settle } from './hosts.ts';
import { key } from './keys.ts';
import type { Life, Rules } from './life.ts';
import type { HostRecord, UrlRecord } from './records.ts';
import type { QueueStore, View } from './store.ts';

export interface Given {
  readonly record: UrlRecord;
  readonly ms: number;
}

/** Hosts that are looked at in one pass, and passes of one call: what a host lacks is made up by others in the next. */
const MAX_HOSTS = 1000;
const MAX_PASSES = 24;
/** Places that are looked at for those hosts together, at least, once it is seen that what stood there has gone. */
const MIN_PLACES = 256;

/** What one host gives in a pass: so many of those that wait at these places. */
interface Share {
  readonly host: string;
  readonly numbers: readonly number[];
  readonly size: number;
}

export class HandOut {
  readonly #store: QueueStore;
  readonly #life: Life;
  readonly #rules: Rules;
  /** of each rank, the first key that there is, so that nobody walks over what was deleted before it */
  readonly #first = new Map<number, string>();

  constructor(store: QueueStore, life: Life, rules: Rules) {
    this.#store = store;
    this.#life = life;
    this.#rules = rules;
  }

  /** Only for who has the database alone. */
  async give(worker: string, limit: number, nowMs: number): Promise<Given[]> {
    const all: Given[] = [];
    // Passes that only find places of what has gone come to an end: none is looked at twice.
    for (let pass = 0; (pass < MAX_PASSES || all.length === 0) && all.length < limit; pass++) {
      const given = await this.#pass(worker, limit - all.length, pass === 0 ? 0 : MIN_PLACES, nowMs);
      if (given === undefined) break;
      all.push(...given);
    }
    return all;
  }

  /** @returns undefined when no host may go */
  async #pass(worker: string, limit: number, minPlaces: number, nowMs: number): Promise<Given[] | undefined> {
    const found = await this.#hosts(Math.min(limit, MAX_HOSTS), nowMs);
    if (found === undefined) return undefined;
    const { rank, hosts } = found;
    const view = await this.#store.read(hosts.map(key.host));
    const shares = this.#shares(view, hosts, rank, limit, minPlaces);
    const places = shares.flatMap(({ host, numbers }) => numbers.map((number) => key.waiting(host, rank, number)));
    await this.#store.extend(view, places);
    const ids = places.map((place) => view.get<string>(place)).filter((id) => id !== undefined);
    await this.#store.extend(view, ids.map(key.url));
    const given = shares.map((share) => this.#give(view, share, rank, worker, nowMs));
    await this.#store.write(view);
    return inTurn(given);
  }

  #shares(view: View, hosts: readonly string[], rank: number, limit: number, minPlaces: number): Share[] {
    const { maxPerHost, hostDelayMs } = this.#rules;
    const each = hostDelayMs > 0 ? 1 : Math.ceil(limit / hosts.length);
    let left = limit;
    return hosts.map((host) => {
      const { out, queues } = hostIn(view, host);
      const [head, tail] = queues[rank] ?? [0, 0];
      const room = maxPerHost === 0 ? each : Math.min(each, maxPerHost - out);
      const size = Math.max(0, Math.min(room, tail - head, left));
      left -= size;
      const places = size === 0 ? 0 : Math.min(tail - head, Math.max(size, Math.floor(minPlaces / hosts.length)));
      return { host, size, numbers: Array.from({ length: places }, (_, index) => head + index) };
    });
  }

  #give(view: View, { host, numbers, size }: Share, rank: number, worker: string, nowMs: number): Given[] {
    const given: Given[] = [];
    let passed = 0;
    for (const number of numbers) {
      if (given.length === size) break;
      passed++;
      const place = key.waiting(host, rank, number);
      const id = view.get<string>(place);
      if (id === undefined) continue;
      view.delete(place);
      const record = view.get<UrlRecord>(key.url(id));
      if (record?.place === undefined) continue;
      const lease = { worker, given: nowMs, ends: nowMs + this.#rules.leaseMs };
      given.push({ record: this.#life.give(view, id, record, lease), ms: nowMs });
    }
    const before = hostIn(view, host);
    const [head, tail] = before.queues[rank] ?? [0, 0];
    const changed: HostRecord = {
      ...before,
      out: before.out + given.length,
      last: given.length > 0 ? nowMs : before.last,
      queues: { ...before.queues, [rank]: [head + passed, tail] },
    };
    settle(view, host, changed, nowMs, this.#rules, passed > 0);
    return given;
  }

  /** The first hosts, of the first rank that has any that may go. */
  async #hosts(limit: number, nowMs: number): Promise<{ rank: number; hosts: readonly string[] } | undefined> {
    const ranks = Object.keys(this.#store.counts.ready)
      .map(Number)
      .sort((a, b) => a - b);
    for (const rank of ranks) {
      const keys = await this.#ready(rank, limit, nowMs);
      if (keys.length > 0) return { rank, hosts: hostsOf(keys) };
    }
    return undefined;
  }

  async #ready(rank: number, limit: number, nowMs: number): Promise<readonly string[]> {
    const { hostDelayMs } = this.#rules;
    const first = this.#first.get(rank) ?? key.nextFrom(rank, 0);
    const end = key.nextEnd(rank);
    const until = hostDelayMs === 0 ? end : key.nextFrom(rank, nowMs - hostDelayMs + 1);
    const keys = first < until ? await this.#store.keysIn({ gte: first, lt: until, limit }) : [];
    if (keys[0] !== undefined && keys[0] < key.nextFrom(rank, nowMs + 1)) this.#first.set(rank, keys[0]);
    if (hostDelayMs === 0 || keys.length === limit) return keys;
    // A time that is yet to come was written before the clock was set back.
    return [...keys, ...(await this.#store.keysIn({ gte: key.nextFrom(rank, nowMs + 1), lt: end, limit: limit - keys.length }))];
  }
}

/** One of each host, then the next of each. */
function inTurn(given: readonly (readonly Given[])[]): Given[] {
  const longest = Math.max(0, ...given.map(({ length }) => length));
  return Array.from({ length: longest }, (_, round) => given.map((each) => each[round])).flatMap((round) =>
    round.filter((each) => each !== undefined),
  );
}

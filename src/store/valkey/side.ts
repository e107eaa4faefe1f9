/**
 * A shared store as one end of a migration, and what `warctap store` tells and mends of it.
 */
import { randomUUID } from 'node:crypto';
import type { Log } from '../../util/log.ts';
import { bucketOfSix, ZERO, type Entry, type Side, type Six } from '../migration.ts';
import type { StoreAddress } from './address.ts';
import { Link, type ScriptArgument } from './link.ts';
import { packEntry, packKey, slotOf, unpackEntry, unpackKey } from './packed.ts';
import { ALIVE, BUCKETS, CLAIMS, ENTRIES, GIVE, GIVEN_BY, LOOK, PUBLISH, READ_BUCKET } from './scripts.ts';
import type { ServerInfo } from './server.ts';

/** What is there. */
export interface StoreFacts {
  readonly server: ServerInfo;
  readonly entries: number;
  readonly buckets: number;
  readonly claims: number;
  /** who holds claims, and is there */
  readonly holders: number;
  /** bytes of the largest value that a hash keeps packed; undefined where the server does not say */
  readonly packed: number | undefined;
}

const AT_ONCE = 500;
const ID_KEY = 'w:id';

export interface ValkeySide extends Side {
  /** Whether there is an entry, for each key. */
  has(keys: readonly string[]): Promise<readonly boolean[]>;
  facts(): Promise<StoreFacts>;
  /** Of every entry, whether it can be read. @param drop delete those that cannot. @returns how many there are of both */
  check(drop: boolean): Promise<{ readonly whole: number; readonly damaged: number }>;
}

/** @throws StoreError */
export async function valkeySide(address: StoreAddress, log: Log): Promise<ValkeySide> {
  const link = await Link.open({ address, log });

  async function* scan(prefix: string): AsyncGenerator<readonly string[], void> {
    let cursor = '0';
    do {
      const [next, keys] = (await link.call('SCAN', cursor, 'MATCH', `${prefix}*`, 'COUNT', AT_ONCE)) as [Buffer, Buffer[]];
      cursor = next.toString();
      if (keys.length > 0) yield [...new Set(keys.map((key) => key.toString()))];
    } while (cursor !== '0');
  }

  const count = async (prefix: string): Promise<number> => {
    let counted = 0;
    for await (const keys of scan(prefix)) counted += keys.length;
    return counted;
  };

  async function* pairs(): AsyncGenerator<readonly (readonly [hash: string, key: Buffer, entry: Buffer])[], void> {
    for await (const hashes of scan(ENTRIES)) {
      const read = await Promise.all(hashes.map(async (hash) => [hash, (await link.call('HGETALL', hash)) as Buffer[]] as const));
      yield read.flatMap(([hash, fields]) =>
        Array.from({ length: fields.length / 2 }, (_, nth) => [hash, fields[nth * 2] ?? NONE, fields[nth * 2 + 1] ?? NONE] as const),
      );
    }
  }

  return {
    async id() {
      await link.call('SET', ID_KEY, randomUUID(), 'NX');
      return String(await link.call('GET', ID_KEY));
    },
    async *entries() {
      for await (const some of pairs()) yield some.flatMap(([, key, entry]) => entryIn(key, entry) ?? []);
    },
    async addEntries(entries) {
      let added = 0;
      for (let at = 0; at < entries.length; at += AT_ONCE) {
        const parameters: ScriptArgument[] = [1, ''];
        for (const { key, original } of entries.slice(at, at + AT_ONCE)) {
          const packed = packKey(key);
          parameters.push(slotOf(packed), packed, packEntry(original));
        }
        const said = (await link.run(PUBLISH, parameters)) as readonly number[];
        added += said.filter((each) => each === 1).length;
      }
      return added;
    },
    async *buckets() {
      for await (const keys of scan(BUCKETS)) {
        const names = keys.map((key) => key.slice(BUCKETS.length));
        const counts = await Promise.all(names.map(async (name) => (await link.run(READ_BUCKET, [name])) as readonly (Buffer | null)[]));
        yield names.map((name, nth) => bucketOfSix(name, (counts[nth] ?? []).map((each) => Number(each ?? 0)) as unknown as Six));
      }
    },
    async givenBy(id, buckets) {
      const given = (await link.run(GIVEN_BY, [id, ...buckets])) as readonly (Buffer | null)[];
      return given.map((each) => (each === null ? ZERO : (JSON.parse(each.toString()) as Six)));
    },
    async addCounts(id, counts) {
      await link.run(GIVE, [id, ...counts.flatMap(({ bucket, more, given }) => [bucket, JSON.stringify(given), ...more])]);
    },
    async has(keys) {
      const said = (await link.run(
        LOOK,
        keys.map(packKey).flatMap((key) => [slotOf(key), key]),
      )) as readonly unknown[];
      return said.map((each) => Buffer.isBuffer(each));
    },
    async facts() {
      let entries = 0;
      for await (const hashes of scan(ENTRIES)) {
        const lengths = await Promise.all(hashes.map((hash) => link.call('HLEN', hash)));
        for (const length of lengths) entries += Number(length);
      }
      const config = await link.call('CONFIG', 'GET', 'hash-max-listpack-value').catch(() => undefined);
      const packed = Array.isArray(config) && config[1] !== undefined ? Number(config[1]) : undefined;
      const [buckets, claims, holders] = [await count(BUCKETS), await count(CLAIMS), await count(ALIVE)];
      const { info: server } = link;
      if (server === undefined) throw new Error('nothing is known of the server');
      return { server, entries, buckets, claims, holders, packed };
    },
    async check(drop) {
      let [whole, damaged] = [0, 0];
      for await (const some of pairs()) {
        for (const [hash, key, entry] of some) {
          if (entryIn(key, entry) !== undefined && hash === `${ENTRIES}${slotOf(key)}`) whole++;
          else {
            damaged++;
            if (drop) await link.call('HDEL', hash, key);
          }
        }
      }
      return { whole, damaged };
    },
    close: () => link.close(),
  };
}

const NONE = Buffer.alloc(0);

/** @returns undefined for what makes no sense */
function entryIn(key: Buffer, entry: Buffer): Entry | undefined {
  try {
    return { key: unpackKey(key), original: unpackEntry(entry) };
  } catch {
    return undefined;
  }
}

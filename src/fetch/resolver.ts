/**
 * Names to addresses without the thread pool: hosts file, then DNS by c-ares, then the system's resolver for what only it knows.
 *
 * The system's resolver (getaddrinfo) occupies a thread of the pool that files and compression need, so that few calls run at once.
 * Source: RFC 6761 §6.3 (localhost), hosts(5).
 */
import { lookup, Resolver, type LookupAddress, type RecordWithTtl } from 'node:dns';
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import { FetchError } from '../http/fetch-error.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';

export type Resolve = (host: string) => readonly LookupAddress[] | Promise<readonly LookupAddress[]>;

const HOSTS_FILE =
  process.platform === 'win32' ? `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts` : '/etc/hosts';
const MIN_TTL_S = 5;
const MAX_TTL_S = 600;
/** Time to live of an answer that comes without one: hosts file, system. */
const LOCAL_TTL_S = 30;
const CACHED_NAMES = 10_000;
const DNS_TIMEOUT_MS = 3000;
const DNS_TRIES = 2;
const SYSTEM_LOOKUPS = 2;
/** Who has waited so long for the system's resolver is not asked for any more. */
const MAX_WAIT_MS = 60_000;

const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

interface Found {
  readonly addresses: readonly LookupAddress[];
  readonly ttlSeconds: number;
}

/** @returns a function that answers at once what it knows; it rejects with FetchError `not-resolved` */
export function createResolver(): Resolve {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  const resolve4 = promisify(resolver.resolve4.bind(resolver)) as (host: string, options: { ttl: true }) => Promise<RecordWithTtl[]>;
  const resolve6 = promisify(resolver.resolve6.bind(resolver)) as (host: string, options: { ttl: true }) => Promise<RecordWithTtl[]>;
  const cache = new LRUCache<string, readonly LookupAddress[]>({ max: CACHED_NAMES });
  const underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  const hostsFile = createHostsFile();
  const system = createSystemLookup();

  /** @returns undefined when the system's resolver may know more; @throws when the name servers say that there is no such name */
  async function byDns(host: string): Promise<Found | undefined> {
    if (/\.onion\.?$/.test(host)) throw new Error('.onion names are not looked up in DNS (RFC 7686), see --onion-tor-socks-proxy');
    const [v4, v6] = await Promise.allSettled([resolve4(host, { ttl: true }), resolve6(host, { ttl: true })]);
    const records4 = v4.status === 'fulfilled' ? v4.value : [];
    const records6 = v6.status === 'fulfilled' ? v6.value : [];
    if (records4.length + records6.length === 0) {
      const errors: unknown[] = [v4, v6].flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
      if (isPublicName(host) && errors.every(saysNoSuchName)) throw new Error(`no such name (${errors.map(reasonOf).join(', ')})`);
      return undefined;
    }
    const addresses = [
      ...records4.map(({ address }) => ({ address, family: 4 })),
      ...records6.map(({ address }) => ({ address, family: 6 })),
    ];
    const ttl = Math.min(...records4.map((record) => record.ttl), ...records6.map((record) => record.ttl));
    return { addresses, ttlSeconds: Math.min(Math.max(ttl, MIN_TTL_S), MAX_TTL_S) };
  }

  async function find(host: string): Promise<readonly LookupAddress[]> {
    try {
      const { addresses, ttlSeconds } = (await hostsFile(host)) ?? (await byDns(host)) ?? (await system(host));
      cache.set(host, addresses, { ttl: ttlSeconds * 1000 });
      return addresses;
    } catch (error) {
      throw new FetchError('not-resolved', `host name ${host} not resolved: ${reasonOf(error)}`, { cause: error });
    } finally {
      underWay.delete(host);
    }
  }

  return (host) => {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    const cached = cache.get(host) ?? underWay.get(host);
    if (cached !== undefined) return cached;
    const finding = find(host);
    underWay.set(host, finding);
    return finding;
  };
}

/** Not one that is completed by a search list or found by multicast DNS, as only the system's resolver does. */
function isPublicName(host: string): boolean {
  return /\.[^.]/.test(host) && !/\.local\.?$/.test(host);
}

function saysNoSuchName(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

/** Addresses of names that always mean this machine, whoever resolves them (RFC 6761 §6.3). */
export function loopbackNamed(host: string): readonly LookupAddress[] | undefined {
  return /(?:^|\.)localhost\.?$/.test(host) ? LOOPBACK : undefined;
}

/** Reads the hosts file again when it has changed. */
function createHostsFile(): (host: string) => Promise<Found | undefined> {
  let readAt = -1;
  let names = new Map<string, LookupAddress[]>();

  return async (host) => {
    const name = host.endsWith('.') ? host.slice(0, -1) : host;
    try {
      const { mtimeMs } = await stat(HOSTS_FILE);
      if (mtimeMs !== readAt) {
        names = parseHosts(await readFile(HOSTS_FILE, 'utf8'));
        readAt = mtimeMs;
      }
    } catch {
      // A machine without a readable hosts file knows no names by it.
      names = new Map();
      readAt = -1;
    }
    const addresses = names.get(name) ?? loopbackNamed(host);
    return addresses && { addresses, ttlSeconds: LOCAL_TTL_S };
  };
}

function parseHosts(text: string): Map<string, LookupAddress[]> {
  const names = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      const known = names.get(name);
      if (known === undefined) names.set(name, [{ address, family }]);
      else known.push({ address, family });
    }
  }
  return names;
}

function createSystemLookup(): (host: string) => Promise<Found> {
  let running = 0;
  const waiting: (() => void)[] = [];
  const lookupAll = promisify(lookup);

  return async (host) => {
    const sinceMs = performance.now();
    if (running >= SYSTEM_LOOKUPS) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      if (performance.now() - sinceMs > MAX_WAIT_MS) throw Object.assign(new Error("the system's resolver is behind"), { code: 'EAGAIN' });
      return { addresses: await lookupAll(host, { all: true }), ttlSeconds: LOCAL_TTL_S };
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

/**
 * What a server says of itself, and what its errors mean: whether it will do as a store, and what to do where it does not.
 *
 * Source: https://valkey.io/commands/info, https://valkey.io/topics/protocol (simple errors).
 */
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { StoreError } from '../errors.ts';

export interface ServerInfo {
  readonly product: 'Redis' | 'Valkey';
  readonly version: string;
  /** a replica does what its primary does, and takes no writes */
  readonly isReplica: boolean;
  readonly isCluster: boolean;
  /** bytes */
  readonly usedMemory: number;
  /** bytes; 0: as many as the machine has */
  readonly maxMemory: number;
  /** what it does at that many: only `noeviction` keeps what is stored */
  readonly policy: string;
  /** whether it writes what changes to its disk at once */
  readonly appends: boolean;
}

/** Redis before it has no lists in its hashes that are this small, and no users. */
const OLDEST_REDIS: readonly [major: number, minor: number] = [6, 2];

/** What OpenSSL says of a certificate that nobody vouches for, or not any more. Source: Node's documentation of TLS, "X509 certificate error codes". */
const UNTRUSTED = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|PATH_LENGTH_)/;

/** @param text the answer to INFO, all sections */
export function serverInfo(text: string): ServerInfo {
  const fields = new Map(Array.from(text.matchAll(/^([a-z_]+):(.*?)\r?$/gm), ([, name = '', value = '']) => [name, value]));
  const valkey = fields.get('valkey_version');
  return {
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? fields.get('redis_version') ?? 'unknown',
    isReplica: fields.get('role') === 'slave',
    isCluster: fields.get('cluster_enabled') === '1',
    usedMemory: Number(fields.get('used_memory') ?? 0),
    maxMemory: Number(fields.get('maxmemory') ?? 0),
    policy: fields.get('maxmemory_policy') ?? 'unknown',
    appends: fields.get('aof_enabled') === '1',
  };
}

/** @returns why it cannot be a store, in words that follow its URL; undefined when it can */
export function unsuitable({ product, version, isReplica, isCluster }: ServerInfo): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest, oldestMinor] = OLDEST_REDIS;
  const isOld = product === 'Redis' && (major < oldest || (major === oldest && minor < oldestMinor));
  if (isOld) return `is Redis ${version}, which is too old: it takes ${oldest}.${oldestMinor} or newer, or Valkey`;
  if (isCluster) return 'is part of a cluster, which cannot be a store: name a single server, or Sentinels';
  if (isReplica) return 'is a replica, which takes no writes: name its primary, or Sentinels with ?sentinel=NAME';
  return undefined;
}

/** @param running whether it was in use before */
export function storeError(store: string, error: unknown, running: boolean): StoreError {
  if (error instanceof StoreError) return error;
  const said = reasonOf(error);
  const [word = ''] = said.split(' ', 1);
  const because = (code: StoreError['code'], problem: string) =>
    new StoreError(running && code !== 'STORE_FULL' ? 'STORE_AWAY' : code, store, problem, error);
  switch (word) {
    case 'OOM':
      return because('STORE_FULL', 'is full: raise its maxmemory, or make room');
    case 'WRONGPASS':
    case 'NOPERM':
      return because(
        'STORE_REFUSES',
        word === 'NOPERM' ? `does not let its user do this: ${said}` : 'refuses the user or password of the URL',
      );
    case 'NOAUTH':
      return because('STORE_REFUSES', 'wants a password: name it as in valkey://USER:PASSWORD@HOST/DB, or with --store-password-file');
    case 'LOADING':
      return because('STORE_UNREACHABLE', 'is reading its data from the disk; try again when it has');
    case 'READONLY':
    case 'MASTERDOWN':
      return because('STORE_UNSUITABLE', 'is a replica, which takes no writes: name its primary, or Sentinels with ?sentinel=NAME');
    case 'MISCONF':
      return because('STORE_AWAY', 'cannot write to its disk, and takes nothing until it can: see its log');
    case 'MOVED':
    case 'CLUSTERDOWN':
      return because('STORE_UNSUITABLE', 'is part of a cluster, which cannot be a store: name a single server, or Sentinels');
  }
  if (/^ERR (?:AUTH|invalid password)/.test(said))
    return because('STORE_REFUSES', `refuses the user or password of the URL: ${said.slice(4)}`);
  if (/^ERR (?:DB index|invalid DB)/.test(said)) return because('STORE_UNSUITABLE', `has no such database: ${said.slice(4)}`);
  if (/^(?:Protocol error|Unknown RESP type)/.test(said)) return because('STORE_UNSUITABLE', 'does not speak as Valkey or Redis do');
  if (said === 'Command timed out' || codeOf(error) === 'ETIMEDOUT') return because('STORE_UNREACHABLE', 'does not answer in time');
  const code = codeOf(error) ?? '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return because('STORE_REFUSES', `has a certificate for another name: ${said}`);
  if (UNTRUSTED.test(code))
    return because('STORE_REFUSES', `is not trusted: ${said}; name the file of its authority in NODE_EXTRA_CA_CERTS`);
  if (/^(?:ERR|WRONGTYPE|BUSY|NOREPLICAS|UNKILLABLE) /.test(said)) return because('STORE_UNSUITABLE', `answers with an error: ${said}`);
  return because('STORE_UNREACHABLE', `cannot be reached: ${said === '' ? 'no connection' : said}`);
}

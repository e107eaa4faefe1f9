/**
 * Where a shared store is: the URL of a Valkey or Redis server, taken apart. What is shown of it never holds a password.
 *
 * ```
 * valkey://[USER[:PASSWORD]@]HOST[:PORT][/DB]           redis:// is the same, rediss:// and valkeys:// are TLS
 * valkey://HOST:PORT,HOST:PORT/DB?sentinel=NAME         the server that these Sentinels call NAME
 * unix:///path/to/socket[?db=DB]
 * ```
 *
 * Source: https://www.iana.org/assignments/uri-schemes/prov/redis, and /rediss; the list of hosts as in MongoDB's and Lettuce's.
 */
export interface StoreAddress {
  /** without user and password */
  readonly shown: string;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** of a Unix socket, in place of hosts */
  readonly path: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
  /** how Sentinels call the server; the hosts are theirs then */
  readonly sentinel: string | undefined;
}

export const STORE_URL = 'a URL such as valkey://HOST:PORT/DB (also redis://, rediss://, unix:///SOCKET)';

const SCHEME = /^(valkeys?|rediss?|unix):\/\/(.*)$/s;
const PARTS = /^(?:([^/?]*)@)?([^/?@]*)(\/[^?]*)?(?:\?(.*))?$/s;
const HOST = /^(\[[0-9a-fA-F:.]+\]|[^[\]:\s]+)(?::([0-9]{1,5}))?$/;
const PORT = 6379;
const SENTINEL_PORT = 26379;
const MAX_DB = 0x7fffffff;

/** Whether it is meant as a URL at all, and no folder. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** @returns undefined for what is no URL of a store */
export function storeAddress(text: string): StoreAddress | undefined {
  const [, scheme = '', rest = ''] = SCHEME.exec(text) ?? [];
  const [, login, authority = '', path = '', query = ''] = PARTS.exec(rest) ?? [];
  if (scheme === '' || rest === '') return undefined;
  const given = new URLSearchParams(query);
  const known = scheme === 'unix' ? ['db'] : ['sentinel'];
  if ([...given.keys()].some((name) => !known.includes(name))) return undefined;
  const sentinel = given.get('sentinel') ?? undefined;
  const isSocket = scheme === 'unix';
  const db = dbIn(isSocket ? (given.get('db') ?? '') : path.slice(1));
  const [username, password] = loginIn(login);
  const hosts = isSocket ? [] : hostsIn(authority, sentinel === undefined ? PORT : SENTINEL_PORT);
  if (db === undefined || hosts === undefined || username === null || password === null || sentinel === '') return undefined;
  if (isSocket ? authority !== '' || path.length < 2 : hosts.length === 0 || (hosts.length > 1 && sentinel === undefined)) return undefined;
  const shown = isSocket
    ? `unix://${path}${db === 0 ? '' : `?db=${db}`}`
    : `${scheme}://${authority}/${db}${sentinel === undefined ? '' : `?sentinel=${sentinel}`}`;
  return { shown, hosts, path: isSocket ? path : undefined, username, password, db, tls: /^(?:rediss|valkeys)$/.test(scheme), sentinel };
}

function hostsIn(authority: string, defaultPort: number): StoreAddress['hosts'] | undefined {
  const hosts: { host: string; port: number }[] = [];
  for (const each of authority.split(',')) {
    const [, host = '', port = String(defaultPort)] = HOST.exec(each) ?? [];
    if (host === '' || Number(port) < 1 || Number(port) > 65535) return undefined;
    hosts.push({ host: host.replace(/^\[|\]$/g, ''), port: Number(port) });
  }
  return hosts;
}

function dbIn(text: string): number | undefined {
  if (text === '') return 0;
  return /^[0-9]+$/.test(text) && Number(text) <= MAX_DB ? Number(text) : undefined;
}

/** @returns null for what cannot be decoded */
function loginIn(login: string | undefined): readonly [username: string | undefined | null, password: string | undefined | null] {
  if (login === undefined) return [undefined, undefined];
  const colon = login.indexOf(':');
  const decoded = (text: string): string | null => {
    try {
      return decodeURIComponent(text);
    } catch {
      return null;
    }
  };
  const user = colon < 0 ? login : login.slice(0, colon);
  return [user === '' ? undefined : decoded(user), colon < 0 ? undefined : decoded(login.slice(colon + 1))];
}

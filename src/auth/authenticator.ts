/**
 * Who may use the proxy: Basic credentials, compared with hashes of passwords.
 *
 *   credentials read? ─ no ─► 401 / 407
 *   the same as the user's last good ones? ─ yes ─► granted, at once
 *   hashed, a few at a time ─► granted, or 401 / 407        too many wait ─► 503
 *
 * Slow hashes keep guesses from the thread pool that files and compression need as well: few run at once, and a bounded number waits.
 * A user that is not known costs as much work as one that is. Of good credentials only a hash under a key of this process is kept.
 * Never logs or returns what a client has sent.
 * Source: RFC 9110 §11, RFC 7617 (Basic).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Fields } from '../http/fields.ts';
import { turns } from '../util/turns.ts';
import type { Users } from './auth-file.ts';
import { decoyOf, verifyPassword, type PasswordHash } from './password-hash.ts';

/** What a client is told that is not let in. */
export interface Denial {
  readonly status: 401 | 407 | 503;
  /** the reason, in one line */
  readonly line: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface Authenticator {
  /**
   * At once where it can; the promise never rejects.
   *
   * @param target as sent: what begins with a slash asks for a page of ours, with `Authorization`; all else asks a proxy
   * @returns undefined for a client that is let in
   */
  readonly check: (request: { readonly target: string; readonly fields: Fields }) => Denial | undefined | Promise<Denial | undefined>;
}

/** One whose users may change while it runs. */
export interface UserAuthenticator extends Authenticator {
  /**
   * Who may log in from now on. Who has, and is the same, needs no second look; a look that is under way counts for the new ones.
   *
   * @returns whether anything has changed
   */
  readonly replace: (users: Users) => boolean;
}

export interface AuthenticatorOptions {
  readonly users: Users;
  readonly verify?: (password: string, hash: PasswordHash) => Promise<boolean>;
  /** of own pages and proxy */
  readonly challenge?: string;
}

/** Source: RFC 7617 §2, §2.1. */
const CHALLENGE = 'Basic realm="warctap", charset="UTF-8"';
/** Half of the threads that Node has by default. */
const AT_ONCE = 2;
const MAX_WAITING = 64;
/** Of the encoded credentials; nobody has longer ones. */
const MAX_CHARACTERS = 6000;

const PROXY = {
  status: 407,
  field: 'proxy-authorization',
  challenge: 'Proxy-Authenticate',
  line: 'proxy authentication required',
} as const;
const OWN_PAGE = { status: 401, field: 'authorization', challenge: 'WWW-Authenticate', line: 'authentication required' } as const;
const BUSY: Denial = { status: 503, line: 'too many log-ins at once, try again later', fields: [['Retry-After', '5']] };

interface Credentials {
  readonly user: string;
  readonly password: string;
}

export function createAuthenticator({
  users: first,
  verify = verifyPassword,
  challenge: words = CHALLENGE,
}: AuthenticatorOptions): UserAuthenticator {
  let users = first;
  let decoy = decoyFor(users);
  const key = randomBytes(32);
  /** of each user, what was right the last time: never more than there are users */
  const known = new Map<string, Buffer>();
  const underWay = new Map<string, Promise<boolean>>();
  const looks = turns(AT_ONCE);

  const look = async ({ user, password }: Credentials, tag: Buffer): Promise<boolean> => {
    const hash = users.get(user);
    const right = (await verify(password, hash ?? decoy)) && hash !== undefined && isSame(hash, users.get(user));
    if (right) known.set(user, tag);
    return right;
  };

  /** Clients open several connections at a time: the same credentials are looked at once. */
  const judge = (credentials: Credentials): boolean | 'busy' | Promise<boolean> => {
    const { user, password } = credentials;
    const tag = createHmac('sha256', key).update(`${user}:${password}`).digest();
    const good = known.get(user);
    if (good !== undefined && timingSafeEqual(good, tag)) return true;
    const name = tag.toString('latin1');
    const looking = underWay.get(name) ?? (looks.waiting < MAX_WAITING ? looks.run(() => look(credentials, tag)) : undefined);
    if (looking === undefined) return 'busy';
    if (!underWay.has(name)) {
      underWay.set(name, looking);
      const done = () => underWay.delete(name);
      looking.then(done, done);
    }
    return looking;
  };

  return {
    check({ target, fields }) {
      const { status, field, challenge, line } = target.startsWith('/') ? OWN_PAGE : PROXY;
      const denial: Denial = { status, line, fields: [[challenge, words]] };
      const credentials = credentialsIn(fields.all(field));
      if (credentials === undefined) return denial;
      const verdict = judge(credentials);
      if (verdict === 'busy') return BUSY;
      if (verdict instanceof Promise)
        return verdict.then(
          (right) => (right ? undefined : denial),
          () => BUSY,
        );
      return verdict ? undefined : denial;
    },
    replace(next) {
      const before = users;
      decoy = decoyFor(next);
      const stay = [...next].filter(([user, hash]) => isSame(hash, before.get(user)));
      users = next;
      const staying = new Set(stay.map(([user]) => user));
      for (const user of [...known.keys()]) if (!staying.has(user)) known.delete(user);
      return stay.length < Math.max(before.size, next.size);
    },
  };
}

function decoyFor(users: Users): PasswordHash {
  const [anyHash] = users.values();
  if (anyHash === undefined) throw new TypeError('nobody could log in');
  return decoyOf(anyHash);
}

function isSame(hash: PasswordHash, other: PasswordHash | undefined): boolean {
  return isDeepStrictEqual(hash, other);
}

/** @returns undefined unless there is exactly one field, and it holds Basic credentials in UTF-8 */
function credentialsIn(values: readonly string[]): Credentials | undefined {
  const [value = ''] = values;
  if (values.length !== 1 || value.length > MAX_CHARACTERS) return undefined;
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined; // not UTF-8, as the challenge asks for
  }
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

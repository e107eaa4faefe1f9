/**
 * Passwords as hashes, in one line of text. Never keeps or shows a password.
 *
 * Made here are scrypt hashes, `$scrypt$ln=15,r=8,p=3$SALT$HASH`; those of htpasswd are known as well, bcrypt and `{SHA}`. The work is slow
 * on purpose, for those who guess, but for `{SHA}`.
 * Source: RFC 7914 (scrypt), the PHC string format; cost as OWASP advises (Password Storage Cheat Sheet); Apache's "Password Formats".
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

export type PasswordHash = ScryptHash | BcryptHash | ShaHash;

export interface ScryptHash {
  readonly kind: 'scrypt';
  /** binary logarithm of the cost N */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

interface BcryptHash {
  readonly kind: 'bcrypt';
  /** `$2y$10$…`, cost, salt and hash */
  readonly text: string;
}

interface ShaHash {
  readonly kind: 'sha';
  readonly hash: Buffer;
}

/** 32 MiB and some tenths of a second. */
const COST = { logN: 15, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What one look at a password may take at most, whoever wrote the file. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;
const MAX_P = 16;
/** A second or so, in JavaScript. */
const MAX_BCRYPT_COST = 13;
const SHA1_BYTES = 20;

const derive = promisify<Buffer | string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const { logN, r, p } = COST;
  const hash = await work(password, { kind: 'scrypt', ...COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `$scrypt$ln=${logN},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;
}

/** @returns undefined for text that is no hash, or one that costs too much or too little */
export function parsePasswordHash(text: string): ScryptHash | undefined {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(text);
  if (match === null) return undefined;
  const [logN = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  const costly = 128 * 2 ** logN * r > MAX_MEMORY_BYTES || p > MAX_P;
  if (costly || logN < 10 || r < 1 || p < 1) return undefined;
  return { kind: 'scrypt', logN, r, p, salt: Buffer.from(match[4] ?? '', 'base64'), hash: Buffer.from(match[5] ?? '', 'base64') };
}

/** Those, and the ones of htpasswd that are no worse than nothing. */
export function parseHtpasswdHash(text: string): PasswordHash | undefined {
  const [, cost] = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text) ?? [];
  if (cost !== undefined) return Number(cost) >= 4 && Number(cost) <= MAX_BCRYPT_COST ? { kind: 'bcrypt', text } : undefined;
  const [, sha] = /^\{SHA\}([A-Za-z0-9+/]{27}=)$/.exec(text) ?? [];
  if (sha !== undefined) return { kind: 'sha', hash: Buffer.from(sha, 'base64') };
  return parsePasswordHash(text);
}

/** Takes the same time whatever the password is. */
export async function verifyPassword(password: string, expected: PasswordHash): Promise<boolean> {
  switch (expected.kind) {
    case 'scrypt':
      return timingSafeEqual(await work(password, expected), expected.hash);
    case 'bcrypt': {
      const { default: bcrypt } = await import('bcryptjs');
      return bcrypt.compare(password, expected.text);
    }
    case 'sha':
      return timingSafeEqual(createHash('sha1').update(password).digest(), expected.hash);
  }
}

/** A hash of no password, that is as much work as that one. */
export function decoyOf(hash: PasswordHash): PasswordHash {
  switch (hash.kind) {
    case 'scrypt':
      return { ...hash, salt: randomBytes(hash.salt.length), hash: randomBytes(hash.hash.length) };
    case 'bcrypt':
      // One of a password that nobody has, at the same cost: hexadecimal digits are letters of its alphabet.
      return { ...hash, text: `${hash.text.slice(0, 7)}${randomBytes(27).toString('hex').slice(0, 53)}` };
    case 'sha':
      return { ...hash, hash: randomBytes(SHA1_BYTES) };
  }
}

function work(password: string, { logN, r, p, salt, hash }: ScryptHash): Promise<Buffer> {
  const N = 2 ** logN;
  // The same letters may be typed as different bytes (RFC 7617 §2.1, RFC 8265 §4.2.2).
  return derive(password.normalize('NFC'), salt, hash.length, { N, r, p, maxmem: 128 * r * (N + p) * 2 });
}

/** Without padding, as the format has it. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

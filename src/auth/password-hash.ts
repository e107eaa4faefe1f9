/**
 * Passwords as scrypt hashes, in one line of text: `$scrypt$ln=15,r=8,p=3$SALT$HASH`. Never keeps or shows a password.
 *
 * The work is done in the thread pool and slow on purpose, for those who guess.
 * Source: RFC 7914 (scrypt), the PHC string format; cost as OWASP advises (Password Storage Cheat Sheet).
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

export interface PasswordHash {
  /** binary logarithm of the cost N */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB and some tenths of a second. */
const COST = { logN: 15, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What one look at a password may take at most, whoever wrote the file. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;
const MAX_P = 16;

const derive = promisify<Buffer | string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const { logN, r, p } = COST;
  const hash = await work(password, { ...COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `$scrypt$ln=${logN},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;
}

/** @returns undefined for text that is no hash, or one that costs too much or too little */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(text);
  if (match === null) return undefined;
  const [logN = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  const costly = 128 * 2 ** logN * r > MAX_MEMORY_BYTES || p > MAX_P;
  if (costly || logN < 10 || r < 1 || p < 1) return undefined;
  return { logN, r, p, salt: Buffer.from(match[4] ?? '', 'base64'), hash: Buffer.from(match[5] ?? '', 'base64') };
}

/** Takes the same time whatever the password is. */
export async function verifyPassword(password: string, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await work(password, expected), expected.hash);
}

/** A hash of no password, that is as much work as that one. */
export function decoyOf(hash: PasswordHash): PasswordHash {
  return { ...hash, salt: randomBytes(hash.salt.length), hash: randomBytes(hash.hash.length) };
}

function work(password: string, { logN, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  const N = 2 ** logN;
  // The same letters may be typed as different bytes (RFC 7617 §2.1, RFC 8265 §4.2.2).
  return derive(password.normalize('NFC'), salt, hash.length, { N, r, p, maxmem: 128 * r * (N + p) * 2 });
}

/** Without padding, as the format has it. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/**
 * Files of users: lines of `user:hash`, comments (`#`) and empty lines.
 *
 * No message ever holds what stands in the file, but a user's name. That others may read it is only told: mounted secrets are like that.
 * That others may write to it is refused: they could let themselves in.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Log } from '../util/log.ts';
import { parseHtpasswdHash, parsePasswordHash, type PasswordHash } from './password-hash.ts';

export type Users = ReadonlyMap<string, PasswordHash>;

/** The file cannot be used. `expected` ends the sentence "expected …". */
export class AuthFileError extends Error {
  override readonly name = 'AuthFileError';
  readonly code = 'AUTH_FILE';
  readonly expected: string;

  constructor(expected: string, cause?: unknown) {
    super(`expected ${expected}`, { cause });
    this.expected = expected;
  }
}

/** Which hashes count, and how their lines are told of. */
interface Form {
  readonly line: string;
  readonly parse: (text: string) => PasswordHash | undefined;
}

/** Of `--proxy-auth-file`. */
const OWN: Form = { line: 'USER:$scrypt$… as "warctap passwd USER" makes them', parse: parsePasswordHash };
/** Files that servers have had before. */
export const HTPASSWD: Form = {
  line: 'USER:HASH as "warctap passwd USER" or htpasswd makes them (bcrypt of a cost from 4 to 13, or {SHA})',
  parse: parseHtpasswdHash,
};

/** @throws AuthFileError */
export async function readAuthFile(file: string, log: Log, form = OWN): Promise<Users> {
  return parseUsers(await readOwnFile(file, 'the hashes of the passwords', log), form);
}

/**
 * A file that lets people in.
 *
 * @param what stands in it, for the log
 * @throws AuthFileError when it cannot be read, or others may write to it
 */
export async function readOwnFile(file: string, what: string, log: Log): Promise<string> {
  let text: string;
  let mode: number;
  try {
    text = await readFile(file, 'utf8');
    ({ mode } = await stat(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new AuthFileError(`a file that can be read (${code})`, error);
  }
  if (process.platform !== 'win32') {
    const shown = (mode & 0o777).toString(8).padStart(3, '0');
    if ((mode & 0o022) !== 0) throw new AuthFileError(`a file that only its owner may write to (its mode is ${shown}; run chmod 600)`);
    if ((mode & 0o044) !== 0) log.warn({ file, mode: shown }, `others may read ${what}; chmod 600 is advised`);
  }
  return text;
}

/** @throws AuthFileError */
export function parseUsers(text: string, form = OWN): Users {
  const users = new Map<string, PasswordHash>();
  for (const [index, line] of linesOf(text).entries()) {
    const user = userOf(line);
    if (user === undefined && isNote(line)) continue;
    const hash = user === undefined ? undefined : form.parse(line.slice(user.length + 1).trimEnd());
    if (user === undefined || hash === undefined) throw new AuthFileError(`lines ${form.line} (line ${index + 1} is none)`);
    if (users.has(user)) throw new AuthFileError(`one line for each user (line ${index + 1} has one again)`);
    users.set(user, hash);
  }
  if (users.size === 0) throw new AuthFileError(`at least one line ${form.line}`);
  return users;
}

/** The text with this user's line replaced, or with one more line. */
export function withUser(text: string, user: string, hash: string): string {
  const lines = linesOf(text);
  const at = lines.findIndex((line) => userOf(line) === user);
  if (lines.at(-1) === '') lines.pop();
  lines.splice(at === -1 ? lines.length : at, at === -1 ? 0 : 1, `${user}:${hash}`);
  return `${lines.join('\n')}\n`;
}

/** Whether a line of the file can begin with it. Source: RFC 7617 §2 (no colon, no control characters). */
export function isUserName(name: string): boolean {
  return /^[^#\s:\p{Cc}](?:[^:\p{Cc}]*[^\s:\p{Cc}])?$/u.test(name) && Buffer.byteLength(name) <= 255;
}

function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/);
}

function isNote(line: string): boolean {
  return line.trim() === '' || line.startsWith('#');
}

function userOf(line: string): string | undefined {
  const colon = line.indexOf(':');
  return colon > 0 && isUserName(line.slice(0, colon)) ? line.slice(0, colon) : undefined;
}

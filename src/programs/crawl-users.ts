/** Who may use the crawl server: a file of users, made at the first start with one whose password is told once. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthFileError, HTPASSWD, readAuthFile, withUser, type Users } from '../auth/auth-file.ts';
import { hashPassword } from '../auth/password-hash.ts';
import { OptionError } from '../options/error.ts';
import type { Log } from '../util/log.ts';
import { createFile } from '../util/private-files.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';

/** An account that was made at this start. */
export interface FirstAccount {
  readonly user: string;
  /** undefined for one that was given by who started it */
  readonly password: string | undefined;
}

const ADMIN = 'admin';
/** As text, 24 characters. */
const PASSWORD_BYTES = 18;

/** @throws OptionError */
export async function crawlUsers({
  file,
  adminPassword,
  log,
}: {
  readonly file: string;
  readonly adminPassword: string | undefined;
  readonly log: Log;
}): Promise<{ users: Users; first: FirstAccount | undefined }> {
  const first = await madeFirst(file, adminPassword);
  return { users: await orRefusedUsers(file, readAuthFile(file, log, HTPASSWD)), first };
}

export function usersFile({ db, authFile }: { readonly db: string; readonly authFile: string | undefined }): string {
  return authFile ?? join(db, 'users');
}

/** @throws OptionError for a file that cannot be used */
export async function orRefusedUsers(file: string, reading: Promise<Users>): Promise<Users> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof AuthFileError)) throw error;
    throw new OptionError('authFile', file, error.expected);
  }
}

async function madeFirst(file: string, adminPassword: string | undefined): Promise<FirstAccount | undefined> {
  try {
    await stat(file);
    return undefined;
  } catch (error) {
    // Whatever else is wrong is told when it is read.
    if (codeOf(error) !== 'ENOENT') return undefined;
  }
  const password = adminPassword ?? randomBytes(PASSWORD_BYTES).toString('base64url');
  try {
    const made = await createFile(file, withUser('', ADMIN, await hashPassword(password)));
    return made ? { user: ADMIN, password: adminPassword === undefined ? password : undefined } : undefined;
  } catch (error) {
    throw new OptionError('authFile', file, `a file, existing or not (${reasonOf(error)})`);
  }
}

/**
 * `warctap passwd USER`: asks for a password and prints the line for `--proxy-auth-file`, or puts it into that file.
 *
 * The password is not shown, not logged, and not taken from the command line, where other users could see it.
 */
import { chown, readFile, realpath, stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { isUserName, withUser } from '../auth/auth-file.ts';
import { hashPassword } from '../auth/password-hash.ts';
import { replaceFile } from '../ca/files.ts';
import { codeOf } from '../util/thrown.ts';
import { UsageError } from './exit.ts';
import { readPassword, type PasswordInput } from './read-password.ts';

export interface Passwd {
  readonly user: string;
  /** undefined: the line is printed */
  readonly file: string | undefined;
  readonly input: Readable & PasswordInput;
  readonly output: Writable;
  /** of questions */
  readonly prompt: Writable;
}

/** @throws UsageError, or the file system's error */
export async function passwd({ user, file, input, output, prompt }: Passwd): Promise<void> {
  if (!isUserName(user)) throw new UsageError('passwd: expected a user name without colon, control characters and leading "#"');
  const password = await readPassword(input, prompt, user);
  const hash = await hashPassword(password);
  if (file === undefined) {
    await new Promise<void>((done) => output.write(`${user}:${hash}\n`, () => done()));
    return;
  }
  // A link stays one, and a file keeps its owner.
  const target = await unlessMissing(realpath(file));
  const text = target === undefined ? '' : await readFile(target, 'utf8');
  const before = target === undefined ? undefined : await stat(target);
  await replaceFile(target ?? file, withUser(text, user, hash), true);
  if (before !== undefined && before.uid !== process.getuid?.()) await chown(target ?? file, before.uid, before.gid);
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

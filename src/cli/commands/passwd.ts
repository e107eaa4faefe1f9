/**
 * `warctap passwd USER`: asks for a password and prints the line for `--proxy-auth-file`, or puts it into that file.
 *
 * The password is not shown, not logged, and not taken from the command line, where other users could see it.
 */
import { chown, readFile, realpath, stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { PROXY_OPTIONS } from '../../options/table.ts';
import { codeOf } from '../../util/thrown.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';
import type { PasswordInput } from '../read-password.ts';

export const passwd = defineCommand({
  name: 'passwd',
  summary: 'Make the line of a user for --proxy-auth-file: asks for a password, or reads a line of it.',
  operands: { name: '[USER]', summary: 'a name without colon' },
  settings: PROXY_OPTIONS,
  shown: ['proxyAuthFile', 'config'],
  notes: `Without --proxy-auth-file the line is printed. With it, given here, in the
environment or in the file of --config, the line takes the place of the user's
old one in that file, which is made if need be (mode 600). A proxy that runs
reads the file again on SIGUSR2.`,
  exits: { ok: 'printed or written', failed: 'the file cannot be read or written', usage: 'bad option, argument, config file or password' },

  async run({ operands: [user, ...more], settings }) {
    if (user === undefined) throw new UsageError('passwd: expected the name of a user, see passwd --help');
    if (more.length > 0) throw new UsageError('passwd: the password is asked for, it does not belong on the command line');
    const { proxyAuthFile: file } = (await settings()).given;
    await setPassword({ user, file, input: process.stdin, output: process.stdout, prompt: process.stderr });
    return EXIT.ok.code;
  },
});

interface Passwd {
  readonly user: string;
  /** undefined: the line is printed */
  readonly file: string | undefined;
  readonly input: Readable & PasswordInput;
  readonly output: Writable;
  /** of questions */
  readonly prompt: Writable;
}

/** @throws UsageError, or the file system's error */
async function setPassword({ user, file, input, output, prompt }: Passwd): Promise<void> {
  const [{ isUserName, withUser }, { hashPassword }, { replaceFile }, { readPassword }] = await Promise.all([
    import('../../auth/auth-file.ts'),
    import('../../auth/password-hash.ts'),
    import('../../ca/files.ts'),
    import('../read-password.ts'),
  ]);
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

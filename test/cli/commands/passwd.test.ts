/** `warctap passwd`: from what is typed to the line or the file. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parsePasswordHash, verifyPassword } from '../../../src/auth/password-hash.ts';
import { UsageError } from '../../../src/cli/exit.ts';
import { readPassword } from '../../../src/cli/read-password.ts';
import { readAllNow } from '../../support/read-all.ts';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

async function run(args: readonly string[], input: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, 'passwd', ...args], {
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-passwd-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

async function assertLine(line: string, user: string, password: string): Promise<void> {
  assert.ok(line.startsWith(`${user}:`), line);
  const hash = parsePasswordHash(line.slice(user.length + 1));
  assert.ok(hash && (await verifyPassword(password, hash)), line);
}

test('the first line of a pipe is the password, and the line for the file is printed', async () => {
  for (const input of ['sécret pass \nmore\n', 'sécret pass \r\n', 'sécret pass ']) {
    const { code, stdout, stderr } = await run(['alice'], input);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^[^\n]+\n$/);
    await assertLine(stdout.trimEnd(), 'alice', 'sécret pass ');
  }
});

test('a file is made for its owner only, then its lines are replaced or added, comments kept, and nothing left beside it', async (t) => {
  const dir = await folder(t);
  const file = join(dir, 'users');
  assert.deepEqual(await run(['alice', '--proxy-auth-file', file], 'one\n'), { code: 0, stdout: '', stderr: '' });
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const [first = ''] = (await readFile(file, 'utf8')).split('\n');
  await assertLine(first, 'alice', 'one');

  await writeFile(file, `# people\n${first}\n`, { mode: 0o644 });
  await symlink(file, join(dir, 'link'));
  assert.equal((await run(['bob'], 'two\n', { WARCTAP_PROXY_AUTH_FILE: join(dir, 'link') })).code, 0);
  assert.equal((await run(['alice', '--proxy-auth-file', file], 'three\n')).code, 0);
  const [comment, alice = '', bob = '', ...rest] = (await readFile(file, 'utf8')).split('\n');
  assert.equal(comment, '# people');
  await assertLine(alice, 'alice', 'three');
  await assertLine(bob, 'bob', 'two');
  assert.deepEqual(rest, ['']);
  assert.deepEqual((await readdir(dir)).sort(), ['link', 'users']);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

for (const [what, args, input, expected] of [
  ['no user', [], 'x\n', /^warctap: passwd: expected the name of a user/],
  ['a user with a colon', ['a:b'], 'x\n', /^warctap: passwd: expected a user name without colon/],
  ['a user that would be a comment', ['#a'], 'x\n', /^warctap: passwd: expected a user name without colon/],
  ['no password', ['alice'], '', /^warctap: passwd: expected a password, got an empty one/],
  ['an empty line', ['alice'], '\nhunter2\n', /^warctap: passwd: expected a password, got an empty one/],
  ['a password that is too long', ['alice'], 'hunter2'.repeat(200), /^warctap: passwd: expected a password of at most 1000 characters/],
  ['a password on the command line', ['alice', 'hunter2'], 'x\n', /^warctap: passwd: the password is asked for/],
] as const) {
  test(`${what}: exit code 2 and one line`, async () => {
    const { code, stdout, stderr } = await run(args, input);
    assert.match(stderr, expected);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.doesNotMatch(stderr, /hunter2/);
    assert.deepEqual([code, stdout], [2, '']);
  });
}

test('a file that cannot be made: exit code 1 and one line', async (t) => {
  const { code, stderr } = await run(['alice', '--proxy-auth-file', join(await folder(t), 'none', 'users')], 'x\n');
  assert.equal(code, 1);
  assert.match(stderr, /^warctap: ENOENT[^\n]*\n$/);
});

/** What somebody types at a terminal that echoes nothing while it is raw. */
function typing(keys: string) {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => raw.push(mode) });
  const prompt = new PassThrough();
  input.write(keys);
  const shown = () => readAllNow(prompt);
  return { reading: readPassword(input, prompt, 'alice'), raw, shown };
}

test('at a terminal the password is asked for twice and not shown', async () => {
  for (const keys of ['sécret\rsécret\r', 'sx\x7fécret\nwrong\x15sécret\n']) {
    const { reading, raw, shown } = typing(keys);
    assert.equal(await reading, 'sécret');
    assert.deepEqual(raw, [true, false]);
    assert.equal(shown(), 'Password of alice: \nThe same again: \n');
  }
});

for (const [what, keys, expected] of [
  ['two that differ', 'one\rtwo\r', 'passwd: the two passwords are not the same'],
  ['Ctrl-C', 'one\x03', 'passwd: no password was given'],
  ['Ctrl-D at once', '\x04', 'passwd: expected a password, got an empty one'],
] as const) {
  test(`at a terminal, ${what}: there is no password, and the terminal is as it was`, async () => {
    const { reading, raw } = typing(keys);
    await assert.rejects(reading, (error) => error instanceof UsageError && error.message === expected);
    assert.deepEqual(raw, [true, false]);
  });
}

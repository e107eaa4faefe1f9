/** The file of --proxy-auth-file. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AuthFileError, isUserName, parseUsers, readAuthFile, withUser } from '../../src/auth/auth-file.ts';
import { silentLog, type Log } from '../../src/util/log.ts';

const HASH = `$scrypt$ln=10,r=8,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;

async function fileWith(t: TestContext, text: string, mode = 0o600): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-auth-'));
  t.after(() => rm(dir, { recursive: true }));
  const file = join(dir, 'users');
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

test('users, comments and empty lines are told apart, with any line ending', () => {
  for (const end of ['\n', '\r\n']) {
    const users = parseUsers(['\uFEFF# people', '', '  ', `alice:${HASH}`, `b\u00f6b b:${HASH}  `, `#c:${HASH}`, ''].join(end));
    assert.deepEqual([...users.keys()], ['alice', 'böb b']);
  }
});

for (const [what, text, expected] of [
  ['nothing', '', /^at least one line USER:/],
  ['only comments', '# alice\n', /^at least one line USER:/],
  ['a password as it is', 'alice:hunter2\n', /\(line 1 is none\)$/],
  ['a line without a user', `# x\n:${HASH}\n`, /\(line 2 is none\)$/],
  ['a line that is a hash', `${HASH}\n`, /\(line 1 is none\)$/],
  ['a hash of another kind', 'alice:$2b$12$hunter2\n', /\(line 1 is none\)$/],
  ['the same user twice', `alice:${HASH}\nalice:${HASH}\n`, /^one line for each user \(line 2 has one again\)$/],
] as const) {
  test(`a file with ${what} is refused in one line that does not show it`, () => {
    assert.throws(
      () => parseUsers(text),
      (error) => {
        assert.ok(error instanceof AuthFileError);
        assert.match(error.expected, expected);
        assert.doesNotMatch(error.message, /hunter2|AAAA|BBBB|\n/);
        return true;
      },
    );
  });
}

test('a file that is not there is refused', async () => {
  await assert.rejects(readAuthFile('/nowhere/users', silentLog), { message: 'expected a file that can be read (ENOENT)' });
});

test('a file that others may write to is refused, one that they may read is used with a warning', async (t) => {
  for (const mode of [0o602, 0o620, 0o666]) {
    await assert.rejects(readAuthFile(await fileWith(t, `a:${HASH}`, mode), silentLog), {
      message: `expected a file that only its owner may write to (its mode is ${mode.toString(8)}; run chmod 600)`,
    });
  }
  for (const [mode, warnings] of [
    [0o600, 0],
    [0o400, 0],
    [0o640, 1],
    [0o444, 1],
  ] as const) {
    const warned: string[] = [];
    const log: Log = { ...silentLog, warn: (_fields: object, message: string) => warned.push(message) };
    const users = await readAuthFile(await fileWith(t, `a:${HASH}`, mode), log);
    assert.equal(users.size, 1);
    assert.deepEqual(warned, Array(warnings).fill('others may read the hashes of the passwords; chmod 600 is advised'));
  }
});

test("a user's line is replaced where it stands, or added at the end", () => {
  assert.equal(withUser('', 'a', '$1'), 'a:$1\n');
  assert.equal(withUser('# x\na:$0\n\nb:$0', 'a', '$1'), '# x\na:$1\n\nb:$0\n');
  assert.equal(withUser('# x\na:$0\n', 'b', '$1'), '# x\na:$0\nb:$1\n');
  assert.equal(withUser('#a:$0\naa:$0\n', 'a', '$1'), '#a:$0\naa:$0\na:$1\n');
});

test('names that a line or Basic credentials cannot hold are none', () => {
  for (const name of ['a', 'alice@example.org', 'b\u00f6b b', '$x']) assert.equal(isUserName(name), true, name);
  for (const name of ['', '#a', 'a:b', ' a', 'a ', 'a\n', 'a\tb', '\u0080', 'x'.repeat(256)]) assert.equal(isUserName(name), false, name);
});

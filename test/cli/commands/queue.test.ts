/** `warctap queue` as people call it: how it starts, ends and refuses, and what an administrator's commands print. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ADMIN, report, startQueue, take, temporaryFolder } from '../../queue/support.ts';
import { runToEnd, start, type Ended } from '../child.ts';

const KEY = { HEROSHI_ADMIN_KEY: ADMIN };
const serve = (folder: string, ...args: string[]) => ['queue', 'serve', '-p', '0', '--db', join(folder, 'db'), ...args];

function refused({ code, stdout, stderr }: Ended, expected: number, line: RegExp): void {
  assert.deepEqual([code, stdout], [expected, '']);
  assert.match(stderr, line);
  assert.match(stderr, /^warctap: [^\n]+\n$/);
}

describe('queue serve', { concurrency: 2 }, () => {
  test('tells where it listens, and ends with 0 on SIGTERM; meanwhile nobody else has its database', async () => {
    const folder = temporaryFolder();
    const program = start(serve(folder), { env: KEY });
    assert.match(await program.line('listens on'), /^warctap queue listens on http:\/\/127\.0\.0\.1:\d+$/);
    refused(await runToEnd(serve(folder), { env: KEY }), 1, /^warctap: database .* is in use by another process/);
    program.child.kill('SIGTERM');
    const { code, stderr } = await program.ended;
    assert.equal(code, 0);
    assert.match(stderr, /closed, everything is written/);
  });

  test('does not start without the key of the administrator, and names the variable', async () => {
    refused(await runToEnd(serve(temporaryFolder())), 2, /no key of the administrator: set the variable HEROSHI_ADMIN_KEY/);
  });

  test('takes the key from a file, and says when there is none in it', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'key');
    writeFileSync(file, 'short\n');
    refused(await runToEnd(serve(folder, '--admin-key-file', file)), 2, /the first line of ".*key" is no key: a key must have 8 to 1024/);
    writeFileSync(file, `${ADMIN}\n`);
    const program = start(serve(folder, '--admin-key-file', file));
    await program.line('listens on');
    program.child.kill('SIGTERM');
    assert.equal((await program.ended).code, 0);
  });

  test('refuses a bad option by the place that it came from, and never shows the key', async () => {
    const folder = temporaryFolder();
    const bad: [args: string[], env: Record<string, string>, line: RegExp][] = [
      [['--lease-seconds', '0'], {}, /^warctap: --lease-seconds: expected .*, got "0"/],
      [['--link-filter', '('], {}, /^warctap: --link-filter: expected a regular expression/],
      [[], { WARCTAP_QUEUE_MAX_ATTEMPTS: 'x' }, /^warctap: WARCTAP_QUEUE_MAX_ATTEMPTS \(--max-attempts\): expected/],
      [[], { HEROSHI_MIN_REVISIT_MINUTES: '-1' }, /^warctap: HEROSHI_MIN_REVISIT_MINUTES \(--min-revisit-minutes\): expected/],
      [['--follow-links', 'some'], {}, /^warctap: --follow-links: expected off or same-site or all/],
    ];
    for (const [args, env, line] of bad) refused(await runToEnd(serve(folder, ...args), { env: { ...KEY, ...env } }), 2, line);
    const short = await runToEnd(serve(folder), { env: { HEROSHI_ADMIN_KEY: 'secret' } });
    refused(short, 2, /^warctap: HEROSHI_ADMIN_KEY/);
    assert.ok(!short.stderr.includes('"secret"'));
  });
});

test('the commands of an administrator', async () => {
  await using queue = await startQueue();
  const call = (...args: string[]) => runToEnd(['queue', ...args, '--manager', queue.url], { env: KEY });
  const file = join(temporaryFolder(), 'urls.txt');
  writeFileSync(file, 'http://file.test/1\n\nhttp://file.test/2\r\n');
  assert.equal(
    (await call('add', 'http://a.test/', file, '--priority', '-3')).stdout,
    '1 added, 0 known, 0 rejected\n2 added, 0 known, 0 rejected\n',
  );
  assert.deepEqual(await call('list'), { code: 0, stdout: 'http://a.test/\nhttp://file.test/1\nhttp://file.test/2\n', stderr: '' });
  writeFileSync(file, 'nonsense\n');
  assert.deepEqual(await call('add', file), {
    code: 1,
    stdout: '0 added, 0 known, 1 rejected\n',
    stderr: 'warctap: no http or https URL: "nonsense"\n',
  });
  await take(queue.boris, 1);
  assert.match((await call('list', '--active')).stdout, /^http:\/\/\S+\tboris\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/);
  await report(queue.boris, { url: 'http://a.test/', status: '200 OK', headers: {} });
  assert.match((await call('stats')).stdout, /^3 urls, \d waiting, [^]*\nboris +resume +1 +1 /m);
  assert.equal((await call('keys', 'add', 'carl:foo-bar-long-key')).stdout, 'added\n');
  assert.match((await call('keys', 'list')).stdout, /^boris +\d{4}[^]*^carl .* never$/m);
  assert.equal((await call('keys', 'remove', 'carl')).stdout, 'removed\n');
  refused(await call('keys', 'remove', 'carl'), 1, /^warctap: the manager answers 404: There is no such key\.\n/);
  refused(await call('keys', 'add'), 2, /^warctap: queue keys add: expected one key/);
  refused(await call('add'), 2, /^warctap: queue add: expected URLs/);
  refused(await call('add', join(file, 'missing')), 1, /^warctap: .*(ENOENT|ENOTDIR)/);
  const away = await runToEnd(['queue', 'stats', '--manager', 'http://127.0.0.1:2'], { env: KEY });
  refused(away, 1, /^warctap: the manager at http:\/\/127\.0\.0\.1:2 cannot be reached: .*ECONNREFUSED/);
  refused(await runToEnd(['queue', 'worker'], {}), 2, /^warctap: no key of this worker: set the variable HEROSHI_API_KEY/);
});

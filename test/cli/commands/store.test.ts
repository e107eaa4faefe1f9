/** `warctap store`: check, repair and rebuild a real database by hand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RawClient } from '../../support/client.ts';
import { get, ok } from '../../support/messages.ts';
import { startOrigin, type Origin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { runToEnd } from '../child.ts';

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-store-command-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Answers with what the path is the seed of; `/same…` all the same. */
function origin(): Promise<Origin> {
  return startOrigin(({ path, socket }) => {
    const seed = path.startsWith('/same') ? 'same' : path;
    socket.write(ok(createHash('shake256', { outputLength: 600 }).update(seed).digest('base64')));
  });
}

interface Run {
  readonly db: string;
  readonly warcs: string;
}

/** Fetch, by a proxy that lives as long. @returns the types of the principal records */
async function archive({ db, warcs }: Run, urls: readonly string[]): Promise<string[]> {
  const types: string[] = [];
  {
    await using proxy = await startProxy({ dedupDbFile: db, statsDbFile: db, playbackPort: 0, dir: warcs });
    proxy.proxy.on('capture', ({ outcome }) => types.push(outcome.records?.[0]?.type ?? 'none'));
    using client = await RawClient.connect(proxy.proxy.port);
    for (const url of urls) {
      client.send(get(url));
      assert.equal((await client.response()).status, 200);
    }
  }
  return types;
}

test('check finds damage, repair leaves it out, check is content then', async (t) => {
  const dir = folder(t);
  const run = { db: join(dir, 'db'), warcs: join(dir, 'warcs') };
  await using server = await origin();
  const urls = Array.from({ length: 60 }, (_, nth) => `${server.url}/${nth}`);
  await archive(run, urls);
  // The second start makes a table of what the first has written.
  await archive(run, []);
  const files = readdirSync(run.db).length;
  assert.deepEqual(await runToEnd(['store', 'check', run.db]), { code: 0, stdout: `${run.db}: ok, ${files} files\n`, stderr: '' });
  assert.deepEqual(await runToEnd(['store', 'repair', run.db]), { code: 0, stdout: `${run.db}: nothing to repair\n`, stderr: '' });

  const [table = ''] = readdirSync(run.db).filter((name) => name.endsWith('.ldb'));
  const bytes = readFileSync(join(run.db, table));
  bytes[100]! ^= 1;
  writeFileSync(join(run.db, table), bytes);
  const check = await runToEnd(['store', 'check', run.db]);
  assert.deepEqual([check.code, check.stderr], [1, '']);
  assert.match(check.stdout, new RegExp(`^${run.db}: ${table}: damaged: 1 of \\d+ blocks\n$`));
  const repair = await runToEnd(['store', 'repair', run.db]);
  assert.deepEqual([repair.code, repair.stderr], [0, '']);
  assert.match(repair.stdout, /^database .* was damaged \(\d+\.ldb: 1 of \d+ blocks\) and has been repaired: \d+ entries are left, .*\n$/);
  assert.equal((await runToEnd(['store', 'check', run.db])).code, 0);

  // What is lost of the indexes comes back from the WARC files: every payload is known again.
  const rebuild = await runToEnd(['store', 'rebuild', run.db, '--from', run.warcs]);
  assert.match(rebuild.stdout, /: 1\d\d records in \d+ files, added [1-9]\d* entries for deduplication and \d+ captures for playback\n$/);
  assert.deepEqual([rebuild.code, rebuild.stderr], [0, '']);
  assert.deepEqual(await archive(run, urls), Array(60).fill('revisit'));
});

test('rebuild makes indexes out of WARC files alone, which say the same as those that the proxy made', async (t) => {
  const dir = folder(t);
  const run = { db: join(dir, 'db'), warcs: join(dir, 'warcs') };
  const again = { db: join(dir, 'again'), warcs: run.warcs };
  await using server = await origin();
  const urls = ['/a', '/b', '/same1', '/same2'].map((path) => server.url + path);
  assert.deepEqual(await archive(run, urls), ['response', 'response', 'response', 'revisit']);
  const { code, stdout } = await runToEnd(['store', 'rebuild', again.db, '--from', run.warcs]);
  assert.equal(stdout, `${again.db}: 9 records in 1 files, added 3 entries for deduplication and 4 captures for playback\n`);
  assert.equal(code, 0);
  const twice = await runToEnd(['store', 'rebuild', again.db, '--from', run.warcs]);
  assert.match(twice.stdout, /added 0 entries for deduplication and 0 captures for playback\n$/);
  {
    await using proxy = await startProxy({ dedupDbFile: again.db, statsDbFile: again.db, playbackPort: 0, dir: run.warcs });
    using player = await RawClient.connect(Number(new URL(proxy.proxy.playbackUrl!).port));
    for (const url of urls) {
      player.send(get(url));
      const played = await player.response();
      const seed = url.includes('/same') ? 'same' : new URL(url).pathname;
      assert.deepEqual(
        [played.status, played.body.toString()],
        [200, createHash('shake256', { outputLength: 600 }).update(seed).digest('base64')],
      );
    }
  }
  assert.deepEqual(await archive(again, [...urls, `${server.url}/new`]), ['revisit', 'revisit', 'revisit', 'revisit', 'response']);
});

test('what cannot be done is one line', async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'holiday.jpg'), '');
  const cases: [string[], number, RegExp][] = [
    [['store', 'check'], 2, /^warctap: store check: expected one folder, see store check --help\n$/],
    [['store', 'check', join(dir, 'nowhere')], 1, /^warctap: database .*nowhere cannot be opened: ENOENT.*\n$/],
    [
      ['store', 'check', dir],
      1,
      /^warctap: database .* is no database: the folder holds other things, such as "holiday\.jpg"; name another one\n$/,
    ],
    [['store', 'repair', dir], 1, /^warctap: database .* is no database: .*\n$/],
    [['store', 'rebuild', join(dir, 'db')], 2, /^warctap: store rebuild: expected --from DIR, the folder of the WARC files\n$/],
    [['store', 'rebuild', join(dir, 'db'), '--from', join(dir, 'nowhere')], 1, /^warctap: ENOENT.*nowhere.*\n$/],
  ];
  for (const [args, code, line] of cases) {
    const ended = await runToEnd(args);
    assert.deepEqual([ended.code, ended.stdout], [code, ''], args.join(' '));
    assert.match(ended.stderr, line);
  }
});

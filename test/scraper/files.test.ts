/** Debug files and replay. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { credentials, folder, READY, start, startKnown, startRtCv, type Helper, type Start } from './support.ts';
import type { TestContext } from 'node:test';

const modeOf = (file: string) => statSync(file).mode & 0o777;

describe('debug files', () => {
  test('hold every line of the input, for the owner alone', async (t) => {
    const helper = start(t, { env: { LOG_SCRAPER_CLIENT_INPUT: 'TRUE' } });
    await helper.next();
    helper.child.stdin.end('  {"type":"ping"}\r\n\nno json\n{"type":"set_credentials","content":{}}');
    assert.equal((await helper.ended).code, 0);
    const file = join(helper.dir, 'scraper_client_input.log');
    assert.equal(readFileSync(file, 'utf8'), '{"type":"ping"}\n\nno json\n{"type":"set_credentials","content":{}}\n');
    assert.equal(modeOf(file), 0o600);
  });

  test('are added to', async (t) => {
    const dir = folder(t);
    for (const content of ['first', 'second']) {
      const helper = start(t, { dir, env: { LOG_SCRAPER_CLIENT_INPUT: '1' } });
      helper.child.stdin.end(content);
      await helper.ended;
    }
    assert.equal(readFileSync(join(dir, 'scraper_client_input.log'), 'utf8'), 'first\nsecond\n');
  });

  test('that cannot be opened end it with 1, after ready and an error', async (t) => {
    const dir = folder(t);
    mkdirSync(join(dir, 'scraper_client_input.log'));
    const helper = start(t, { dir, env: { LOG_SCRAPER_CLIENT_INPUT: 't' } });
    assert.equal(await helper.next(), READY);
    assert.match((await helper.next()) ?? '', /^\{"type":"error","content":"the input cannot be logged: EISDIR/);
    assert.equal(await helper.next(), undefined);
    assert.equal((await helper.ended).code, 1);
  });

  test('tell of authentications and look-ups', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server, { env: { ENABLE_SCRAPER_CLIENT_LOG: 'T' } });
    for (const content of ['known-1', 'x']) await helper.ask({ type: 'has_cached_reference', content });
    const file = join(helper.dir, 'scraper_client.log');
    assert.equal(readFileSync(file, 'utf8'), '[known-1 known-3]\nhas_cached_reference known-1 > true\nhas_cached_reference x > false\n');
    assert.equal(modeOf(file), 0o600);
  });

  test('that cannot be written do not matter', async (t) => {
    const dir = folder(t);
    mkdirSync(join(dir, 'scraper_client.log'));
    const helper = start(t, { dir, env: { ENABLE_SCRAPER_CLIENT_LOG: '1', LOG_SCRAPER_CLIENT_INPUT: 'yes' } });
    await helper.next();
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'x' }), '{"type":"ok","content":false}');
    assert.throws(() => statSync(join(dir, 'scraper_client_input.log'))); // `yes` is off
  });
});

async function replayed(
  t: TestContext,
  content: string,
  args: readonly string[],
  how: Start = {},
): Promise<{ helper: Helper; lines: string[] }> {
  const dir = folder(t);
  writeFileSync(join(dir, 'in.log'), content);
  const helper = start(t, { dir, args, ...how });
  const lines: string[] = [];
  for (let line = await helper.next(); line !== undefined; line = await helper.next()) lines.push(line.replace(/^[0-9]+ms */, 'T '));
  return { helper, lines };
}

const REQUESTS = `
{"type":"set_mock","content":{"secrets":{"user":{"username":"u","password":"p"}}}}
{"type":"has_cached_reference","content":"a"}\r
no json

{"type":"ping"}
{"type":"get_user_secret","content":{}}
{"type":"send_cv","content":{"referenceNumber":"a"}}
{"type":"send_cv","content":{"referenceNumber":"a"}}
{"type":"nonsense"}
`;

describe('replay', () => {
  test('shows each request with its answer', async (t) => {
    const { helper, lines } = await replayed(t, REQUESTS, ['-replay', 'in.log']);
    assert.deepEqual(lines, [
      'replaying 9 commands',
      'T IN: set_mock             OUT: ok: ',
      'T IN: has_cached_reference OUT: ok: false',
      'error: the line is no JSON',
      'error: the line is empty, expected a JSON object',
      'T IN: ping                 OUT: pong: ',
      'T IN: get_user_secret      OUT: ok: {"username":"u","password":"p"}',
      'T IN: send_cv              OUT: ok: true',
      'T IN: send_cv              OUT: ok: ',
      'T IN: nonsense             OUT: error: unknown message type nonsense',
    ]);
    assert.deepEqual(await helper.ended, { code: 0, signal: null, errors: '' });
  });

  test('leaves out what it is told to, and begins anew each round', async (t) => {
    const args = ['--replay=in.log', '-replaySkipCommands', ' ping, get_user_secret ,nonsense,set_mock', '--repeatReplay', '2'];
    const { lines } = await replayed(t, '{"type":"set_cached_reference","content":"a"}\n{"type":"ping"}\n', args);
    assert.deepEqual(lines, ['replaying 2 commands', ...Array.from({ length: 2 }, () => 'T IN: set_cached_reference OUT: ok: ')]);
    const second = await replayed(t, '{"type":"has_cached_reference","content":"a"}\n{"type":"set_cached_reference","content":"a"}', args);
    assert.deepEqual(
      second.lines.filter((line) => line.includes('has_')),
      Array.from({ length: 2 }, () => 'T IN: has_cached_reference OUT: ok: false'),
    );
  });

  test('of an empty file is one command', async (t) => {
    const { lines } = await replayed(t, '\n', ['-replay', 'in.log']);
    assert.deepEqual(lines, ['replaying 1 commands', 'error: the line is empty, expected a JSON object']);
  });

  test('sends real requests, and shows how long they took', async (t) => {
    const server = await startRtCv(t);
    const request = { type: 'set_credentials', content: credentials(server) };
    const dir = folder(t);
    writeFileSync(join(dir, 'in.log'), JSON.stringify(request));
    const helper = start(t, { dir, args: ['-replay', 'in.log'] });
    await helper.next();
    assert.match((await helper.next()) ?? '', /^[0-9]+ms +IN: set_credentials {6}OUT: ok: $/);
    assert.equal(server.asked.length, 3);
  });

  const BAD: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['-h'], 0, /^Usage of rtcv_scraper_client/],
    [['--help'], 0, /^Usage of rtcv_scraper_client/],
    [['-replays', 'x'], 2, /^unknown option -replays, .*\nUsage/],
    [['-replay'], 2, /^option -replay needs a value\nUsage/],
    [['-replay', 'in.log', '-repeatReplay', 'many'], 2, /^option -repeatReplay: expected a whole number, got "many"\nUsage/],
    [['-replay', 'in.log', '-repeatReplay', '0'], 1, /^repeatReplay must be greater than 0\n$/],
    [['-replay', 'in.log', '-repeatReplay=-3'], 1, /^repeatReplay must be greater than 0\n$/],
    [['-replay', 'none.log'], 1, /^rtcv_scraper_client: cannot replay "none.log": ENOENT[^\n]*\n$/],
  ];
  for (const [args, code, errors] of BAD) {
    test(`ends with ${code} for ${args.join(' ')}`, async (t) => {
      const { helper, lines } = await replayed(t, '{}', args);
      const ended = await helper.ended;
      assert.deepEqual([lines, ended.code], [[], code]);
      assert.match(ended.errors, errors);
    });
  }
});

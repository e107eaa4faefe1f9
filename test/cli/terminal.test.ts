/** The real program in a real pseudo-terminal: what a person sees on it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { PSEUDO_TERMINAL, runInTerminal, seen, type InTerminal } from '../support/terminal.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const CLOCK = /^\d\d:\d\d:\d\d /;

const dir = await mkdtemp(join(tmpdir(), 'warctap-terminal-'));
after(() => rm(dir, { recursive: true, force: true }));

async function startIn(
  columns: number,
  args: readonly string[] = [],
  variables: NodeJS.ProcessEnv = {},
): Promise<InTerminal & { readonly port: number }> {
  const files = ['--dir', join(dir, 'warcs'), '--cacert', await testCaFile(), '--certs-dir', join(dir, 'certs')];
  const stores = ['--dedup-db-file', '/dev/null', '--stats-db-file', '/dev/null'];
  const inherited = Object.entries(process.env).filter(([name]) => !/^(WARCTAP_|NODE_|NO_COLOR|FORCE_COLOR|COLORTERM)/.test(name));
  const it = runInTerminal(
    [process.execPath, '--import', import.meta.resolve('tsx'), MAIN, '-p', '0', '--allow-localhost', ...files, ...stores, ...args],
    { columns, cwd: dir, env: { ...Object.fromEntries(inherited), TERM: 'xterm-256color', ...variables } },
  );
  const [, port] = await it.written(/listens on http:\/\/[^ ]*:(\d+)/);
  return { ...it, port: Number(port) };
}

async function get(port: number, url: string): Promise<void> {
  using client = await RawClient.connect(port);
  client.send(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await client.head();
}

/** What stands there below the block at start, without times and figures that depend on time. */
function below(it: InTerminal, columns: number): string[] {
  const rows = seen(it.bytes(), columns);
  const last = rows.findIndex((row) => row.includes('https://example.com/'));
  return rows
    .slice(last + 1)
    .filter((row) => row !== '')
    .map((row) => row.replace(CLOCK, 'TT:TT:TT ').replace(/[\d.]+ (kB|B|s)\b/g, 'N'));
}

describe('in a terminal', { skip: PSEUDO_TERMINAL.skip, concurrency: 2 }, () => {
  test('a live line is drawn below the log, fitted anew when the window changes, and ends as a summary', async () => {
    await using origin = await startOrigin(({ path, socket }) => (path === '/drop' ? socket.destroy() : socket.write(ok(path))));
    await using it = await startIn(200);
    await it.written(/\r\x1b\[Jwaiting for the first request\r/);
    await get(it.port, `${origin.url}/a`);
    await it.written(/\r\x1b\[J1 capture \(1 new, 0 duplicates\) · 0 errors · [^\n]* · 0 under way · queue 0 · 1 file\r/);
    await get(it.port, `${origin.url}/drop`);
    await it.written(/\r\x1b\[J1 capture \(1 new, 0 duplicates\) · 1 error · /);
    assert.match(
      below(it, 200).slice(0, -1).join('\n'),
      /^TT:TT:TT INFO {2}origin closed the connection without an answer code=.* url=http:\/\/127\.0\.0\.1:\d+\/drop$/,
    );
    it.resize(40);
    await it.written(/\r\x1b\[J1 capture · 1 err · [^(]{1,20}\r/);
    it.resize(200);
    await it.written(/\r\x1b\[J1 capture \(1 new, 0 duplicates\)/);
    it.press('Ctrl-C');
    assert.equal(await it.exitCode, 0);
    assert.deepEqual(below(it, 200).slice(1), [
      'TT:TT:TT INFO  stopping; a second signal exits at once signal=SIGINT',
      '1 capture (1 new, 0 duplicates) · 1 error · N in 1 file · N',
      'TT:TT:TT INFO  closed, everything is written',
    ]);
  });

  test('with -v each capture is a row above it, and with NO_COLOR none is coloured', async () => {
    await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path)));
    await using it = await startIn(120, ['-v'], { NO_COLOR: '1' });
    await get(it.port, `${origin.url}/a`);
    await it.written(/\r\x1b\[J1 capture /);
    it.press('Ctrl-C');
    await it.exitCode;
    assert.equal(below(it, 120)[0], `TT:TT:TT GET  200    N new     -          ${origin.url}/a`);
    assert.doesNotMatch(it.bytes(), /\x1b\[[\d;]*m/);
  });

  for (const [how, args, variables] of [
    ['--quiet', ['--quiet'], {}],
    ['TERM=dumb', [], { TERM: 'dumb' }],
  ] as const) {
    test(`with ${how} nothing is drawn`, async () => {
      await using it = await startIn(80, args, variables);
      it.press('Ctrl-C');
      await it.exitCode;
      assert.doesNotMatch(it.bytes(), /\x1b/);
      assert.doesNotMatch(it.bytes(), /waiting for/);
    });
  }
});

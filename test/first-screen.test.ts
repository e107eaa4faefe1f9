/** The first screen of the README, word by word, in an empty folder: what a newcomer types gives what it says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { found, ROOT } from './support/docs.ts';
import { lacksRegistry, newcomerIn, PAGE } from './support/newcomer.ts';
import { browserTool, tool } from './support/tools.ts';
import { unzipped } from './support/unzipped.ts';

const [git, npm, npx, curl] = [tool('git'), tool('npm'), tool('npx'), tool('curl')];
const hasGit = existsSync(join(ROOT, '.git'));
const skip = npm.skip || npx.skip || curl.skip || (hasGit && git.skip);

/** What somebody has who got the sources. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-newcomer-'));
  if (!hasGit) {
    const made = new Set(['node_modules', 'dist', 'tmp', 'warcs', 'warctap.db'].map((name) => join(ROOT, name)));
    cpSync(ROOT, folder, { recursive: true, filter: (path) => !made.has(path) });
    return folder;
  }
  // Another user's checkout is one, too.
  const { status, stderr } = spawnSync(git.command, ['-c', 'safe.directory=*', 'clone', '--quiet', ROOT, folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return folder;
}

test('the first screen of the README does what it says', { skip }, async (t) => {
  const folder = checkout();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const [install = [], fetchPage = [], look = [], archive = [], ...more] = found(
    readme.slice(0, readme.indexOf('## Documents')),
    /^```sh\n([^]*?)^```/gm,
  ).map((block) => block.trimEnd().split('\n'));
  assert.deepEqual(more, []);
  assert.deepEqual(install, ['npm ci', 'npm start']);

  const newcomer = await newcomerIn(t, folder);
  try {
    await newcomer.type('npm ci');
  } catch (error) {
    if (lacksRegistry(error)) return t.skip('needs the registry of npm, or its packages in the cache');
    throw error;
  }
  const { line, stop } = await newcomer.keepRunning('npm start', /listens on/);
  const port = /:(\d+)/.exec(line)?.[1] ?? '';

  assert.equal(fetchPage.length, 1);
  assert.equal(await newcomer.type(fetchPage[0]!.replace(':8000', `:${port}`)), PAGE);
  // The answer does not wait for its record.
  for (let written = 0; written === 0;) {
    const status = await fetch(`http://127.0.0.1:${port}/status`);
    written = ((await status.json()) as { urls_processed: number }).urls_processed;
  }
  assert.match(readdirSync(join(folder, 'warcs')).join(' '), /^\S+\.warc\.open$/);

  const [index = '', verify = ''] = look;
  const records = (await newcomer.type(index))
    .trim()
    .split('\n')
    .map((json) => JSON.parse(json) as Record<string, string>);
  assert.deepEqual(
    records.map((record) => [record['warc-type'], record['warc-target-uri']]),
    [
      ['warcinfo', undefined],
      ['response', 'https://example.com/'],
      ['request', 'https://example.com/'],
      ['metadata', 'tls:example.com:443'],
      ['metadata', 'tls:example.com:443'],
    ],
  );
  assert.match(await newcomer.type(verify), /: ok, 5 records, /);
  assert.deepEqual(look.slice(2), []);

  await stop();
  assert.match(readdirSync(join(folder, 'warcs')).join(' '), /^\S+\.warc$/);

  assert.equal(archive.length, 1);
  await newcomer.type(`${archive[0]}${browserTool().skip === false ? '' : ' --no-browser'}`);
  const [wacz = '', ...others] = readdirSync(folder).filter((name) => name.includes('.wacz'));
  assert.match(wacz, /^example\.com-\d{14}\.wacz$/);
  assert.deepEqual(others, []);
  assert.match(String(unzipped(readFileSync(join(folder, wacz))).get('pages/pages.jsonl')?.bytes), /"title":"the page"/);
});

/** The examples run, from any folder, quickly, and leave nothing behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tool } from './support/tools.ts';

/** @param temp where temporary folders come to be */
function runExample(name: string, temp: string, ...args: string[]): string {
  const file = fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
  const env = { PATH: process.env.PATH, TMPDIR: temp };
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { cwd: '/', env, encoding: 'utf8', timeout: 20_000 });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-examples-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const NO_STORE = ['valkey-server', 'redis-server'].every((name) => spawnSync(name, ['--version']).status !== 0);

test(
  'two proxies on a shared store write a page once, go on without it, and again with it',
  { skip: NO_STORE && 'no valkey-server or redis-server' },
  (t) => {
    const temp = temporaryFolder(t);
    const said = runExample('cluster/local.js', temp)
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/));
    const expected = ['one /first 200 response', 'two /first 200 revisit'];
    expected.push('one /without-the-store 200 response', 'two /without-the-store 200 response');
    expected.push('one /afterwards 200 response', 'two /afterwards 200 revisit');
    assert.deepEqual(
      said.map((words) => words.join(' ')),
      expected,
    );
    assert.deepEqual(readdirSync(temp), []);
  },
);

test('the demo visits a site over HTTP and HTTPS and shows the records', (t) => {
  const temp = temporaryFolder(t);
  const said = runExample('demo.js', temp);
  assert.match(said, /^ {2}warcinfo +software: warctap /m);
  assert.match(said, /^ {2}response +HTTP\/1\.1 301 Moved For Good +\d+ bytes +http:\/\/localhost:\d+\/old$/m);
  assert.match(said, /^ {2}revisit +HTTP\/1\.1 200 OK +text\/html +\d+ bytes +https:\/\/localhost:\d+\/$/m);
  assert.match(said, /^ {2}request +POST \/comments HTTP\/1\.1 +\d+ bytes +https:\/\/localhost:\d+\/comments$/m);
  // The same page over HTTPS is a revisit of the one over HTTP.
  assert.equal(said.match(/^ {2}response /gm)?.length, 6);
  assert.equal(said.match(/^ {2}revisit /gm)?.length, 1);
  assert.equal(said.match(/^ {2}request /gm)?.length, 7);
  assert.deepEqual(readdirSync(temp), []);
});

test('the demo can leave its WARC file, and says where', (t) => {
  const said = runExample('demo.js', temporaryFolder(t), '--keep');
  assert.ok(existsSync(/^kept: (.*\.warc\.gz)$/m.exec(said)?.[1] ?? ''));
});

test('the library example tells of its capture', (t) => {
  const temp = temporaryFolder(t);
  const said = runExample('library.js', temp);
  assert.match(said, /^You asked for \/page\?n=1$/m);
  assert.match(said, /^GET http:\/\/localhost:\d+\/page\?n=1 200, sha1:[0-9a-f]{40}$/m);
  assert.match(said, /^ {2}response record of \d+ bytes at \d+ in WARCPROX-.*\.warc$/m);
  assert.deepEqual(readdirSync(temp), []);
});

test('the example of a core fetches into a WARC file without a proxy', (t) => {
  const temp = temporaryFolder(t);
  const said = runExample('fetch.js', temp);
  assert.match(
    said,
    /^200 http:\/\/localhost:\d+\/: 300 bytes of text\/html\n {2}response at byte \d+ of EXAMPLE-.*\.warc\.gz\n {2}request /m,
  );
  assert.match(said, /^200 http:\/\/localhost:\d+\/copy: 300 bytes of text\/html\n {2}revisit at byte \d+ of EXAMPLE-/m);
  assert.match(said, /^404 http:\/\/localhost:\d+\/gone: /m);
  assert.match(said, /^REFUSED 403$/m);
  assert.deepEqual(readdirSync(temp), []);
});

test('the example of a scraper reports what it found and was not known', (t) => {
  const temp = temporaryFolder(t);
  const said = runExample('scraper/scraper.js', temp);
  assert.equal(said, 'RT-CV got {"cv":{"referenceNumber":"ada","name":"ada"}}\nada: matched\ngrace: known\n');
  assert.deepEqual(readdirSync(temp), []);
});

const python = tool('python3');

test('the example of a scraper in Python talks to the helper', { skip: python.skip }, () => {
  const [script, helper] = ['examples/scraper/scraper.py', 'bin/rtcv_scraper_client.js'].map((name) =>
    fileURLToPath(new URL(`../${name}`, import.meta.url)),
  );
  const { stdout, stderr } = spawnSync(python.command, [script ?? '', process.execPath, helper ?? ''], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(stdout, 'ada True\ngrace True\nada known\n');
});

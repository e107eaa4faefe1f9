/** `warctap archive` without a browser: from URLs to one WACZ; what it has is read back from the file. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSite } from '../../crawl/jobs/support.ts';
import { runHere, runToEnd, start } from '../child.ts';
import { ALWAYS, answers, archived, folder, opened, pathsOf, urlsOf, type Texts } from './archive-support.ts';

const STATIC: Texts = {
  '/': [
    'text/html',
    '<title>Home &amp; more</title><link rel=stylesheet href=/s.css><a href=/moved>a</a><a href=/pdf>p</a>hello <b>you</b>',
  ],
  '/s.css': ['text/css', '@import "t.css"; p { background: url(/bg.svg) }'],
  '/t.css': ['text/css', '@font-face { src: url(f.woff) }'],
  '/bg.svg': ['image/svg+xml', '<svg/>'],
  '/f.woff': ['font/woff', 'font'],
  '/moved': ['text/html', '', { Location: '/dir/page' }],
  '/dir/page': [
    'text/html; charset=iso-8859-1',
    Buffer.from('<title>caf\xe9</title><iframe src=/frame></iframe><a href=/dir/deep>d</a>', 'latin1'),
  ],
  '/frame': ['text/html', '<img src=/in-frame.svg><a href=/not-a-page>n</a>'],
  '/in-frame.svg': ['image/svg+xml', '<svg/>'],
  '/dir/deep': ['text/html', '<title>deep</title>'],
  '/pdf': ['application/pdf', '%PDF'],
  '/robots.txt': ['text/plain', 'User-agent: *\nDisallow: /dir/deep'],
};

test('without a browser pages, what they are seen to load, and links in scope', async (t) => {
  const site = await startSite(t, answers(STATIC));
  const made = await archived(
    t,
    `${site.url}/`,
    '--no-browser',
    '--parallel',
    '1',
    '--scope',
    'host',
    '--text',
    '--description',
    'all of it',
  );
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /out\.wacz: 3 pages, \d+ kB\n {2}left out, as robots\.txt forbids them: 1/);
  assert.deepEqual(pathsOf(made.pages, site.url), ['/', '/moved', '/pdf']);
  const [home, moved] = made.pages;
  assert.deepEqual([home?.title, home?.text, home?.status, home?.seed], ['Home & more', 'aphello you', 200, true]);
  assert.deepEqual([moved?.title, moved?.depth], ['café', 1]);
  const all = Object.keys(STATIC).filter((path) => path !== '/dir/deep');
  const inFile = [...urlsOf(made.records, 'response', site.url), ...urlsOf(made.records, 'revisit', site.url)];
  assert.deepEqual([inFile.sort(), [...site.asked].sort()], [all.sort(), all]);
  assert.deepEqual([made.about.title, made.about.description, made.about.mainPageUrl], ['Home & more', 'all of it', `${site.url}/`]);
  const text = made.records.find(({ url }) => url === `urn:text:${site.url}/`);
  assert.deepEqual([text?.type, text?.block.toString()], ['resource', home?.text]);
});

test('depth and limit end it, robots.txt is for links only, and a part of a page that cannot be had leaves a record', async (t) => {
  const site = await startSite(t, answers(STATIC));
  const one = await archived(t, `${site.url}/dir/deep`, `${site.url}/`, '--no-browser', '--depth', '1', '--limit', '3');
  assert.deepEqual(pathsOf(one.pages, site.url).sort(), ['/', '/dir/deep', '/moved']);
  assert.match(one.stdout, /found past --limit, and left out: 1/);
  assert.equal(one.about.mainPageUrl, `${site.url}/dir/deep`);
  const broken = await startSite(t, (request, response) => {
    if (request.url === '/') response.writeHead(200, { 'Content-Type': 'text/html' }).end('<img src=/broken>');
    else request.socket.destroy();
  });
  const two = await archived(t, `${broken.url}/`, '--no-browser');
  assert.equal(two.code, 0);
  const failure = two.records.find(({ type, url }) => type === 'metadata' && url === `${broken.url}/broken`);
  assert.match(String(failure?.block), /^fetchStatus: /);
});

test('a page that cannot be had is told, and decides the exit code when it was named', async (t) => {
  const site = await startSite(t, answers({ '/': ['text/html', '<a href=http://127.0.0.1:9/>x</a>'] }));
  const gone = await startSite(t, (request) => request.socket.destroy());
  const named = await archived(t, `${site.url}/`, `${gone.url}/x`, '--no-browser');
  assert.equal(named.code, 1);
  assert.match(named.stdout, new RegExp(`failed: ${gone.url}/x \\(`));
  assert.match(named.stderr, /page not archived: /);
  const found = await archived(t, `${site.url}/`, '--no-browser', '--scope', 'any', '--ignore-robots');
  assert.equal(found.code, 0);
  assert.match(found.stdout, /failed: http:\/\/127\.0\.0\.1:9\/ \(/);
  const dir = folder(t);
  const none = await runToEnd(['archive', `${gone.url}/`, '--no-browser', ...ALWAYS, '-o', join(dir, 'a.wacz')]);
  assert.deepEqual([none.code, none.stdout.split('\n')[0], readdirSync(dir)], [1, 'no page was archived', []]);
});

test('a signal ends it with a WACZ of what there is, whole', async (t) => {
  const dir = folder(t);
  let interrupted = () => undefined as unknown;
  const site = await startSite(t, (request, response) => {
    if (request.url === '/') response.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>first</title><a href=/slow>s</a>');
    else if (request.url === '/robots.txt') response.writeHead(404).end();
    else interrupted();
  });
  const args = ['archive', `${site.url}/`, '--no-browser', '--depth', '1', ...ALWAYS, '-o', join(dir, 'out.wacz')];
  const program = start(args);
  interrupted = () => program.child.kill('SIGINT');
  const { code, stdout } = await program.ended;
  assert.equal(code, 0);
  assert.match(stdout, /out\.wacz: 1 page/);
  assert.deepEqual(readdirSync(dir), ['out.wacz']);
  const { pages } = await opened(dir);
  assert.deepEqual(pathsOf(pages, site.url), ['/']);
});

test('what cannot be done is said in one line, before anything is asked for', async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'there.wacz'), 'mine');
  const site = await startSite(t, answers(STATIC));
  const refused = async (args: readonly string[], code: number, message: RegExp) => {
    const words = ['archive', ...args, ...ALWAYS];
    const ended = code === 2 ? await runHere(...words) : await runToEnd(words, { cwd: dir });
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
    assert.equal(ended.stderr.trim().split('\n').length, 1);
  };
  await refused([], 2, /expected at least one URL/);
  await refused(['example.com'], 2, /expected a URL that begins with http:\/\/ or https:\/\/, got "example\.com"/);
  await refused([`${site.url}/`, '--scope', 'planet'], 2, /--scope: expected page or prefix or host or domain or any/);
  await refused([`${site.url}/`, '--no-browser', '-o', 'there.wacz'], 1, /there\.wacz is there already; --force replaces it/);
  await refused([`${site.url}/`, '--browser', 'firefox'], 1, /firefox cannot do this/);
  await refused([`${site.url}/`, '--browser', '/nowhere/chrome'], 1, /there is no program \/nowhere\/chrome/);
  assert.deepEqual([site.asked, readdirSync(dir), readFileSync(join(dir, 'there.wacz'), 'utf8')], [[], ['there.wacz'], 'mine']);
});

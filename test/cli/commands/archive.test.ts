/** `warctap archive`: from URLs to one WACZ, with a browser and without; what it has is read back from the file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startSite } from '../../crawl/jobs/support.ts';
import { readFolder, type TestRecord } from '../../support/proxy.ts';
import { browserTool } from '../../support/tools.ts';
import { unzipped } from '../../support/unzipped.ts';
import { runToEnd, start, type Ended } from '../child.ts';

const { command: browser, skip } = browserTool();
const ALWAYS = ['--allow-localhost', '--min-free-space', '0'];

type Texts = Readonly<Record<string, readonly [type: string, body: string | Buffer, more?: Readonly<Record<string, string>>]>>;

function answers(texts: Texts): RequestListener {
  return (request, response) => {
    const [type, body, more] = texts[request.url ?? ''] ?? ['text/html', '<title>none</title>none'];
    const status = Object.hasOwn(texts, request.url ?? '') ? (more?.Location === undefined ? 200 : 302) : 404;
    response.writeHead(status, { 'Content-Type': type, ...more }).end(body);
  };
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-archive-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

interface Made extends Ended {
  readonly dir: string;
  readonly pages: readonly Record<string, unknown>[];
  readonly records: readonly TestRecord[];
  readonly about: Record<string, unknown>;
}

/** What is in a WACZ. */
async function opened(dir: string, name = 'out.wacz'): Promise<Omit<Made, keyof Ended>> {
  const zip = unzipped(readFileSync(join(dir, name)));
  const warcs = join(dir, 'unpacked');
  rmSync(warcs, { recursive: true, force: true });
  spawnSync('mkdir', [warcs]);
  for (const [path, { bytes }] of zip) if (path.startsWith('archive/')) writeFileSync(join(warcs, path.slice('archive/'.length)), bytes);
  const lists = ['pages/pages.jsonl', 'pages/extraPages.jsonl'].flatMap((path) => String(zip.get(path)?.bytes ?? '').split('\n'));
  const pages = lists.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  const about = JSON.parse(String(zip.get('datapackage.json')?.bytes)) as Record<string, unknown>;
  return { dir, pages: pages.filter(({ url }) => url !== undefined), records: await readFolder(warcs), about };
}

async function archived(t: TestContext, ...args: readonly string[]): Promise<Made> {
  const dir = folder(t);
  const ended = await runToEnd(['archive', ...args, ...ALWAYS, '-o', join(dir, 'out.wacz')]);
  assert.deepEqual(readdirSync(dir), ['out.wacz'], `${ended.stdout}${ended.stderr}`);
  return { ...ended, ...(await opened(dir)) };
}

const urlsOf = (records: readonly TestRecord[], type: string, site: string) =>
  records.filter((record) => record.type === type && record.url?.startsWith(site) === true).map(({ url }) => url!.slice(site.length));
const pathsOf = (pages: Made['pages'], site: string) => pages.map(({ url }) => String(url).slice(site.length));

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
    const ended = await runToEnd(['archive', ...args, ...ALWAYS], { cwd: dir });
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

const SVG = (size: number) => ['image/svg+xml', `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"/>`] as const;
const DYNAMIC: Texts = {
  '/': [
    'text/html; charset=utf-8',
    `<!doctype html><title>Old</title><link rel=stylesheet href=/s.css><p style="font-family: used">hello</p>
<video src=/v.webm></video><div style="height: 5000px"></div><img loading=lazy src=/lazy.svg srcset="/lazy.svg 1x, /sharp.svg 9x">
<div id=end></div><script>
document.title = 'Home';
new IntersectionObserver(([seen]) => {
  if (!seen.isIntersecting || window.grown) return;
  window.grown = true;
  fetch('/more').then((answer) => answer.text()).then((html) => document.body.insertAdjacentHTML('beforeend', html));
}).observe(document.getElementById('end'));
open('/popup'); alert('hello');
</script>`,
  ],
  '/s.css': ['text/css', '@font-face { font-family: unused; src: url(/unused.woff2) } @media print { p { background: url(/print.svg) } }'],
  '/more': ['text/html', '<a href=/dir/made>made</a><a href=/file>f</a><div style="height: 3000px"></div><img src=/last.svg loading=lazy>'],
  '/lazy.svg': SVG(10),
  '/sharp.svg': SVG(90),
  '/print.svg': SVG(11),
  '/last.svg': SVG(12),
  '/unused.woff2': ['font/woff2', 'no font'],
  '/v.webm': ['video/webm', 'no video'],
  '/dir/made': ['text/html', '<title>Made</title>'],
  '/file': ['application/octet-stream', Buffer.alloc(200_000, 'x')],
  '/popup': ['text/html', '<title>a popup</title>'],
  '/robots.txt': ['text/plain', ''],
};

test('in a browser pages are gone down, what waits to be seen is loaded, and links that scripts make are followed', { skip }, async (t) => {
  const site = await startSite(t, answers(DYNAMIC));
  const made = await archived(t, `${site.url}/`, '--browser', browser, '--depth', '1', '--screenshot', '--text', '--lang', 'de-CH');
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(pathsOf(made.pages, site.url).sort(), ['/', '/dir/made', '/file']);
  assert.deepEqual(
    made.pages.map(({ title }) => title).filter((title) => title !== undefined),
    ['Home', 'Made'],
  );
  assert.match(String(made.pages[0]?.text), /^hello\s+made/);
  const loaded = new Set([...urlsOf(made.records, 'response', site.url), ...urlsOf(made.records, 'revisit', site.url)]);
  assert.deepEqual(
    Object.keys(DYNAMIC).filter((path) => path !== '/popup' && !loaded.has(path)),
    [],
  );
  const file = made.records.filter(({ url, type }) => type === 'response' && url === `${site.url}/file`);
  assert.ok(file.some(({ block }) => block.includes(Buffer.alloc(200_000, 'x'))));
  const pictures = made.records.filter(({ type, url }) => type === 'resource' && /^urn:(?:view|fullPage):/.test(url ?? ''));
  assert.deepEqual(pictures.map(({ url }) => url?.replace(site.url, '')).sort(), [
    'urn:fullPage:/',
    'urn:fullPage:/dir/made',
    'urn:view:/',
    'urn:view:/dir/made',
  ]);
  const heightOf = (kind: string) => pictures.find(({ url }) => url === `urn:${kind}:${site.url}/`)?.block.readUInt32BE(20) ?? 0;
  for (const { block } of pictures) assert.equal(block.toString('latin1', 1, 4), 'PNG');
  assert.equal(heightOf('view'), 900);
  assert.ok(heightOf('fullPage') > 8000, String(heightOf('fullPage')));
  const asked = site.requests.find(({ url }) => url === '/')?.headers;
  assert.match(asked?.['user-agent'] ?? '', / Chrome\/\d/);
  assert.match(asked?.['accept-language'] ?? '', /^de-CH/);
});

test(
  'in a browser a page that cannot be had is told with what the proxy found, and one without end costs its time',
  { skip },
  async (t) => {
    const site = await startSite(t, (request, response) => {
      if (request.url === '/gone') request.socket.destroy();
      else if (request.url === '/endless')
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>E</title><img src=/never><script>for (;;);</script>');
      else if (request.url !== '/never') response.writeHead(404).end();
    });
    const made = await archived(t, `${site.url}/endless`, `${site.url}/gone`, '--browser', browser, '--page-timeout', '3');
    assert.equal(made.code, 1);
    assert.match(made.stdout, new RegExp(`failed: ${site.url}/gone \\((?!net::)`));
    assert.match(made.stderr, /page archived in part: its time was over/);
    assert.deepEqual(pathsOf(made.pages, site.url), ['/endless']);
  },
);

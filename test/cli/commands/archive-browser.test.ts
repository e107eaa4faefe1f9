/** `warctap archive` in a browser: what only that loads is in the WACZ, too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSite } from '../../crawl/jobs/support.ts';
import { browserTool } from '../../support/tools.ts';
import { answers, archived, pathsOf, urlsOf, type Texts } from './archive-support.ts';

const { command: browser, skip } = browserTool();

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
  const pictures = made.records.filter(({ type, url }) => type === 'resource' && /^urn:(?:view|fullPage):/.test(url));
  assert.deepEqual(pictures.map(({ url }) => url.replace(site.url, '')).sort(), [
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

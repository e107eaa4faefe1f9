/** What a page loads with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htmlResources } from '../../src/page/resources.ts';

async function found(html: string, pieceChars = Infinity): Promise<string[]> {
  const urls: string[] = [];
  const reader = await htmlResources('http://site/dir/page', (url, isFrame) => {
    urls.push((isFrame ? 'frame ' : '') + url.replace('http://site/', ''));
  });
  for (let at = 0; at < html.length; at += pieceChars) reader.write(html.slice(at, at + pieceChars));
  reader.end();
  return urls;
}

const HTML = `<!doctype html><link rel="Stylesheet preload" href=s.css><link rel=canonical href=no><link rel="icon" href="/i.ico#x">
<img src=" a.png " srcset="b.png, c.png 2x,d.png?x=1,2 3x" data-src=lazy.png><picture><source srcset="e.webp 100w"></picture>
<video poster=p.jpg src=v.mp4><track src=t.vtt></video><script src=//other/x.js></script><script>"<img src=no>"</script>
<iframe src=f.html></iframe><object data=o.svg></object><body background=bg.gif><p style="background: url('q.png')">
<style>@import "m.css"; p { background: url(n.png) } q { background: url(data:image/png,x) }</style>
<svg><use href="sprite.svg#one"/></svg><a href=no>no</a><img src="javascript:x"><img src="">`;

const LOADED = [
  ...['dir/s.css', 'i.ico', 'dir/a.png', 'dir/lazy.png', 'dir/b.png', 'dir/c.png', 'dir/d.png?x=1,2', 'dir/e.webp'],
  ...['dir/v.mp4', 'dir/p.jpg', 'dir/t.vtt', 'http://other/x.js', 'frame dir/f.html', 'dir/o.svg', 'dir/bg.gif', 'dir/q.png'],
  ...['dir/m.css', 'dir/n.png', 'dir/sprite.svg'],
];

test('pictures, scripts, styles, media and frames, but not links', async () => {
  assert.deepEqual(await found(HTML), LOADED);
  assert.deepEqual(await found(HTML, 7), LOADED);
});

test('from the base that the page names first', async () => {
  assert.deepEqual(await found('<base href="/b/"><base href=/c/><img src=a>'), ['b/a']);
});

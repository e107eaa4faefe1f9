/** Conditional requests are answered by the validators of what is archived: RFC 9110 §13. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange } from '../warc/support.ts';
import { RawClient } from '../support/client.ts';
import { later, posted, revisitOf, startPlayback, withoutMemento } from './support.ts';

const URL_A = 'http://a.example/page';
const MODIFIED = 'Sat, 03 Feb 2024 00:00:00 GMT';
const HEAD = `HTTP/1.1 200 OK\r\nETag: "v1"\r\nLast-Modified: ${MODIFIED}\r\nCache-Control: no-cache\r\nContent-Type: a/b\r\nContent-Length: 4\r\n\r\n`;
const NOT_MODIFIED = `HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nLast-Modified: ${MODIFIED}\r\nCache-Control: no-cache\r\n\r\n`;

const CONDITIONS = [
  ['If-None-Match: "v1"', 304],
  ['If-None-Match: W/"v1"', 304],
  ['If-None-Match: "v0", "a,b" , "v1"', 304],
  ['If-None-Match: "v0"\r\nIf-None-Match: "v1"', 304],
  ['If-None-Match: *', 304],
  ['If-None-Match: "v2"', 200],
  ['If-None-Match: v1', 200],
  [`If-Modified-Since: ${MODIFIED}`, 304],
  ['If-Modified-Since: Saturday, 03-Feb-24 00:00:00 GMT', 304],
  ['If-Modified-Since: Sat Feb  3 00:00:01 2024', 304],
  ['If-Modified-Since: Fri, 02 Feb 2024 23:59:59 GMT', 200],
  ['If-Modified-Since: yesterday', 200],
  // The tag counts alone where there is one.
  [`If-None-Match: "v2"\r\nIf-Modified-Since: ${MODIFIED}`, 200],
  ['If-None-Match: "v1"\r\nIf-Modified-Since: Fri, 02 Feb 2024 23:59:59 GMT', 304],
  // Conditions come before ranges.
  ['If-None-Match: "v1"\r\nRange: bytes=0-1', 304],
  ['If-None-Match: "v2"\r\nRange: bytes=0-1', 206],
] as const;

test('who has it already is told so, everybody else gets the whole; also of a revisit, and for HEAD', async (t) => {
  const running = await startPlayback(t);
  const original = exchange({ url: 'http://o.example/', head: HEAD, body: 'page' });
  await running.archive(original, exchange({ url: URL_A, head: HEAD, body: 'page' }));
  await running.archive(revisitOf(original, { url: 'http://r.example/', head: HEAD, body: 'page' }));
  for (const url of [URL_A, 'http://r.example/']) {
    for (const [condition, status] of CONDITIONS) {
      const answer = await running.get(url, { fields: `${condition}\r\n` });
      assert.equal(answer.status, status, condition);
      if (status === 304) assert.equal(answer.head, NOT_MODIFIED);
      if (status === 200) assert.deepEqual([answer.head, answer.body.toString()], [HEAD, 'page']);
      const head = await running.get(url, { method: 'HEAD', fields: `${condition}\r\n` });
      assert.equal(head.head, status === 304 ? NOT_MODIFIED : HEAD);
    }
  }
});

test('a 304 is never played, whatever its client asks: the answer before it is', async (t) => {
  const running = await startPlayback(t);
  const unchanged = 'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n';
  await running.archive(later(1, { url: URL_A, head: HEAD, body: 'page' }), later(2, { url: URL_A, head: unchanged, body: '' }));
  assert.equal((await running.get(URL_A)).body.toString(), 'page');
  assert.equal((await running.get(URL_A, { fields: 'If-None-Match: "v1"\r\n' })).head, NOT_MODIFIED);
  assert.equal((await running.get(URL_A, { fields: 'If-None-Match: "v0"\r\n' })).body.toString(), 'page');
  assert.equal((await running.get(URL_A, { fields: 'Accept-Datetime: Sat, 03 Feb 2024 04:05:08 GMT\r\n' })).status, 200);
});

test('without validators, and of errors, there is nothing to compare', async (t) => {
  const running = await startPlayback(t);
  const gone = `HTTP/1.1 404 Not Found\r\nETag: "v1"\r\nLast-Modified: ${MODIFIED}\r\nContent-Length: 0\r\n\r\n`;
  await running.archive(exchange({ url: URL_A }), exchange({ url: 'http://a.example/gone', head: gone, body: '' }));
  for (const condition of ['If-None-Match: "v1"', `If-Modified-Since: ${MODIFIED}`]) {
    assert.equal((await running.get(URL_A, { fields: `${condition}\r\n` })).status, 200);
    assert.equal((await running.get('http://a.example/gone', { fields: `${condition}\r\n` })).status, 404);
  }
});

test('a POST is not conditional', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange(posted(URL_A, 'q=1', { head: HEAD, body: 'page' })));
  const { status } = await running.get(URL_A, { method: 'POST', body: 'q=1', fields: 'If-None-Match: "v1"\r\nRange: bytes=0-1\r\n' });
  assert.equal(status, 200);
});

test('the connection goes on after a 304', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, head: HEAD, body: 'page' }));
  using client = await RawClient.connect(running.port);
  client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\nGET ${URL_A} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.equal(withoutMemento(await client.head()), NOT_MODIFIED);
  assert.equal((await client.response()).body.toString(), 'page');
});

/** Which of several captures of a URL answers, as clients of the playback proxy see it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { custom, exchange, STARTED } from '../warc/support.ts';
import { later, revisitOf, startPlayback, type TestPlayback } from './support.ts';

const URL_A = 'http://a.example/page';

const answer = (status: string, body: string, fields = '') => ({
  url: URL_A,
  head: `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n`,
  body,
});
const bodyOf = async (running: TestPlayback) => (await running.get(URL_A)).body.toString();

for (const [what, parts] of [
  ['a redirect', answer('302 Found', 'away', 'Location: http://b.example/\r\n')],
  ['an error', answer('503 Service Unavailable', 'later')],
  ['an answer that was not changed', answer('304 Not Modified', '')],
  ['a condition that failed', answer('412 Precondition Failed', 'no')],
  ['a piece of it', answer('206 Partial Content', 'pa', 'Content-Range: bytes 0-1/4\r\n')],
  ['a range past its end', answer('416 Range Not Satisfiable', '', 'Content-Range: bytes */4\r\n')],
  ['an answer that was cut off', { ...answer('200 OK', 'cut'), truncated: 'disconnect' }],
  ['the answer to a POST', { ...answer('200 OK', 'posted'), method: 'POST' }],
  ['the answer to a HEAD', { ...answer('200 OK', ''), method: 'HEAD' }],
] as const) {
  test(`${what} does not hide the earlier page`, async (t) => {
    const running = await startPlayback(t);
    await running.archive(later(1, answer('200 OK', 'page')), later(2, parts));
    assert.equal(await bodyOf(running), 'page');
  });
}

test('a redirect is played when there is no page, and an error, the latest of them', async (t) => {
  const running = await startPlayback(t);
  await running.archive(later(1, answer('302 Found', 'away')));
  assert.equal((await running.get(URL_A)).status, 302);
  await running.archive(later(2, answer('404 Not Found', 'gone')));
  assert.equal((await running.get(URL_A)).status, 404);
  await running.archive(later(0, answer('410 Gone', 'gone')));
  assert.equal(await bodyOf(running), 'gone');
  assert.equal((await running.get(URL_A)).status, 404);
});

for (const status of ['304 Not Modified', '206 Partial Content', '412 Precondition Failed', '416 Range Not Satisfiable']) {
  test(`a ${status} alone is no answer to a plain GET`, async (t) => {
    const running = await startPlayback(t);
    await running.archive(exchange(answer(status, '', 'ETag: "a"\r\n')));
    const { status: played, body } = await running.get(URL_A);
    assert.deepEqual([played, body.toString()], [404, '404 Not in Archive\n']);
    assert.equal((await running.get(URL_A, { method: 'HEAD' })).status, 404);
  });
}

test('a record that a client wrote does not hide the page of its URL, and is played where there is no page', async (t) => {
  const running = await startPlayback(t);
  const note = { ...custom('metadata', 'text/plain', 'a note', URL_A), startedAt: new Date(STARTED.getTime() + 5000) };
  await running.archive(note);
  assert.equal(await bodyOf(running), 'a note');
  const original = later(1, answer('200 OK', 'page'));
  await running.archive(original);
  assert.equal(await bodyOf(running), 'page');
  await running.archive(revisitOf(original, answer('200 Again', 'page')));
  assert.match((await running.get(URL_A)).head, /^HTTP\/1.1 200 Again\r\n/);
});

test('a page goes before such a record even if it is an error', async (t) => {
  const running = await startPlayback(t);
  await running.archive(later(1, answer('404 Not Found', 'gone')), custom('resource', 'image/png', 'a picture', URL_A));
  assert.equal(await bodyOf(running), 'gone');
});

test('a redirect that was revisited stays a redirect', async (t) => {
  const running = await startPlayback(t);
  const original = later(1, { ...answer('200 OK', 'same'), url: 'http://o.example/' });
  await running.archive(original, later(2, answer('200 OK', 'page')));
  await running.archive(revisitOf(original, answer('302 Found', 'same')));
  assert.equal(await bodyOf(running), 'page');
});

test('what an earlier version has indexed is played when nothing else is there, but never its 304', async (t) => {
  const running = await startPlayback(t);
  const old = [answer('200 OK', 'old'), answer('304 Not Modified', '')].map((parts, index) => later(index, parts));
  const elsewhere = old.map((capture) => ({ ...capture, url: 'http://elsewhere.example/' }));
  await running.archive(...elsewhere);
  for (const { outcome, startedAt } of elsewhere) {
    const { path, ...record } = outcome.records![0]!;
    const { offset, length, id, type } = record;
    const place = { file: path, offset, length, recordId: id, type, payloadDigest: 'sha1:x', payloadSize: undefined };
    await running.index.save([{ ...place, url: URL_A, startedAt, method: 'GET', lanes: ['unknown'] }]);
  }
  assert.equal(await bodyOf(running), 'old');
  assert.equal((await running.get(URL_A, { fields: 'Range: bytes=1-1\r\n' })).body.toString(), 'l');
  assert.equal((await running.get(URL_A, { method: 'POST', body: '' })).status, 404);
  await running.archive(later(-5, answer('500 Internal Server Error', 'known')));
  assert.equal(await bodyOf(running), 'known');
});

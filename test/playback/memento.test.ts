/** Captures by date, and what is said of them: RFC 7089. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { custom, STARTED } from '../warc/support.ts';
import { later, startPlayback } from './support.ts';

const URL_A = 'http://a.example/page';
const at = (seconds: number) => new Date(STARTED.getTime() + seconds * 1000).toUTCString();
const accept = (seconds: number) => ({ fields: `Accept-Datetime: ${at(seconds)}\r\n` });
const answer = (status: string, body: string, fields = '') => ({
  url: URL_A,
  head: `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n`,
  body,
});

test('Accept-Datetime picks the nearest capture, of whatever status', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    later(100, answer('200 OK', 'first')),
    later(200, answer('302 Found', 'moved')),
    later(300, answer('200 OK', 'second')),
    later(310, answer('304 Not Modified', '')),
    later(320, answer('206 Partial Content', 'se', 'Content-Range: bytes 0-1/6\r\n')),
    later(400, answer('503 Service Unavailable', 'down')),
    { ...custom('metadata', 'a/b', 'note', URL_A), startedAt: new Date(STARTED.getTime() + 250_000) },
  );
  for (const [seconds, body] of [
    [-1_000_000, 'first'],
    [100, 'first'],
    [149, 'first'],
    // as near to both: the earlier
    [150, 'first'],
    [151, 'moved'],
    [200, 'moved'],
    [251, 'second'],
    [310, 'second'],
    [320, 'second'],
    [399, 'down'],
    [9_000_000, 'down'],
  ] as const) {
    const played = await running.get(URL_A, accept(seconds));
    assert.equal(played.body.toString(), body, String(seconds));
  }
  assert.equal((await running.get(URL_A)).body.toString(), 'second');
  assert.equal((await running.get(URL_A, { fields: `${accept(322).fields}Range: bytes=0-1\r\n` })).body.toString(), 'se');
  assert.equal((await running.get('http://a.example/none', accept(0))).status, 404);
});

test('records of clients are picked by date where there is no page', async (t) => {
  const running = await startPlayback(t);
  const note = (text: string, seconds: number) => ({
    ...custom('resource', 'a/b', text, URL_A),
    startedAt: new Date(STARTED.getTime() + seconds * 1000),
  });
  await running.archive(note('early', 1), note('late', 100));
  assert.equal((await running.get(URL_A, accept(3))).body.toString(), 'early');
  assert.equal((await running.get(URL_A)).body.toString(), 'late');
});

test('of captures of one second the latest is picked', async (t) => {
  const running = await startPlayback(t);
  await running.archive(later(0.1, answer('200 OK', 'one')), later(0.2, answer('200 OK', 'two')), later(2, answer('200 OK', 'three')));
  assert.equal((await running.get(URL_A, accept(0))).body.toString(), 'two');
});

for (const value of ['yesterday', '2024-02-03T04:05:06Z', 'Sat, 31 Feb 2024 04:05:06 GMT', 'Sat, 03 Feb 2024 04:05:06 CET', '']) {
  test(`an Accept-Datetime of ${JSON.stringify(value)} is 400`, async (t) => {
    const running = await startPlayback(t);
    await running.archive(later(0, answer('200 OK', 'page')));
    const { status, body } = await running.get(URL_A, { fields: `Accept-Datetime: ${value}\r\n` });
    assert.equal(status, 400);
    assert.match(body.toString(), /^Accept-Datetime is not a date such as "Sun, 06 Nov 1994 08:49:37 GMT": "/);
  });
}

test('each answer says when it was captured, and which others there are', async (t) => {
  const running = await startPlayback(t);
  const stored = `Memento-Datetime: ${at(-5)}\r\nLink: <x>; rel="next"\r\nVary: Cookie\r\n`;
  await running.archive(...[10, 20, 30, 40].map((seconds) => later(seconds, answer(seconds === 40 ? '404 No' : '200 OK', 'page', stored))));
  const rel = (names: string, seconds: number) => `<${URL_A}>; rel="${names}"; datetime="${at(seconds)}"`;
  for (const request of [{}, { method: 'HEAD' }, { fields: 'Range: bytes=0-1\r\n' }, { fields: 'Range: bytes=99-\r\n' }]) {
    const { head, field } = await running.get(URL_A, request);
    assert.equal(field('memento-datetime'), at(30));
    assert.equal(head.includes(at(-5)), false);
  }
  const links = async (seconds: number) => {
    const played = await running.get(URL_A, accept(seconds));
    assert.match(played.head, /Link: <x>; rel="next"\r\nVary: Cookie\r\n/);
    const all = /Link: (<http.*)\r\nVary: Accept-Datetime, \*\r\n/.exec(await rawHead(running.port, accept(seconds).fields))?.[1];
    return all?.split(/, (?=<)/);
  };
  const original = `<${URL_A}>; rel="original timegate"`;
  assert.deepEqual(await links(10), [original, rel('first memento', 10), rel('last memento', 40), rel('next memento', 20)]);
  assert.deepEqual(await links(20), [
    original,
    rel('first prev memento', 10),
    rel('last memento', 40),
    rel('next memento', 30),
    rel('memento', 20),
  ]);
  assert.deepEqual(await links(40), [original, rel('first memento', 10), rel('last memento', 40), rel('prev memento', 30)]);
});

test('a 304 has them, too, and a 404 of ours does not', async (t) => {
  const running = await startPlayback(t);
  await running.archive(later(1, answer('200 OK', 'page', 'ETag: "a"\r\n')));
  const same = await running.get(URL_A, { fields: 'If-None-Match: "a"\r\n' });
  assert.deepEqual([same.status, same.field('memento-datetime')], [304, at(1)]);
  assert.equal((await running.get('http://a.example/none')).field('memento-datetime'), undefined);
});

test('a URL that is very long is not said again and again', async (t) => {
  const running = await startPlayback(t);
  const url = `http://a.example/?${'x'.repeat(100_000)}`;
  await running.archive(later(1, { ...answer('200 OK', 'page'), url }));
  assert.equal((await running.get(url)).field('link'), `<>; rel="original timegate", <>; rel="first last memento"; datetime="${at(1)}"`);
});

async function rawHead(port: number, fields: string): Promise<string> {
  using client = await RawClient.connect(port);
  client.send(`GET ${URL_A} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
  return await client.head();
}

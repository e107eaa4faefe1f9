/** `/events` over what is kept in memory: who is told what, and what becomes of those who read slowly. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { CaptureEvent } from '../../../src/web/captures/event.ts';
import { eventsPage, MAX_LISTENERS, type EventsPage } from '../../../src/web/captures/events-page.ts';
import { Recent } from '../../../src/web/captures/recent.ts';
import { exchangeCapture, failedCapture } from '../../support/captures.ts';
import { take, told, urlOf, type Told } from './support.ts';

const url = (number: number) => `http://example.com/${number}`;

describe('the stream of captures', () => {
  let recent: Recent;
  let page: EventsPage;
  let open: AsyncGenerator<Told>[];

  beforeEach(() => {
    recent = new Recent({ maxEvents: 100 });
    page = eventsPage(recent);
    open = [];
  });
  afterEach(async () => {
    recent.close();
    for (const each of open) await each.return(undefined);
    assert.equal(page.listening, 0);
  });

  const ask = async (query = '', headers: Record<string, string> = {}): Promise<Response> =>
    page.handler(new Request(`http://localhost/events${query}`, { headers }));
  const listen = async (query = '', headers: Record<string, string> = {}): Promise<AsyncGenerator<Told>> => {
    const response = await ask(query, headers);
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/event-stream']);
    const events = told(response.body!);
    open.push(events);
    return events;
  };
  const add = (from: number, to = from) => {
    for (let number = from; number <= to; number++) recent.add(exchangeCapture(url(number)));
  };

  test('begins with what comes from then on, or with the last that are asked for', async () => {
    add(1, 5);
    const [now, last] = [await listen(), await listen('?last=2')];
    const first = now.next();
    add(6);
    assert.equal(urlOf((await first).value as Told), url(6));
    assert.deepEqual((await take(last, 3)).map(urlOf), [url(4), url(5), url(6)]);
  });

  test('tells of a capture what it was and what has become of it', async () => {
    const events = await listen();
    recent.add(failedCapture('http://gone.example/'));
    const [{ id, name, data }] = (await take(events, 1)) as [Told];
    assert.deepEqual([id, name], [`${recent.instance}-1`, 'message']);
    const { time, buckets, records, prefix, ...rest } = data as CaptureEvent;
    assert.deepEqual([time, buckets, records, prefix], ['1970-01-01T00:00:00.000Z', ['__all__', '__unspecified__'], [], 'P']);
    assert.deepEqual(rest, {
      id: 1,
      kind: 'failure',
      duration: 1,
      method: 'GET',
      status: 502,
      type: '',
      size: 0,
      url: 'http://gone.example/',
      archived: 'failed',
      error: { code: 'not-connected', message: 'failed' },
      recordId: '<urn:uuid:http://gone.example/>',
    });
  });

  test('goes on behind the last one that was heard', async () => {
    add(1, 4);
    const again = await listen('', { 'last-event-id': `${recent.instance}-2` });
    assert.deepEqual((await take(again, 2)).map(urlOf), [url(3), url(4)]);
    const byQuery = await listen(`?last-event-id=${recent.instance}-3`);
    assert.deepEqual((await take(byQuery, 1)).map(urlOf), [url(4)]);
    // Of another run: everything here is news.
    const other = await listen('', { 'last-event-id': '00000000-3' });
    assert.equal((await take(other, 4)).length, 4);
  });

  test('a reader that is slow is told how many it has missed, and nothing waits for it', async () => {
    const slow = await listen('?last=100');
    add(1, 3);
    assert.deepEqual((await take(slow, 1)).map(urlOf), [url(1)]);
    // What it has been given already it has.
    add(4, 350);
    const [first, second, missed, next] = (await take(slow, 4)) as [Told, Told, Told, Told];
    assert.deepEqual([urlOf(first), urlOf(second)], [url(2), url(3)]);
    assert.deepEqual([missed.name, missed.data], ['left-out', { captures: 247, why: 'slow' }]);
    assert.equal(urlOf(next), url(251));
    assert.equal(recent.size, 100);
  });

  test('of more than are wanted a second the latest are told, and how many are not', async () => {
    const some = await listen('?most=2&last=100');
    add(1, 50);
    const [left, ...latest] = await take(some, 2);
    assert.equal(left!.name, 'left-out');
    assert.deepEqual(left!.data, { captures: 49, why: 'sampled' });
    assert.deepEqual(latest.map(urlOf), [url(50)]);
  });

  test('only those that are wanted', async () => {
    recent.add(failedCapture('http://one.example/A'));
    recent.add(exchangeCapture('http://two.example/a'));
    const urls = async (query: string) => {
      const marked = await listen(`?last=100&${query}`);
      recent.add(exchangeCapture('http://mark.example/'));
      recent.add(failedCapture('http://mark.example/'));
      const found: string[] = [];
      for await (const each of marked) {
        if (urlOf(each).includes('mark')) break;
        found.push(new URL(urlOf(each)).hostname);
      }
      return found;
    };
    assert.deepEqual(await urls('url=.example/a&url=mark'), ['one.example', 'two.example']);
    assert.deepEqual(await urls('status=5xx'), ['one.example']);
    assert.deepEqual(await urls('status=404,200-299'), ['two.example']);
    assert.deepEqual(await urls('archived=failed&method=GET'), ['one.example']);
    assert.deepEqual(await urls('bucket=__all__&prefix=P&archived=skipped'), ['two.example']);
    assert.deepEqual(await urls('type='), ['one.example', 'two.example']);
  });

  test('what is not understood is 400, in one line', async () => {
    for (const query of [
      '?status=many',
      '?what=x',
      '?most=0',
      '?last=1e9',
      '?archived=perhaps',
      '?last-event-id=7',
      `?url=${'x'.repeat(3000)}`,
    ]) {
      const response = await ask(query);
      const text = await response.text();
      assert.equal(response.status, 400, query);
      assert.match(text, /^[^\n]+ expected [^\n]+\n$/);
    }
  });

  test('many may listen, and one more than may is told so', async () => {
    for (let i = 0; i < MAX_LISTENERS; i++) open.push(told((await ask()).body!));
    const { status, headers } = await ask();
    assert.deepEqual([status, headers.get('retry-after')], [503, '5']);
    const all = open.map((each) => take(each, 1));
    add(1);
    assert.deepEqual(new Set((await Promise.all(all)).map(([one]) => urlOf(one!))), new Set([url(1)]));
    assert.equal((await ask('?status=200')).status, 503);
  });

  test('ends when nothing more comes', async () => {
    const events = await listen();
    const end = events.next();
    recent.close();
    assert.equal((await end).done, true);
  });
});

test('what is kept has a bound of bytes, too', () => {
  const recent = new Recent({ maxEvents: 100, maxBytes: 100_000 });
  for (let i = 0; i < 50; i++) recent.add(exchangeCapture(`http://example.com/${'x'.repeat(10_000)}`));
  assert.ok(recent.size < 10 && recent.size > 0, String(recent.size));
  recent.add(exchangeCapture(`http://example.com/${'x'.repeat(130_000)}`));
  assert.equal(recent.size, 1);
  assert.equal(recent.get(recent.first)?.url.length, 130_019);
});

test('what somebody keeps of a capture stays as it is, and each is told as if its event were made anew', () => {
  const [few, many] = [new Recent({ maxEvents: 2 }), new Recent()];
  const failed = failedCapture('http://example.com/failed');
  const duplicate = exchangeCapture('http://example.com/duplicate');
  duplicate.outcome.duplicateOf = { recordId: '<urn:uuid:1>', url: 'http://example.com/', date: '2026-01-01T00:00:00.000Z', answer: '200' };
  const written = exchangeCapture('http://example.com/written');
  const record = { id: '<urn:uuid:2>', date: '', filename: 'A.warc', path: 'A.warc', length: 10 };
  written.outcome.records = ['response', 'request'].map((type, nth) => ({ ...record, type, offset: nth * 10 }));
  const captures = [written, failed, duplicate, failed, written, exchangeCapture('http://example.com/skipped'), duplicate];
  const texts = captures.map((capture) => many.textOf(many.add(capture)));
  const kept = captures.map((capture) => few.get(few.add(capture).id));
  assert.deepEqual(
    kept.map((event) => JSON.stringify(event)),
    texts,
  );
  assert.deepEqual([few.get(5), few.textOf(few.peek(7)!)], [undefined, texts[6]]);
});

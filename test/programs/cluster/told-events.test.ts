/** The last captures of many workers in one order, with what was never heard of. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { eventsFrom, gather, ToldEvents } from '../../../src/programs/cluster/told-events.ts';
import { Wire } from '../../../src/util/wire.ts';
import { eventsPage } from '../../../src/web/captures/events-page.ts';
import { Recent } from '../../../src/web/captures/recent.ts';
import { exchangeCapture } from '../../support/captures.ts';
import { take, told, urlOf } from '../../web/captures/support.ts';

/** A worker that keeps so many, and what the other end hears of it. */
function worker(maxEvents = 10_000): { readonly own: Recent; readonly events: ToldEvents } {
  const own = new Recent({ maxEvents });
  const [there, here] = [new PassThrough(), new PassThrough()];
  new Wire(there, here, { events: (from: number) => eventsFrom(own, from) });
  return { own, events: new ToldEvents(new Wire(here, there)) };
}

const url = (name: string) => `http://example.com/${name}`;

test('they come by the time that they ended, of one worker as it had them, each once', async () => {
  const [one, two] = [worker(), worker()];
  const at = (own: Recent, name: string, time: string, duration: number) =>
    own.put({ ...own.add(exchangeCapture(url('made'))), id: own.next, url: url(name), time, duration });
  at(one.own, 'slow', '2026-01-01T00:00:00.000Z', 900);
  at(two.own, 'quick', '2026-01-01T00:00:00.500Z', 10);
  const recent = new Recent();
  const all = [one.events, two.events];
  await Promise.all(all.map((each) => each.fetch()));
  gather(all, recent);
  const names = () => Array.from({ length: recent.size }, (_, nth) => recent.get(nth + 1)?.url.slice(url('').length));
  assert.deepEqual(
    names().filter((name) => name !== 'made'),
    ['quick', 'slow'],
  );
  one.own.add(exchangeCapture(url('more')));
  await one.events.fetch();
  gather(all, recent);
  assert.deepEqual([recent.size, names().at(-1), recent.get(5)?.id], [5, 'more', 5]);
});

test('more than one answer has room for come all, and what was gone before is counted', async () => {
  const { own, events } = worker(1500);
  for (let nth = 0; nth < 3000; nth++) own.add(exchangeCapture(url(String(nth))));
  const recent = new Recent({ maxEvents: 10_000 });
  await events.fetch();
  gather([events], recent);
  assert.deepEqual([recent.next, recent.get(1500), recent.get(1501)?.url], [3001, undefined, url('1500')]);
  const page = eventsPage(recent);
  const response = await page.handler(new Request(`http://localhost/events?last-event-id=${recent.instance}-0`));
  const stream = told(response.body!);
  const all = await take(stream, 1501);
  const [leftOut] = all.filter(({ name }) => name === 'left-out');
  assert.deepEqual(leftOut?.data, { captures: 1500, why: 'slow' });
  assert.equal(urlOf(all.filter(({ name }) => name === 'message').at(-1)!), url('2999'));
  await stream.return(undefined);
  recent.close();
});

test('what a worker had done that was not heard of when it was killed has numbers, and nothing more', async () => {
  const { own, events } = worker();
  own.add(exchangeCapture(url('heard')));
  await events.fetch();
  own.add(exchangeCapture(url('unheard')));
  const recent = new Recent();
  gather([events], recent);
  events.end(2);
  gather([events], recent);
  assert.deepEqual([recent.next, recent.get(1)?.url, recent.get(2)], [3, url('heard'), undefined]);
});

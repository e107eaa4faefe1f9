/** Accepted reports as events: for the administrator, in order, from where a listener was, and told when some were missed. */
import assert from 'node:assert/strict';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WARCParser } from 'warcio';
import { EVENT_BOUNDS, Events } from '../../src/queue/events.ts';
import { ADMIN, done, report, startQueue, temporaryFolder, type TestQueue } from './support.ts';

const decoder = new TextDecoder();

/** Blocks of a stream, each without its last empty line. */
async function* blocksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const piece of stream) {
    const blocks = (rest + decoder.decode(piece)).split('\n\n');
    rest = blocks.pop() ?? '';
    yield* blocks;
  }
  return undefined;
}

const dataOf = (block: string) => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null') as Record<string, unknown>;
const idOf = (block: string) => /^id: (.*)$/m.exec(block)?.[1];

describe('the ring', () => {
  const bounds = { ...EVENT_BOUNDS, events: 3, heartbeatMs: 2 ** 31 - 1 };
  const told = async (events: Events, after: string | null): Promise<unknown[]> => {
    const stream = events.listen(after)!;
    events.close();
    const all: unknown[] = [];
    for await (const block of blocksOf(stream)) all.push(dataOf(block));
    return all;
  };
  const filled = (count: number, more = {}): Events => {
    const events = new Events(1, { ...bounds, ...more });
    for (let n = 1; n <= count; n++) events.publish({ n });
    return events;
  };

  test('goes on behind the identifier that a listener has, and tells how many are gone', async () => {
    const kept = [{ n: 3 }, { n: 4 }, { n: 5 }];
    assert.deepEqual(await told(filled(5), null), []);
    assert.deepEqual(await told(filled(5), '1-5'), []);
    assert.deepEqual(await told(filled(5), '1-4'), [{ n: 5 }]);
    assert.deepEqual(await told(filled(5), '1-2'), kept);
    assert.deepEqual(await told(filled(5), '1-1'), [{ missed: 1 }, ...kept]);
    assert.deepEqual(await told(filled(5), '1-0'), [{ missed: 2 }, ...kept]);
    for (const id of ['2-4', '1-6', '1-', '1', '', '1-x', '-', '1-99999999999999999999'])
      assert.deepEqual(await told(filled(5), id), [{ missed: null }, ...kept], id);
    assert.deepEqual(await told(filled(0), '2-4'), [{ missed: null }]);
  });

  test('is bounded in characters, too', async () => {
    const events = filled(0, { chars: 100 });
    for (const n of [1, 2, 3]) events.publish({ n, text: 'x'.repeat(30) });
    assert.deepEqual(await told(events, '1-0'), [{ missed: 2 }, { n: 3, text: 'x'.repeat(30) }]);
    events.publish({ n: 4, text: 'x'.repeat(200) });
    assert.deepEqual(await told(events, '1-3'), [{ missed: 1 }]);
  });

  test('tells a listener that does not read what it has missed, and others everything', async () => {
    const events = filled(0);
    const slow = blocksOf(events.listen(null)!);
    const quick = blocksOf(events.listen(null)!);
    for (let n = 1; n <= 10; n++) {
      events.publish({ n });
      assert.deepEqual(dataOf((await quick.next()).value!), { n });
    }
    assert.deepEqual(dataOf((await slow.next()).value!), { missed: 7 });
    assert.deepEqual(dataOf((await slow.next()).value!), { n: 8 });
  });

  test('is heard by so many and no more, until one leaves', async () => {
    const events = filled(0, { listeners: 2 });
    const [first] = [events.listen(null), events.listen(null)];
    assert.equal(events.listen(null), undefined);
    const reader = first!.getReader();
    const waiting = reader.read();
    await reader.cancel();
    assert.equal((await waiting).done, true);
    assert.ok(events.listen(null));
    assert.equal(events.listen(null), undefined);
  });

  test('says that it is alive where nothing happens', async () => {
    const events = new Events(1, { ...bounds, heartbeatMs: 1 });
    // Its timer alone keeps nothing running.
    const alive = setInterval(() => undefined, 1000);
    assert.equal((await blocksOf(events.listen(null)!).next()).value, ': alive');
    clearInterval(alive);
  });
});

describe('over HTTP', () => {
  const listen = async ({ url }: TestQueue, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${url}/events`, { headers: { 'X-Heroshi-Auth': ADMIN, ...headers } });
    assert.equal(response.status, 200);
    return { response, blocks: blocksOf(response.body as ReadableStream<Uint8Array>) };
  };

  test('each accepted report is an event, a repetition or a refused one is none; a listener goes on where it was', async () => {
    await using queue = await startQueue({ socketTimeout: 0.2 });
    const { response, blocks } = await listen(queue);
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.equal(response.headers.get('server'), 'heroshi-manager');
    const visited = '2026-01-05T10:00:00';
    const first = {
      url: 'http://a.test/',
      status_code: 200,
      result: 'OK',
      headers: {},
      fetch_time: 5,
      total_time: 7,
      visited,
      content: 'YWJj',
    };
    await report(queue.boris, first);
    await report(queue.boris, first);
    await report(queue.boris, { url: 'http://a.test/', status_code: 'x' });
    await report(queue.boris, { url: null, links: ['http://link.test/'] });
    await report(queue.inga, [done('http://b.test/'), done('http://c.test/', { status: 'no answer' })]);
    const block = (await blocks.next()).value!;
    assert.match(block, /^id: \S+\nevent: heroshi-report\ndata: /);
    const { received, ...event } = dataOf(block);
    assert.match(String(received), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    assert.deepEqual(event, {
      url: 'http://a.test/',
      worker: 'boris',
      status_code: 200,
      result: 'OK',
      visited,
      fetch_time: 5,
      total_time: 7,
      length: 3,
      digest: 'sha1:a9993e364706816aba3e25717850c26c9cd0d89d',
    });
    const others = [(await blocks.next()).value!, (await blocks.next()).value!];
    assert.deepEqual(
      others.map(dataOf).map(({ url, worker, status_code, result }) => [url, worker, status_code, result]),
      [
        ['http://b.test/', 'inga', 200, 'OK'],
        ['http://c.test/', 'inga', null, 'no answer'],
      ],
    );
    const again = await listen(queue, { 'Last-Event-ID': idOf(block)! });
    assert.deepEqual((await again.blocks.next()).value, others[0]);
    // An end of the manager is an end of the stream, and waits for nobody who listens.
    await queue.close();
    assert.equal((await again.blocks.next()).value, others[1]);
    assert.equal((await again.blocks.next()).done, true);
    assert.equal((await blocks.next()).done, true);
  });

  test('a worker may not listen; a HEAD takes no place; past so many listeners it is 503', async () => {
    await using queue = await startQueue();
    assert.equal((await queue.boris('/events')).status, 403);
    for (let count = 0; count <= EVENT_BOUNDS.listeners; count++) {
      assert.equal((await queue.admin('/events', { method: 'HEAD' })).status, 200);
    }
    await Promise.all(Array.from({ length: EVENT_BOUNDS.listeners }, () => listen(queue)));
    const refused = await queue.admin('/events');
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '10']);
  });

  test('with --store-content warc an event says in which record the page is', async () => {
    const dir = join(temporaryFolder(), 'warcs');
    await using queue = await startQueue({ storeContent: 'warc', dir });
    const { blocks } = await listen(queue);
    await report(queue.boris, [done('http://a.test/', { 'content-body': '<p>a' }), done('http://b.test/')]);
    const [first, second] = [dataOf((await blocks.next()).value!), dataOf((await blocks.next()).value!)];
    const ids: (string | null | undefined)[][] = [];
    for (const name of readdirSync(dir)) {
      for await (const record of new WARCParser(createReadStream(join(dir, name)))) {
        if (record.warcType === 'resource') ids.push([record.warcTargetURI, record.warcHeader('WARC-Record-ID')]);
      }
    }
    assert.deepEqual(ids, [['http://a.test/', String(first.record)]]);
    assert.equal(second.record, undefined);
  });
});

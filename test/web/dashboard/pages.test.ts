/** What the dashboard asks for, over real sockets: what is found, what is in a capture, and that nothing of it can run. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CaptureEvent } from '../../../src/web/captures/event.ts';
import { busyProxy, MARKUP, PIXEL, type Busy } from './support.ts';

interface Found {
  readonly captures: readonly (CaptureEvent & { readonly recordType?: string })[];
  readonly instance: string;
  readonly before: number | null;
  readonly next: number | string | null;
}

interface Opened {
  readonly event: CaptureEvent | null;
  readonly records: readonly { readonly type: string; readonly head?: string; readonly header: readonly [string, string][] }[];
}

async function ask({ proxy }: Busy, path: string, status = 200): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${proxy.port}${path}`);
  assert.equal(response.status, status, `${path}: ${status === 200 && !response.ok ? await response.text() : ''}`);
  return response;
}

const json = async <Shape>(busy: Busy, path: string): Promise<Shape> => (await (await ask(busy, path)).json()) as Shape;
const paths = ({ captures }: Found) => captures.map(({ url }) => new URL(url).pathname);
const enc = encodeURIComponent;

/** Query that opens the capture of a path. */
async function queryOf(busy: Busy, path: string): Promise<string> {
  const { captures, instance } = await json<Found>(busy, `/dashboard/captures.json?url=${enc(path)}`);
  return `id=${captures[0]!.id}&instance=${instance}`;
}

describe('captures in memory', () => {
  test('are found by filters, the latest first, a piece at a time', async () => {
    await using busy = await busyProxy(['/a1', '/markup', '/a2', '/a3', '/drop']);
    const first = await json<Found>(busy, '/dashboard/captures.json?limit=2');
    assert.deepEqual(paths(first), ['/drop', '/a3']);
    const second = await json<Found>(busy, `/dashboard/captures.json?limit=5&before=${first.before}`);
    assert.deepEqual([paths(second), second.before], [['/a2', '/markup', '/a1'], null]);
    assert.deepEqual(paths(await json<Found>(busy, '/dashboard/captures.json?url=/A&archived=new')), ['/a3', '/a2', '/a1']);
    assert.deepEqual(paths(await json<Found>(busy, '/dashboard/captures.json?type=text/html')), ['/markup']);
    assert.deepEqual(paths(await json<Found>(busy, '/dashboard/captures.json?status=5xx')), ['/drop']);
    assert.match(
      await (await ask(busy, '/dashboard/captures.json?status=x', 400)).text(),
      /^status "x": expected such as 404, 4xx or 200-299\n$/,
    );
  });

  test('open with the heads of request and response, and the fields of their records', async () => {
    await using busy = await busyProxy(['/markup', '/again', '/drop']);
    const { event, records } = await json<Opened>(busy, `/dashboard/capture.json?${await queryOf(busy, '/again')}`);
    assert.equal(event?.archived, 'dup');
    assert.deepEqual(
      records.map(({ type }) => type),
      ['revisit', 'request'],
    );
    assert.match(records[0]!.head ?? '', /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/html[^]*X-Marked: <b>bold<\/b>$/);
    assert.match(records[1]!.head ?? '', /^GET \/again HTTP\/1\.1\r\n/);
    assert.ok(records[0]!.header.some(([name, value]) => name === 'WARC-Target-URI' && value === `${busy.site}/again`));
    // Its body is that of the first.
    assert.equal(await (await ask(busy, `/dashboard/body?${await queryOf(busy, '/again')}`)).text(), MARKUP);
    const failed = await json<Opened>(busy, `/dashboard/capture.json?${await queryOf(busy, '/drop')}`);
    assert.deepEqual([failed.event?.error?.code, failed.records], ['empty-response', []]);
    assert.match(await (await ask(busy, `/dashboard/body?${await queryOf(busy, '/drop')}`, 404)).text(), /^nothing of it was archived\n$/);
  });

  test('of another start, and such as there are none, are 404; what asks for nothing is 400', async () => {
    await using busy = await busyProxy(['/a']);
    const { instance } = await json<Found>(busy, '/dashboard/captures.json');
    await ask(busy, `/dashboard/capture.json?id=1&instance=00000000`, 404);
    await ask(busy, `/dashboard/capture.json?id=2&instance=${instance}`, 404);
    await ask(busy, '/dashboard/capture.json?record=x&url=http://a/', 404);
    await ask(busy, '/dashboard/capture.json', 400);
    await ask(busy, '/dashboard/body?id=x', 400);
  });
});

test('bodies are text, or a picture that is one, or a file: never anything that runs', async () => {
  await using busy = await busyProxy();
  for (const [path, type, expected] of [
    ['/markup', 'text/plain;charset=utf-8', MARKUP],
    ['/pixel.png', 'image/png', PIXEL],
    ['/lies.png', 'text/plain;charset=utf-8', MARKUP],
    ['/drawn.svg', 'text/plain;charset=utf-8', undefined],
    ['/latin', 'text/plain;charset=utf-8', 'caf\u00e9'],
    ['/packed', 'text/plain;charset=utf-8', 'packed text\n'.repeat(10)],
    ['/binary', 'application/octet-stream', ''],
    ['/empty', 'text/plain;charset=utf-8', ''],
  ] as const) {
    const response = await ask(busy, `/dashboard/body?${await queryOf(busy, path)}`);
    assert.equal(response.headers.get('content-type'), type, path);
    assert.equal(response.headers.get('content-security-policy'), "sandbox; default-src 'none'");
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    if (expected !== undefined) assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(expected), path);
  }
  // What is packed is unpacked as far as it is shown.
  const bomb = await ask(busy, `/dashboard/body?${await queryOf(busy, '/bomb')}`);
  assert.deepEqual([bomb.headers.get('x-body-whole'), (await bomb.text()).length], ['false', 512 * 1024]);
  const file = await ask(busy, `/dashboard/body?${await queryOf(busy, '/markup')}&file`);
  assert.deepEqual(
    [file.headers.get('content-type'), file.headers.get('content-disposition')],
    ['application/octet-stream', 'attachment; filename="body"'],
  );
  assert.equal(await file.text(), MARKUP);
});

test('with the index on, all that was archived is found by the beginning of its URL, also after a start', async () => {
  await using busy = await busyProxy(['/a', '/markup', '/again', '/b'], { playbackPort: 0 });
  const url = enc(`${busy.site}/a`);
  const found = await json<Found>(busy, `/dashboard/archived.json?url=${url}`);
  assert.deepEqual(paths(found), ['/a', '/again']);
  const one = await json<Found>(busy, `/dashboard/archived.json?url=${url}&limit=1`);
  const rest = await json<Found>(busy, `/dashboard/archived.json?url=${url}&limit=1&from=${enc(String(one.next))}`);
  assert.deepEqual([...paths(one), ...paths(rest), rest.next], ['/a', '/again', null]);
  const [, again] = found.captures;
  const query = `record=${enc(again!.recordId)}&url=${enc(again!.url)}`;
  const { records } = await json<Opened>(busy, `/dashboard/capture.json?${query}`);
  assert.match(records[0]!.head ?? '', /^HTTP\/1\.1 200 OK/);
  assert.equal(await (await ask(busy, `/dashboard/body?${query}`)).text(), MARKUP);
  // What people leave out in front; the number behind the colon is a port.
  const bare = enc(`${busy.site.replace('http://', '')}/`);
  const all = await json<Found>(busy, `/dashboard/archived.json?url=${bare}`);
  assert.deepEqual([paths(all), all.next], [['/a', '/again', '/b', '/markup'], null]);
  const begun = await json<Found>(busy, `/dashboard/archived.json?url=${bare}&limit=3`);
  const ended = await json<Found>(busy, `/dashboard/archived.json?url=${bare}&limit=3&from=${enc(String(begun.next))}`);
  assert.deepEqual([...paths(begun), ...paths(ended), ended.next], [...paths(all), null]);
  assert.match(
    await (await ask(busy, '/dashboard/archived.json?url=nothing&from=9:', 400)).text(),
    /^from "9:": expected the next of an answer\n$/,
  );
});

test('without one it says so', async () => {
  await using busy = await busyProxy([]);
  assert.match(
    await (await ask(busy, '/dashboard/archived.json?url=http://a/', 400)).text(),
    /^there is no index of what was archived: expected --playback-port of the proxy\n$/,
  );
});

test('the state has totals, what waits, files, prefixes, and buckets with their limits', async () => {
  await using busy = await busyProxy(['/a', '/drop']);
  await busy.get(
    '/b',
    '{"warc-prefix":"job","stats":{"buckets":["one"]},"limits":{"one/total/urls":10},"soft-limits":{"one/new/wire_bytes":9000}}',
  );
  const state = await json<Record<string, never>>(busy, '/dashboard/state.json');
  const { totals, files, prefixes, buckets, slots, failures } = state as unknown as {
    totals: Record<string, number>;
    files: { path: string; open: boolean; prefix: string }[];
    prefixes: { prefix: string; captures: number; failed: number }[];
    buckets: { bucket: string; total: { urls: number }; limits: object[] }[];
    slots: Record<string, number[]>;
    failures: [string, number][];
  };
  assert.deepEqual([totals.new, totals.failed], [2, 1]);
  assert.deepEqual(
    files.map(({ prefix, open }) => [prefix, open]),
    [
      ['job', true],
      ['WARCPROX', true],
    ],
  );
  assert.deepEqual(
    prefixes.map(({ prefix, captures, failed }) => [prefix, captures, failed]),
    [
      ['job', 1, 0],
      ['WARCPROX', 1, 1],
    ],
  );
  const one = buckets.find(({ bucket }) => bucket === 'one');
  assert.deepEqual(
    [one?.total.urls, one?.limits],
    [
      1,
      [
        { of: 'total/urls', value: 10, soft: false },
        { of: 'new/wire_bytes', value: 9000, soft: true },
      ],
    ],
  );
  assert.equal(
    slots.new!.reduce((sum, value) => sum + value, 0),
    2,
  );
  assert.deepEqual(failures, [['empty-response', 1]]);
});

test('where everybody could look, all of it is off without a log-in', async () => {
  await using busy = await busyProxy([], { address: '::' });
  for (const path of [
    '/dashboard',
    '/dashboard/state.json',
    '/dashboard/captures.json',
    '/dashboard/capture.json',
    '/dashboard/body',
    '/dashboard/archived.json',
  ])
    await ask(busy, path, 403);
  await ask(busy, '/');
  await ask(busy, '/web/page/base.css');
  const { pages } = await json<{ pages: string[] }>(busy, '/about.json');
  assert.equal(pages.includes('/dashboard'), false);
});

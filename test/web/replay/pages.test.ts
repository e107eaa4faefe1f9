/** What `/replay/` answers programs: lists in bounded pieces, TimeMaps, and to whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listed, PlaybackIndex } from '../../../src/store/playback.ts';
import { memoryPlayback } from '../../../src/store/memory/playback.ts';
import { KnownMoments } from '../../../src/store/moments.ts';
import { replayPages } from '../../../src/web/replay.ts';
import { textResponse, type FetchHandler } from '../../../src/web/pages.ts';

const HOST = 'http://127.0.0.1:8000';

async function pagesOf(captures: readonly (readonly [url: string, date: string])[], guard = (handler: FetchHandler) => handler) {
  const index: PlaybackIndex = memoryPlayback();
  await index.save(
    captures.map(([url, date], nth) => ({
      url,
      startedAt: new Date(date),
      method: 'GET',
      lanes: ['GET', 'HEAD'],
      file: 'a.warc',
      offset: nth,
      length: 1,
      recordId: `<urn:uuid:${nth}>`,
      type: 'response',
      payloadDigest: 'sha1:x',
      payloadSize: 3,
    })),
  );
  const pages = replayPages({
    index,
    moments: new KnownMoments(),
    frames: () => undefined,
    isPlayback: false,
    isOwnHost: (host) => host === '127.0.0.1:8000',
    guard,
  });
  return async (path: string, headers: Record<string, string> = {}) => {
    const [name = ''] = path.split('?', 1);
    const begin = Object.keys(pages)
      .filter((each) => each.endsWith('*') && name.startsWith(each.slice(0, -1)))
      .sort((a, b) => b.length - a.length)[0];
    return (pages[name] ?? pages[begin ?? ''] ?? assert.fail(path))(new Request(HOST + path, { headers }));
  };
}

const SITE: readonly (readonly [string, string])[] = [
  ['https://example.com/', '2026-01-02T03:04:05.678Z'],
  ['https://example.com/', '2025-01-02T03:04:05.000Z'],
  ['http://www.example.com/x', '2024-01-02T03:04:05.000Z'],
  ['https://example.org/', '2024-01-02T03:04:05.000Z'],
  ['http://example.net:8080/', '2024-01-02T03:04:05.000Z'],
];

test('URLs are found by their beginnings, with or without a scheme', async () => {
  const ask = await pagesOf(SITE);
  const urls = async (q: string) => {
    const { urls: found } = (await (await ask(`/replay/urls.json?q=${encodeURIComponent(q)}`)).json()) as {
      urls: { url: string; captures: number; first: string; last: string }[];
    };
    return found.map(({ url, captures, first, last }) => `${url} ${captures} ${first.slice(0, 4)} ${last.slice(0, 4)}`);
  };
  assert.deepEqual(await urls('example.com'), ['https://example.com/ 2 2025 2026', 'http://www.example.com/x 1 2024 2024']);
  assert.deepEqual(await urls('https://example.o'), ['https://example.org/ 1 2024 2024']);
  assert.deepEqual(await urls('example.net:8080/'), ['http://example.net:8080/ 1 2024 2024']);
  assert.equal((await urls('')).length, 4);
  assert.equal((await ask(`/replay/urls.json?q=${'x'.repeat(5000)}`)).status, 400);
});

test('a long list comes in pieces', async () => {
  const ask = await pagesOf(
    Array.from({ length: 250 }, (_, nth) => [`http://example.com/${String(nth).padStart(3, '0')}`, '2026-01-01T00:00:00Z'] as const),
  );
  const seen: string[] = [];
  let query = 'q=http://example.com/';
  for (let pieces = 0; query !== ''; pieces++) {
    assert.ok(pieces < 5);
    const answer = (await (await ask(`/replay/urls.json?${query}`)).json()) as {
      urls: { url: string }[];
      next: { start: string; from: string }[];
    };
    seen.push(...answer.urls.map(({ url }) => url));
    query = answer.next[0] === undefined ? '' : String(new URLSearchParams(answer.next[0]));
  }
  assert.equal(new Set(seen).size, 250);
});

test('captures of one URL are those of exactly that URL, once each, by time', async () => {
  const ask = await pagesOf(SITE);
  const { captures, all } = (await (await ask('/replay/captures.json?url=https://example.com/')).json()) as {
    captures: Partial<Listed>[];
    all: boolean;
  };
  assert.deepEqual(
    [captures.map((each) => (each as { time: string }).time), all],
    [['2025-01-02T03:04:05.000Z', '2026-01-02T03:04:05.678Z'], true],
  );
  assert.equal((await ask('/replay/captures.json')).status, 400);
});

test('a TimeMap names the original and all mementos, whose addresses are the page', async () => {
  const ask = await pagesOf(SITE);
  const answer = await ask('/replay/timemap/link/https://example.com/');
  assert.equal(answer.headers.get('content-type'), 'application/link-format');
  assert.equal(
    await answer.text(),
    [
      '<https://example.com/>; rel="original timegate"',
      `<${HOST}/replay/timemap/link/https://example.com/>; rel="self"; type="application/link-format"; from="Thu, 02 Jan 2025 03:04:05 GMT"; until="Fri, 02 Jan 2026 03:04:05 GMT"`,
      `<${HOST}/replay/20250102030405/https://example.com/>; rel="first memento"; datetime="Thu, 02 Jan 2025 03:04:05 GMT"`,
      `<${HOST}/replay/20260102030405/https://example.com/>; rel="last memento"; datetime="Fri, 02 Jan 2026 03:04:05 GMT"\n`,
    ].join(',\n'),
  );
  assert.match(await (await ask('/replay/20260102030405/https://example.com/')).text(), /<title>Replay/);
  assert.equal((await ask('/replay/timemap/link/https://nowhere.example/')).status, 404);
  assert.equal((await ask('/replay/x')).status, 404);
});

test('where pages are off all of them are, but for what tells the way that leads here', async () => {
  const ask = await pagesOf(SITE, () => () => textResponse('text/plain', 'off', 403));
  for (const path of ['/replay/', '/replay/urls.json', '/replay/captures.json?url=x', '/replay/timemap/link/x', '/replay/2026/x'])
    assert.equal((await ask(path)).status, 403, path);
  const via = (origin: string) => ask('/replay/via.json', { origin });
  assert.equal((await via(HOST)).headers.get('access-control-allow-origin'), HOST);
  assert.equal((await via('http://evil.example')).headers.get('access-control-allow-origin'), null);
});

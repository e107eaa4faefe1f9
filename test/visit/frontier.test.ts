/** Pages are visited once, in the order in which they were found, to the depth and the limit that were asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frontier, type FrontierOptions } from '../../src/visit/frontier.ts';

const frontier = (given: Partial<FrontierOptions> = {}) =>
  new Frontier({ seeds: ['http://a/'], inScope: (url) => url.startsWith('http://a/'), maxDepth: Infinity, maxPages: 100, ...given });

function taken(from: Frontier): string[] {
  const urls: string[] = [];
  for (let page = from.take(); page !== undefined; page = from.take()) urls.push(`${page.depth} ${page.url}`);
  return urls;
}

test('a link is followed once, whatever its fragment, when it is in scope', () => {
  const pages = frontier();
  const first = pages.take()!;
  pages.follow(first, ['http://a/1', 'http://a/1#x', 'http://b/', 'mailto:x@a', 'http://a/', 'http://a/2']);
  assert.deepEqual(taken(pages), ['1 http://a/1', '1 http://a/2']);
  assert.deepEqual([pages.found, pages.leftOut], [3, 0]);
});

test('past the depth no link is followed', () => {
  const pages = frontier({ maxDepth: 1 });
  pages.follow(pages.take()!, ['http://a/1']);
  pages.follow(pages.take()!, ['http://a/2']);
  assert.deepEqual(taken(pages), []);
});

test('past the limit pages are only counted, each once', () => {
  const pages = frontier({ maxPages: 2 });
  pages.follow(pages.take()!, ['http://a/1', 'http://a/2', 'http://a/2', 'http://a/3']);
  assert.deepEqual(taken(pages), ['1 http://a/1']);
  assert.deepEqual([pages.found, pages.leftOut], [2, 2]);
});

test('a page that may not be visited does not count, and the next one has its place', () => {
  const pages = frontier({ maxPages: 2 });
  pages.follow(pages.take()!, ['http://a/1', 'http://a/2', 'http://a/3']);
  assert.equal(pages.take()?.url, 'http://a/1');
  pages.forbidden();
  assert.deepEqual(taken(pages), ['1 http://a/2']);
  assert.deepEqual([pages.found, pages.leftOut], [2, 1]);
});

test('URLs past all that are remembered are counted, and those before them are not lost', () => {
  const pages = frontier({ maxPages: 1, seeds: [] });
  pages.follow(
    { url: 'http://a/', depth: 0, foundOn: undefined },
    Array.from({ length: 120 }, (_, nth) => `http://a/${nth}`),
  );
  assert.deepEqual([pages.found, pages.leftOut], [1, 119]);
  for (let nth = 0; nth < 100; nth++) {
    assert.equal(pages.take()?.url, `http://a/${nth}`);
    pages.forbidden();
  }
  assert.equal(pages.take(), undefined);
});

test('with a large limit no more than a million URLs are remembered, each page is still visited', () => {
  const pages = frontier({ maxPages: 20_000, seeds: [] });
  const page = { url: 'http://a/', depth: 0, foundOn: undefined };
  const links = function* () {
    for (let nth = 0; nth < 1_000_100; nth++) yield `http://a/${nth}`;
  };
  pages.follow(page, links());
  // Of these the first are known, and the last are counted again.
  pages.follow(page, ['http://a/0', 'http://a/1000099']);
  assert.deepEqual([pages.found, pages.leftOut], [20_000, 1_000_101 - 20_000]);
});

test('where a page has led to is not visited again', () => {
  const pages = frontier();
  const first = pages.take()!;
  pages.reached('http://a/home#top');
  pages.follow(first, ['http://a/home', 'http://a/1']);
  assert.deepEqual(taken(pages), ['1 http://a/1']);
});

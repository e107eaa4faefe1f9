/**
 * The rooms of src/ and the levels they stand on: what the test of imports and the test of the docs go by.
 */

/** From the bottom up; a room may import itself and whatever stands in an earlier line. */
export const LEVELS: readonly (readonly string[])[] = [
  ['util', 'messages'],
  ['url', 'regex', 'tls'],
  ['http'],
  ['http1', 'http2', 'meta', 'page', 'websocket'],
  ['warc', 'store', 'ca', 'auth', 'browser', 'trust'],
  ['capture'],
  ['options', 'serve', 'fetch', 'web'],
  ['archive', 'finished', 'proxy', 'playback', 'queue', 'transform', 'crawl', 'visit'],
  ['programs', 'scraper'],
  ['index.ts'],
  ['cli'],
];

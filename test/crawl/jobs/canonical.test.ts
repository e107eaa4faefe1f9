/** URLs in the form in which they are compared: a table, and what Python's w3lib says of made-up ones. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalUrl, withoutParameters } from '../../../src/crawl/jobs/canonical.ts';
import { tool } from '../../support/tools.ts';

const TABLE: readonly (readonly [given: string, canonical: string])[] = [
  ['http://a.com/?foo=2&foo=1&bar=3&PHPSESSID=4', 'http://a.com/?PHPSESSID=4&bar=3&foo=1&foo=2'],
  ['http://a.com', 'http://a.com/'],
  [' HTTP://User@A.Com:80\n/ ', 'http://User@a.com:80/'],
  ['http://a.com:/x', 'http://a.com/x'],
  ['http://a.com/do?c=3&b=5&b=2&a=50#top', 'http://a.com/do?a=50&b=2&b=5&c=3'],
  ['http://a.com/do?q=a space&a=1', 'http://a.com/do?a=1&q=a+space'],
  ['http://a.com/do?q=a+space&q=a%20space', 'http://a.com/do?q=a+space&q=a+space'],
  ['http://a.com/do?b&a=&&c=1;d=2', 'http://a.com/do?a=&b=&c=1%3Bd%3D2'],
  ['http://a.com/?', 'http://a.com/'],
  ['http://a.com/résumé?q=é', 'http://a.com/r%C3%A9sum%C3%A9?q=%C3%A9'],
  ['http://a.com/r%e9sum%e9?q=%a3', 'http://a.com/r%E9sum%E9?q=%A3'],
  ['http://a.com/a%2fb%3fc%7ed e', 'http://a.com/a%2Fb%3Fc~d%20e'],
  ['http://a.com/a;v=1?x#y', 'http://a.com/a;v=1?x='],
  ['http://www.bücher.example/', 'http://www.xn--bcher-kva.example/'],
  ['https://[::1]:8080/', 'https://[::1]:8080/'],
];

test('the canonical form of a URL', () => {
  for (const [given, canonical] of TABLE) {
    assert.equal(canonicalUrl(given), canonical, given);
    assert.equal(canonicalUrl(canonical), canonical, 'it is its own');
  }
});

test('parameters are taken out by their names as they are written', () => {
  const names = new Set(['PHPSESSID', 'sid']);
  assert.equal(withoutParameters('http://a.com/?foo=2&foo=1&PHPSESSID=4', names), 'http://a.com/?foo=2&foo=1');
  assert.equal(withoutParameters('http://a.com/?sid&&phpsessid=1&sid=2#x', names), 'http://a.com/?phpsessid=1');
  assert.equal(withoutParameters('http://a.com/x?sid=1#top', names), 'http://a.com/x');
});

const python = tool('python3');
const hasW3lib = python.skip === false && spawnSync(python.command, ['-c', 'import w3lib.url']).status === 0;

test('it is what w3lib makes of a URL', { skip: hasW3lib ? false : 'needs w3lib of python3' }, () => {
  // Newer ones keep %25 and %3B, and resolve dots; nor are those in what crawls find in pages.
  const path = fc
    .stringMatching(/^(?:[a-zA-Z0-9\-_~:@!$&'()*+,=| é{}<>"^`\\/]|%(?:2f|3F|7e|e9|20|C3))*$/)
    .filter((text) => !text.includes('\\'));
  const query = fc.stringMatching(/^(?:[a-zA-Z0-9\-._~:@!$'()*,;=&+/?| é{}<>"^`]|%(?:2f|3d|26|7e|e9|25|2B))*$/);
  const urls = fc.sample(
    fc.tuple(path, query).map(([p, q]) => `http://Host.example/${p}?${q}`),
    { numRuns: 2000, seed: 7 },
  );
  const script =
    'import json,sys\nfrom w3lib.url import canonicalize_url\nprint(json.dumps([canonicalize_url(u) for u in json.load(sys.stdin)]))';
  const { stdout, stderr } = spawnSync(python.command, ['-c', script], { input: JSON.stringify(urls), maxBuffer: 1e8 });
  assert.equal(stderr.toString(), '');
  const expected = JSON.parse(stdout.toString()) as string[];
  for (const [index, url] of urls.entries()) assert.equal(canonicalUrl(url), expected[index], url);
});

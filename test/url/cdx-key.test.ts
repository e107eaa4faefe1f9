/** The keys of indexes: what players look up. Expected values are those of the Wayback Machine's own canonicaliser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cdxKey } from '../../src/url/cdx-key.ts';

const ID = '0123456789abcdef0123456789abcdef';
const KEYS: readonly (readonly [url: string, key: string])[] = [
  ['https://www.Example.com:443/A/?b&a#c', 'com,example)/a?a&b'],
  ['http://example.com', 'com,example)/'],
  ['http://example.com/?', 'com,example)/'],
  ['  http://example.com?q=1\n', 'com,example)/?q=1'],
  ['http://www2.foo.co.uk:8080/x', 'uk,co,foo:8080)/x'],
  ['https://ex.com:80/', 'com,ex:80)/'],
  ['http://ex.com:080/', 'com,ex)/'],
  ['http://http://ex.com/', 'com,ex)/'],
  ['example.com/x', 'com,example)/x'],
  ['http://user:pw@ex.com./', 'com,ex)/'],
  ['http://127.0.0.1:8000/x', '1,0,0,127:8000)/x'],
  ['http://2130706433/', '1,0,0,127)/'],
  ['http://[::1]:80/', '::1)/'],
  ['http://bücher.example/ü?ü=ß', 'example,xn--bcher-kva)/%c3%bc?%c3%bc=%c3%9f'],
  ['http://ex.com/a//b/../c/./d/', 'com,ex)/a/c/d'],
  ['http://ex.com/../a/..', 'com,ex)/..'],
  ['http://ex.com/%41%2541 b?%26x=%3d', 'com,ex)/aa%20b?&x=='],
  ['http://ex.com/?a=2&a&a=1&a=', 'com,ex)/?a&a=&a=1&a=2'],
  ['http://ex.com/?a&&b', 'com,ex)/?&a&b'],
  [`http://ex.com/?a=1&sid=${ID}&b=2`, 'com,ex)/?a=1&b=2'],
  [`http://ex.com/?foosid=${ID}&b=2`, 'com,ex)/?foob=2'],
  [`http://ex.com/?JSESSIONID=${ID}`, 'com,ex)/'],
  ['http://ex.com/?x=1&cfid=12&cftoken=34', 'com,ex)/?&x=1'],
  ['http://ex.com/(S(4hqa0555fwsecu455xqckv45))/mileg.aspx', 'com,ex)/mileg.aspx'],
  ['http://ex.com/(4hqa0555fwsecu455xqckv45)/mileg.aspx?x', 'com,ex)/mileg.aspx?x'],
  ['urn:foo:Bar', 'urn:foo:bar'],
  ['dns:example.com', 'dns:example.com'],
  ['screenshot:http://Example.com/', 'screenshot:http://example.com'],
  ['metadata://h.example/x/', 'example,h)/x'],
  ['ftp://ex.com:21/x', 'com,ex:21)/x'],
];

for (const [url, key] of KEYS) test(`${JSON.stringify(url)} is found under ${key}`, () => assert.equal(cdxKey(url), key));

test('a URL that is very long is not slow, whatever it is made of', () => {
  for (const part of ['cfid=', 'cfid=1&', 'sid=', '(', '/(a', '.aspx/', '%25', 'a//', '/(S(4hqa0555fwsecu455xqckv45))/'])
    assert.ok(cdxKey(`http://ex.com/${part.repeat(50_000)}?${part.repeat(50_000)}`).startsWith('com,ex)/'), part);
});

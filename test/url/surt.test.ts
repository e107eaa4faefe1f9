import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { canonicalise } from '../../src/url/canon.ts';
import { reverseHost, ssurt, ssurtHost, surt } from '../../src/url/surt.ts';
import { joinUrl, splitUrl } from '../../src/url/url-parts.ts';

const EXAMPLES = new URL('../../../shared/data/ssurt.json', import.meta.url);
const skip = !existsSync(EXAMPLES) && 'needs shared/data/ssurt.json beside the checkout';

describe('the examples published by urlcanon', { skip }, () => {
  const forms: Record<string, (text: string) => string> = {
    ssurtHost: (host) => ssurtHost(host),
    reverseHost: (host) => reverseHost(host),
    ssurt: (url) => ssurt(splitUrl(url)),
    surt: (url) => surt(splitUrl(url)),
    surtWithoutScheme: (url) => surt(splitUrl(url), { withScheme: false }),
    surtWithoutTrailingComma: (url) => surt(splitUrl(url), { trailingComma: false }),
  };
  const examples = existsSync(EXAMPLES) ? (JSON.parse(readFileSync(EXAMPLES, 'utf8')) as Record<string, Record<string, string>>) : {};

  test('are of kinds that are known', () => assert.deepEqual(Object.keys(examples), Object.keys(forms)));
  for (const [kind, pairs] of Object.entries(examples)) {
    for (const [text, expected] of Object.entries(pairs)) {
      test(`${kind} of ${JSON.stringify(text)} is ${expected}`, () => assert.equal(forms[kind]?.(text), expected));
    }
  }
});

describe('the SSURT of a canonical URL', () => {
  const rows: [url: string, ssurt: string][] = [
    ['http://user:pass@www.Example.com:80/a?b#c', 'com,example,www,//http:/a?b'],
    ['https://example.com:8443/', 'com,example,//8443:https:/'],
    ['http://10.1.2.3:81/', '10.1.2.3//81:http:/'],
    ['http://0.0.0.0/', '0.0.0.0//http:/'],
    ['http://[::1]:81/', '[::1]//81:http:/'],
    ['screenshot:http://example.com/', 'screenshot:http://example.com/'],
  ];
  for (const [url, expected] of rows) test(`${url} → ${expected}`, () => assert.equal(ssurt(canonicalise(url)), expected));
});

describe('the SURT of a canonical URL', () => {
  const rows: [url: string, surt: string][] = [
    ['http://user:pass@www.Example.com:80/a?b#c', 'http://(com,example,www,)/a?b'],
    ['https://example.com:8443/', 'https://(com,example,:8443)/'],
    ['http://10.1.2.3:81/', 'http://(10.1.2.3:81)/'],
    ['http://[::1]/', 'http://([::1])/'],
  ];
  for (const [url, expected] of rows) test(`${url} → ${expected}`, () => assert.equal(surt(canonicalise(url)), expected));
});

describe('a URL cut into its parts', () => {
  const urls = [
    '',
    'a',
    'http:',
    'http://',
    'http:/a',
    'http://u:p@h:1/p?q#f',
    'foo://h',
    'foo:bar',
    'http://[::1]:80',
    'file:///a',
    '?q#f',
    'a:b@c:d',
  ];
  for (const url of urls) test(`is ${JSON.stringify(url)} again when joined`, () => assert.equal(joinUrl(splitUrl(url)), url));
});

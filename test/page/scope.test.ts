/** Which links are followed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inScope, pageUrl, type Scope } from '../../src/page/scope.ts';

const SEED = 'https://www.example.co.uk/a/b/start.html?x=1';
const LINKS = {
  below: 'http://www.example.co.uk/a/b/c/d.html',
  beside: 'https://www.example.co.uk/a/b/other.html',
  above: 'https://www.example.co.uk/a/',
  port: 'https://www.example.co.uk:8443/a/b/',
  domain: 'https://blog.example.co.uk/a/b/',
  other: 'https://other.co.uk/a/b/',
};

test('each scope follows what its name says', async () => {
  const followed = async (scope: Scope) => {
    const follows = await inScope(scope, [SEED]);
    return Object.entries(LINKS).flatMap(([name, url]) => (follows(url) ? [name] : []));
  };
  assert.deepEqual(await followed('page'), []);
  assert.deepEqual(await followed('prefix'), ['below', 'beside']);
  assert.deepEqual(await followed('host'), ['below', 'beside', 'above']);
  assert.deepEqual(await followed('domain'), ['below', 'beside', 'above', 'port', 'domain']);
  assert.deepEqual(await followed('any'), Object.keys(LINKS));
});

test('an address is a host and a domain of its own', async () => {
  const follows = await inScope('domain', ['http://127.0.0.1:8000/']);
  assert.deepEqual([follows('http://127.0.0.1:8000/x'), follows('http://127.0.0.2:8000/x')], [true, false]);
});

test('pages are told apart without fragment and user info, and only those of the web are any', () => {
  assert.equal(pageUrl('HTTP://me:secret@Example.com:80#top'), 'http://example.com/');
  for (const url of ['mailto:a@example.com', 'javascript:x()', 'data:,x', 'ftp://example.com/', '/relative', 'http://'])
    assert.equal(pageUrl(url), undefined, url);
});

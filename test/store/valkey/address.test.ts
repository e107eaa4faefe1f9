import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUrl, storeAddress } from '../../../src/store/valkey/address.ts';

test('a URL is taken apart, and shown without user and password', () => {
  const plain = { path: undefined, username: undefined, password: undefined, db: 0, tls: false, sentinel: undefined };
  const hosts = [{ host: 'a.example', port: 6379 }];
  const cases: Record<string, object> = {
    'valkey://a.example': { ...plain, shown: 'valkey://a.example/0', hosts },
    'redis://a.example:7/3': { ...plain, shown: 'redis://a.example:7/3', hosts: [{ host: 'a.example', port: 7 }], db: 3 },
    'rediss://u:p%40ss@[::1]:7/': {
      ...plain,
      shown: 'rediss://[::1]:7/0',
      hosts: [{ host: '::1', port: 7 }],
      tls: true,
      username: 'u',
      password: 'p@ss',
    },
    'valkeys://:p@a.example': { ...plain, shown: 'valkeys://a.example/0', hosts, tls: true, password: 'p' },
    'valkey://a:1,b/2?sentinel=main': {
      ...plain,
      shown: 'valkey://a:1,b/2?sentinel=main',
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26379 },
      ],
      db: 2,
      sentinel: 'main',
    },
    'unix:///run/v.sock': { ...plain, shown: 'unix:///run/v.sock', hosts: [], path: '/run/v.sock' },
    'unix://u:p@/run/v.sock?db=4': {
      ...plain,
      shown: 'unix:///run/v.sock?db=4',
      hosts: [],
      path: '/run/v.sock',
      db: 4,
      username: 'u',
      password: 'p',
    },
  };
  for (const [url, address] of Object.entries(cases)) assert.deepEqual(storeAddress(url), address, url);
});

test('what is no URL of a store is none', () => {
  const urls = ['', 'warctap.db', './a', 'http://a.example/', 'valkey:a', 'valkey://', 'valkey:///0', 'valkey://a:0', 'valkey://a:70000'];
  urls.push(
    'valkey://a/x',
    'valkey://a/-1',
    'valkey://a/99999999999',
    'valkey://a,b',
    'valkey://a?sentinel=',
    'valkey://a?x=1',
    'valkey://%zz:p@a',
    'unix://a/b',
    'unix://',
    'unix:///a?db=x',
  );
  for (const url of urls) assert.equal(storeAddress(url), undefined, url);
});

test('a URL is told from a folder', () => {
  for (const url of ['valkey://a', 'mysql://x', 'unix:///a']) assert.ok(isUrl(url));
  for (const folder of ['a', './a', '/a/b', 'a:b', '']) assert.ok(!isUrl(folder));
});

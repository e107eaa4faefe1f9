import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownHosts } from '../../src/web/own-hosts.ts';

test('addresses, localhost and names of ours are our own, whatever their port and case', () => {
  const isOwn = ownHosts(['Archive-Box', 'crawl.example.']);
  for (const host of [
    undefined,
    '127.0.0.1',
    '127.0.0.1:8000',
    '192.0.2.7',
    '[::1]',
    '[2001:db8::1]:8000',
    'localhost',
    'LOCALHOST:1',
    'localhost.',
  ]) {
    assert.equal(isOwn(host), true, host);
  }
  for (const host of ['archive-box', 'ARCHIVE-BOX:8000', 'crawl.example', 'crawl.example.:80']) assert.equal(isOwn(host), true, host);
});

test('all other names are not, nor what is no Host', () => {
  const isOwn = ownHosts(['archive-box']);
  const others = ['evil.example', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example', 'archive-box.evil.example'];
  for (const host of [...others, '', ':80', '[localhost]', '[::1', '::1', '127.0.0.1@evil.example', '127.1', '0x7f000001']) {
    assert.equal(isOwn(host), false, host);
  }
});

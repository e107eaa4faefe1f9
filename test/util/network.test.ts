import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback } from '../../src/util/network.ts';

test('only loopback addresses are reached from this machine alone', () => {
  for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) assert.equal(isLoopback(address), true, address);
  for (const address of ['0.0.0.0', '::', '::ffff:0.0.0.0', '192.0.2.1', '126.255.255.255', '128.0.0.1', '2001:db8::1', '']) {
    assert.equal(isLoopback(address), false, address);
  }
});

/** Addresses that may not be connected to. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { addressRules } from '../../src/proxy/address-rules.ts';

const nowhere = () => [];
const own = (address: string): AddressInfo => ({ address, port: 8000, family: address.includes(':') ? 'IPv6' : 'IPv4' });

test('loopback and unspecified addresses are refused, in IPv6 spelling too, unless they are allowed', () => {
  for (const address of [
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '0.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::FFFF:0.0.0.0',
    '0:0:0:0:0:0:0:1',
  ]) {
    assert.equal(
      addressRules(false, nowhere).refuse(address, 80),
      'request rejected by warcprox: localhost access is not permitted',
      address,
    );
    assert.equal(addressRules(true, nowhere).refuse(address, 80), undefined, address);
  }
});

test('link-local addresses are always refused', () => {
  for (const address of ['169.254.0.0', '169.254.169.254', 'fe80::', 'febf:ffff::1', '::ffff:169.254.1.1']) {
    for (const allowed of [false, true]) assert.notEqual(addressRules(allowed, nowhere).refuse(address, 80), undefined, address);
  }
});

test('other addresses are not, however near they are', () => {
  const rules = addressRules(false, nowhere);
  for (const address of [
    '126.255.255.255',
    '128.0.0.0',
    '1.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '10.0.0.1',
    '192.168.0.1',
    '::2',
    'fec0::1',
    'fe7f::1',
    '2001:db8::1',
    '::ffff:8.8.8.8',
  ]) {
    assert.equal(rules.refuse(address, 80), undefined, address);
  }
});

for (const [listening, refused, free] of [
  ['127.0.0.1', ['127.0.0.1', '0.0.0.0', '::ffff:127.0.0.1'], ['127.0.0.2', '::1']],
  ['::1', ['::1', '::'], ['127.0.0.1']],
  ['192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.2', '127.0.0.1']],
  ['0.0.0.0', ['127.0.0.1', '127.1.2.3', '0.0.0.0'], ['192.0.2.1']],
  ['::', ['127.0.0.1', '127.1.2.3', '0.0.0.0', '::1', '::'], ['192.0.2.1', '2001:db8::1']],
] as const) {
  test(`listening on ${listening}, the proxy does not connect to itself, but to its neighbours`, () => {
    const rules = addressRules(true, () => [own(listening)]);
    for (const address of refused) {
      assert.notEqual(rules.refuse(address, 8000), undefined, address);
      assert.equal(rules.refuse(address, 8001), undefined, address);
    }
    for (const address of free) assert.equal(rules.refuse(address, 8000), undefined, address);
  });
}

test('a proxy that listens everywhere knows the addresses of all interfaces', () => {
  const rules = addressRules(true, () => [own('0.0.0.0')]);
  for (const { address } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    assert.notEqual(rules.refuse(address, 8000), undefined, address);
  }
});

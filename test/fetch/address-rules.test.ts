/** Addresses that may not be connected to. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { addressRules, type AddressRuleOptions } from '../../src/fetch/address-rules.ts';

const LOCALHOST = 'request rejected by warcprox: localhost access is not permitted (--allow-localhost of the proxy permits it)';
const SPECIAL =
  'request rejected by warcprox: access to link-local and metadata addresses is not permitted (--allow of the proxy permits single ones)';
const ITSELF = 'request rejected by warcprox: localhost access is not permitted (this is where the proxy itself listens)';
const DENIED = 'request rejected by warcprox: access to this address is not permitted (--deny of the proxy forbids it)';
const NO_ADDRESS = 'request rejected by warcprox: access to this address is not permitted (it is none)';

const rulesOf = (options: Partial<AddressRuleOptions> = {}) => addressRules({ allowLocalhost: false, listening: () => [], ...options });
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
    assert.equal(rulesOf().refuse(address, 80), LOCALHOST, address);
    assert.equal(rulesOf({ allowLocalhost: true }).refuse(address, 80), undefined, address);
  }
});

test('link-local and metadata addresses are always refused', () => {
  for (const address of [
    '169.254.0.0',
    '169.254.169.254',
    'fe80::',
    'fe80::1%eth0',
    'febf:ffff::1',
    '::ffff:169.254.1.1',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:c1::a9fe:a9fe',
    'fd00:42::42',
    'fd00:ec2::254',
    'fd20:ce::254',
  ]) {
    for (const allowLocalhost of [false, true]) assert.equal(rulesOf({ allowLocalhost }).refuse(address, 80), SPECIAL, address);
  }
});

test('other addresses are not, however near they are', () => {
  const rules = rulesOf();
  for (const address of [
    '126.255.255.255',
    '128.0.0.0',
    '1.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '10.0.0.1',
    '192.168.0.1',
    'fec0::1',
    'fe7f::1',
    '2001:db8::1',
    '::ffff:8.8.8.8',
    '::8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9a::127.0.0.1',
    '2002:808:808::1',
    '2003:7f00:1::1',
    'fd00:ec2::255',
    '100.100.100.201',
  ]) {
    assert.equal(rules.refuse(address, 80), undefined, address);
  }
});

for (const [listening, refused, free] of [
  ['127.0.0.1', ['127.0.0.1', '0.0.0.0', '::ffff:127.0.0.1'], ['127.0.0.2', '::1']],
  ['::1', ['::1', '::'], ['127.0.0.1']],
  ['192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1', '::192.0.2.1', '64:ff9b::192.0.2.1', '2002:c000:201::'], ['192.0.2.2', '127.0.0.1']],
  ['0.0.0.0', ['127.0.0.1', '127.1.2.3', '0.0.0.0'], ['192.0.2.1']],
  ['::', ['127.0.0.1', '127.1.2.3', '0.0.0.0', '::1', '::'], ['192.0.2.1', '2001:db8::1']],
] as const) {
  test(`listening on ${listening}, the proxy does not connect to itself, but to its neighbours`, () => {
    const rules = rulesOf({ allowLocalhost: true, listening: () => [own(listening)] });
    for (const address of refused) {
      assert.notEqual(rules.refuse(address, 8000), undefined, address);
      assert.equal(rules.refuse(address, 8001), undefined, address);
    }
    for (const address of free) assert.equal(rules.refuse(address, 8000), undefined, address);
  });
}

test('a proxy that listens everywhere knows the addresses of all interfaces', () => {
  const rules = rulesOf({ allowLocalhost: true, listening: () => [own('0.0.0.0')] });
  for (const { address } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    assert.notEqual(rules.refuse(address, 8000), undefined, address);
  }
});

for (const [form, of] of [
  ['mapped', (ipv4: string) => `::ffff:${ipv4}`],
  ['mapped, in hex', (ipv4: string) => `::ffff:${hex(ipv4)}`],
  ['compatible', (ipv4: string) => `::${ipv4}`],
  ['translated', (ipv4: string) => `::ffff:0:${ipv4}`],
  ['NAT64', (ipv4: string) => `64:ff9b::${ipv4}`],
  ['NAT64 of a site', (ipv4: string) => `64:ff9b:1:2:3:4:${ipv4}`],
  ['6to4', (ipv4: string) => `2002:${hex(ipv4)}::1`],
  ['Teredo', (ipv4: string) => `2001:0:4136:e378:8000:63bf:${hex(inverted(ipv4))}`],
] as const) {
  test(`an IPv4 address within an IPv6 one (${form}) is judged as well`, () => {
    const rules = rulesOf({ deny: ['198.51.100.0/24'] });
    for (const banned of ['127.0.0.1', '127.8.9.10', '0.0.0.0', '169.254.169.254']) {
      if (form === 'compatible' && banned === '0.0.0.0') continue;
      assert.equal(rules.refuse(of(banned), 80), banned.startsWith('169') ? SPECIAL : LOCALHOST, of(banned));
    }
    assert.equal(rules.refuse(of('198.51.100.7'), 80), DENIED);
    assert.equal(rules.refuse(of('198.51.101.7'), 80), undefined);
  });
}

function hex(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function inverted(ipv4: string): string {
  return ipv4
    .split('.')
    .map((octet) => 255 - Number(octet))
    .join('.');
}

interface Case {
  readonly what: string;
  readonly options: Partial<AddressRuleOptions>;
  readonly refused?: readonly string[];
  readonly free?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: 'a denied network',
    options: { deny: ['10.0.0.0/8'] },
    refused: ['10.0.0.0', '10.255.255.255'],
    free: ['9.255.255.255', '11.0.0.0'],
  },
  { what: 'a denied address', options: { deny: ['10.0.0.7'] }, refused: ['10.0.0.7'], free: ['10.0.0.6', '10.0.0.8'] },
  {
    what: 'a prefix within an octet',
    options: { deny: ['172.16.0.0/12'] },
    refused: ['172.16.0.0', '172.31.255.255'],
    free: ['172.15.0.0', '172.32.0.0'],
  },
  { what: 'everything denied', options: { deny: ['0.0.0.0/0', '::/0'] }, refused: ['8.8.8.8', '2001:db8::1', '::ffff:8.8.8.8'] },
  {
    what: 'one family denied',
    options: { deny: ['::/0'] },
    refused: ['2001:db8::1', '64:ff9b::8.8.8.8'],
    free: ['8.8.8.8', '::ffff:8.8.8.8'],
  },
  { what: 'IPv6', options: { deny: ['2001:db8::/33'] }, refused: ['2001:db8:7fff::1'], free: ['2001:db8:8000::1'] },
  {
    what: 'a network in mapped form',
    options: { deny: ['::ffff:10.0.0.0/104'] },
    refused: ['10.1.2.3', '::ffff:10.1.2.3'],
    free: ['11.0.0.1'],
  },
  {
    what: 'the most specific of several, in whatever order',
    options: { deny: ['10.1.2.0/24', '10.0.0.0/8'], allow: ['10.1.2.3', '10.1.0.0/16'] },
    refused: ['10.2.0.1', '10.1.2.4'],
    free: ['10.1.3.1', '10.1.2.3'],
  },
  { what: 'a tie', options: { allow: ['10.0.0.0/8'], deny: ['10.0.0.0/8'] }, refused: ['10.0.0.1'] },
  { what: 'allow alone', options: { allow: ['10.0.0.0/8'] }, free: ['10.0.0.1', '8.8.8.8'] },
  {
    what: 'loopback allowed in part',
    options: { allow: ['127.0.0.2'] },
    refused: ['127.0.0.1', '0.0.0.0'],
    free: ['127.0.0.2', '::ffff:127.0.0.2'],
  },
  { what: 'loopback allowed as it is banned', options: { allow: ['127.0.0.0/8'] }, refused: ['::1'], free: ['127.0.0.1'] },
  { what: 'IPv6 loopback allowed', options: { allow: ['::1'] }, refused: ['::', '127.0.0.1'], free: ['::1'] },
  {
    what: 'what is wider than a ban',
    options: { allow: ['0.0.0.0/0', '::/0'] },
    refused: ['127.0.0.1', '::1', '169.254.1.1', 'fe80::1', 'fd00:ec2::254'],
  },
  {
    what: 'link-local allowed',
    options: { allow: ['169.254.0.0/16'] },
    refused: ['169.254.169.254', '169.254.170.2'],
    free: ['169.254.1.1'],
  },
  { what: 'metadata allowed by name', options: { allow: ['169.254.169.254'] }, refused: ['169.254.169.253'], free: ['169.254.169.254'] },
  {
    what: 'loopback allowed and denied',
    options: { allowLocalhost: true, deny: ['127.0.0.1'] },
    refused: ['127.0.0.1', '0.0.0.0'],
    free: ['127.0.0.2', '::1'],
  },
  {
    what: 'the IPv6 form allowed, but not the address within',
    options: { allow: ['64:ff9b::/96', '2002::/16'] },
    refused: ['64:ff9b::127.0.0.1', '2002:7f00:1::'],
  },
];

for (const { what, options, refused = [], free = [] } of CASES) {
  test(`--allow and --deny: ${what}`, () => {
    const rules = rulesOf(options);
    for (const address of refused) assert.notEqual(rules.refuse(address, 80), undefined, address);
    for (const address of free) assert.equal(rules.refuse(address, 80), undefined, address);
  });
}

test('what --deny refuses is told otherwise than what is banned by itself', () => {
  const rules = rulesOf({ deny: ['10.0.0.0/8'] });
  assert.deepEqual([rules.refuse('10.0.0.1', 80), rules.refuse('127.0.0.1', 80)], [DENIED, LOCALHOST]);
});

test('nothing lets the proxy connect to itself', () => {
  for (const allow of [['127.0.0.1'], ['127.0.0.0/8'], ['0.0.0.0/0']]) {
    const rules = rulesOf({ allowLocalhost: true, allow, listening: () => [own('127.0.0.1')] });
    assert.equal(rules.refuse('127.0.0.1', 8000), ITSELF);
    assert.equal(rules.refuse('127.0.0.1', 8001), undefined);
  }
});

test('what is no address is refused', () => {
  for (const text of ['', 'localhost', '127.1', '1.2.3.4.5', ':::']) assert.equal(rulesOf().refuse(text, 80), NO_ADDRESS, text);
});

test('of ten thousand networks the one that fits is found', () => {
  const deny = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  const rules = rulesOf({ deny });
  assert.equal(rules.refuse('10.39.15.200', 80), DENIED);
  assert.equal(rules.refuse('10.39.16.200', 80), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CertificateNameError } from '../../src/ca/errors.ts';
import { ipOctets, leafNames } from '../../src/ca/names.ts';

const namesOf = (host: string): string => leafNames(host).names.join(' ');

test('a host is covered by the wildcard of its parent domain', () => {
  assert.equal(namesOf('a.b.example.com'), 'b.example.com *.b.example.com');
  assert.equal(namesOf('www.example.com'), 'example.com *.example.com');
  assert.equal(namesOf('xn--bcher-kva.example.org'), 'example.org *.example.org');
  assert.equal(leafNames('www.example.com').key, leafNames('img.example.com').key);
  assert.equal(leafNames('example.com').key, leafNames('img.example.com').key);
});

test('a name of two labels is not left to the wildcard of a top-level domain', () => {
  assert.equal(namesOf('example.com'), 'example.com *.example.com');
  assert.equal(namesOf('app.localhost'), 'app.localhost *.app.localhost');
});

test('a name of one label is listed alone', () => {
  assert.equal(namesOf('localhost'), 'localhost');
  assert.equal(namesOf('intranet'), 'intranet');
});

test('a name whose parent may be a public suffix is listed by itself and shares its certificate with no one', () => {
  for (const host of [
    'example.co.uk',
    'www.example.de',
    'a.b.kawasaki.jp',
    'x.pvt.k12.ma.us',
    'example.airport.aero',
    'a.example.xn--p1ai',
    '4.3.in-addr.arpa',
  ]) {
    assert.equal(leafNames(host).names[0], host);
    assert.equal(leafNames(host).key, host);
  }
  assert.equal(namesOf('example.co.uk'), 'example.co.uk co.uk *.co.uk');
});

test('a name with an underscore, or that begins or ends with a hyphen anywhere, is listed by itself: clients differ about those behind wildcards', () => {
  for (const host of ['a_b.example.com', 'www.a_b.com', '_dmarc.www.example.com', '-x.example.com', 'x-.example.com']) {
    assert.equal(leafNames(host).names[0], host);
    assert.equal(leafNames(host).key, host);
  }
});

test('case, the final dot and brackets make no difference', () => {
  assert.deepEqual(leafNames('WWW.Example.COM.'), leafNames('www.example.com'));
  assert.deepEqual(leafNames('[::1]'), leafNames('::1'));
});

test('an IP address is listed as one, however it is written', () => {
  assert.deepEqual(leafNames('192.0.2.1'), { key: '192.0.2.1', names: ['192.0.2.1'], kind: 'ip' });
  assert.deepEqual(leafNames('2001:DB8:0:0:0:0:0:1'), { key: '2001:db8::1', names: ['2001:db8::1'], kind: 'ip' });
  assert.equal(leafNames('fe80::1%eth0').key, 'fe80::1');
  assert.equal(leafNames('::ffff:192.0.2.1').key, '::ffff:c000:201');
});

test('the octets of an address are those of the standards', () => {
  const hex = (host: string): string => ipOctets(leafNames(host).key).toString('hex');
  assert.equal(hex('192.0.2.1'), 'c0000201');
  assert.equal(hex('2001:db8::1'), '20010db8000000000000000000000001');
  assert.equal(hex('::'), '0'.repeat(32));
  assert.equal(hex('::1'), `${'0'.repeat(31)}1`);
  assert.equal(hex('fe80::'), `fe80${'0'.repeat(28)}`);
  assert.equal(hex('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
  assert.equal(hex('::ffff:192.0.2.1'), '00000000000000000000ffffc0000201');
});

test('what is no host name is refused', () => {
  const bad = [
    '',
    '.',
    '..',
    'a..b',
    '.example.com',
    '../../etc/passwd',
    'a/b.com',
    'a\\b.com',
    'a b.com',
    '*.example.com',
    'a\0.com',
    'bücher.de',
    'a.com\n',
    '[::1',
    'a'.repeat(254),
  ];
  for (const host of bad) assert.throws(() => leafNames(host), CertificateNameError, JSON.stringify(host));
});

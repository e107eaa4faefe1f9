import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  digestAlgorithm,
  host,
  hostPort,
  listOf,
  method,
  onOff,
  orNone,
  REFUSED,
  seconds,
  wholeNumber,
  type Kind,
} from '../../src/options/kinds.ts';
import { nearest } from '../../src/options/nearest.ts';

function reads(name: string, kind: Kind<unknown>, accepted: readonly (readonly [unknown, unknown])[], refused: readonly unknown[]): void {
  describe(name, () => {
    for (const [input, value] of accepted) test(`takes ${JSON.stringify(input)}`, () => assert.deepEqual(kind.read(input), value));
    for (const input of refused) test(`refuses ${JSON.stringify(input)}`, () => assert.equal(kind.read(input), REFUSED));
  });
}

reads(
  'whole numbers',
  wholeNumber(1, 65535),
  [
    ['1', 1],
    ['065535', 65535],
    [80, 80],
  ],
  ['0', '65536', '-1', '+1', '1.0', '1e3', ' 1', '', '0x10', 1.5, NaN, true, null, ['1'], '9'.repeat(400)],
);

reads(
  'seconds',
  seconds('above zero'),
  [
    ['0.5', 0.5],
    ['60', 60],
    [2_147_483, 2_147_483],
  ],
  // Node's timers would fire at once beyond that.
  ['0', '0.0', 0, -1, '2147484', Infinity, NaN, '.5', '1m'],
);

reads(
  'numbers of which 0 means none',
  orNone(wholeNumber(5)),
  [
    ['0', undefined],
    [0, undefined],
    ['5', 5],
  ],
  ['4', ''],
);

reads(
  'switches',
  onOff,
  [
    ['yes', true],
    ['ON', true],
    ['1', true],
    ['False', false],
    ['no', false],
    [true, true],
  ],
  ['', 'maybe', '2', 1, null],
);

reads(
  'hosts',
  host,
  [
    ['localhost', 'localhost'],
    ['a-b.example.com.', 'a-b.example.com.'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['[::1]', '::1'],
  ],
  ['', '*', '127.1', '256.0.0.1', 'a b', 'a..b', '-a', 'http://a', '[127.0.0.1]', '[::1', 'a:80', 5],
);

reads(
  'host and port',
  hostPort,
  [
    ['tor:9050', { host: 'tor', port: 9050 }],
    ['[2001:db8::1]:1', { host: '2001:db8::1', port: 1 }],
    [
      { host: 'h', port: 1 },
      { host: 'h', port: 1 },
    ],
  ],
  ['tor', 'tor:', ':9050', 'tor:0', 'tor:65536', '::1:9050', '[::1]', 'socks5://tor:1', 'bob@tor:1', { host: 'h' }, null, 5],
);

reads(
  'lists',
  listOf(method),
  [
    ['get', ['GET']],
    [
      ['GET', 'm-search'],
      ['GET', 'M-SEARCH'],
    ],
    [[], []],
  ],
  ['', 'GET POST', ['GET', ''], [['GET']], { 0: 'GET' }],
);

reads('digest algorithms', digestAlgorithm, [['SHA256', 'sha256']], ['sha-256', 'sha0', '', 'RSA-SHA256 ', 1]);

test('the nearest name is the one with the fewest letters changed', () => {
  assert.equal(nearest('prot', ['via', 'port', 'prefix']), 'port');
  assert.equal(nearest('MaxThread', ['maxThreads', 'maxConnections']), 'maxThreads');
  assert.equal(nearest('', ['via', 'port']), 'via');
});

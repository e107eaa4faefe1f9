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
  size,
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
    ['500ms', 0.5],
    ['1ms', 0.001],
    ['2147483000ms', 2_147_483],
    ['90s', 90],
    ['5m', 300],
    ['1.5h', 5400],
    ['2 H', 7200],
    ['1d', 86_400],
  ],
  // Node's timers would fire at once beyond that.
  ['0', '0.0', 0, -1, '0ms', '2147484', '2147483001ms', '25d', Infinity, NaN, '.5', '1x', '1M B', '1m30s', 'm', ' 1m', '1m ', '-1m', '1e3'],
);

reads(
  'sizes',
  size(1000),
  [
    ['1048576', 1_048_576],
    [1000, 1000],
    ['512k', 524_288],
    ['512K', 524_288],
    ['1KB', 1000],
    ['2000B', 2000],
    ['10M', 10_485_760],
    ['10MiB', 10_485_760],
    ['10 MB', 10_000_000],
    ['1.5g', 1_610_612_736],
    ['1GB', 1_000_000_000],
    ['0.1G', 107_374_182],
    ['2TiB', 2_199_023_255_552],
    ['1t', 1_099_511_627_776],
    ['1TB', 1_000_000_000_000],
  ],
  [
    '999',
    '0',
    '0.9KB',
    '1000.5',
    1000.5,
    '1e6',
    '-1k',
    '+1k',
    '1 k b',
    '1kk',
    'k',
    '5%',
    '5m5',
    '9000T0',
    '9000T',
    '1P',
    '',
    NaN,
    true,
    null,
  ],
);

test('a size or time is told by a short text that reads as the same', () => {
  const sizes = ['0', '1', '999', '1KB', '1k', '512k', '1025', '1GB', '1G', '256M', '1536', '1T', '20MB'];
  for (const text of sizes) assert.equal(size().tell(Number(size().read(text))), text);
  const times = ['0', '0.5', '10', '1m', '90', '100', '30m', '1h', '1d', '36h'];
  for (const text of times) assert.equal(seconds('zero allowed').tell(Number(seconds('zero allowed').read(text))), text);
});

reads(
  'sizes of which 0 means none',
  orNone(size()),
  [
    ['0', undefined],
    ['0k', undefined],
    [0, undefined],
    ['1k', 1024],
  ],
  ['-1', '1x'],
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

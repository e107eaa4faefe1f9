import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { NO_FIGURES } from '../figures.ts';
import { startBlock, type RunningProxy } from '../../../src/cli/commands/proxy.ts';

const PROXY: RunningProxy = {
  url: 'http://127.0.0.1:8000',
  caFile: "/the ca's/ca.pem",
  warcDir: '/warcs',
  close: () => Promise.resolve(),
  on: () => undefined,
  figures: () => NO_FIGURES,
};

test('the block at start quotes for the shell', () => {
  assert.equal(
    startBlock(PROXY),
    `warctap listens on http://127.0.0.1:8000
  CA certificate  /the ca's/ca.pem
  WARC files      /warcs
  try             curl --proxy http://127.0.0.1:8000 --cacert '/the ca'\\''s/ca.pem' https://example.com/
`,
  );
});

test('the block at start tells of the playback proxy, if there is one', () => {
  assert.match(startBlock({ ...PROXY, playbackUrl: 'http://127.0.0.1:8001' }), /^ {2}playback {8}http:\/\/127\.0\.0\.1:8001$/m);
});

const card = (address: string, internal = false): NetworkInterfaceInfo => ({
  ...{ address, internal, netmask: '', mac: '', cidr: null },
  ...(address.includes(':') ? { family: 'IPv6', scopeid: 0 } : { family: 'IPv4' }),
});

test('a proxy that listens everywhere tells an address that can be reached, beside that', () => {
  const interfaces = { lo: [card('127.0.0.1', true)], eth0: [card('fe80::1'), card('2001:db8::5'), card('192.0.2.7')] };
  for (const [url, reached, found] of [
    ['http://0.0.0.0:8000', 'http://192.0.2.7:8000', interfaces],
    ['http://[::]:8000', 'http://192.0.2.7:8000', interfaces],
    ['http://[::]:8000', 'http://[2001:db8::5]:8000', { eth0: interfaces.eth0.slice(0, 2) }],
    ['http://0.0.0.0:8000', 'http://127.0.0.1:8000', { lo: interfaces.lo }],
    ['http://[::]:8000', 'http://[::1]:8000', {}],
  ] as const) {
    assert.equal(
      startBlock({ ...PROXY, url, caFile: '/ca.pem', playbackUrl: url }, found as NodeJS.Dict<NetworkInterfaceInfo[]>),
      `warctap listens on ${url}
  reach it at     ${reached}
  CA certificate  /ca.pem
  WARC files      /warcs
  playback        ${reached}
  try             curl --proxy ${reached} --cacert /ca.pem https://example.com/
`,
    );
  }
});

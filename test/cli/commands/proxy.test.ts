import assert from 'node:assert/strict';
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

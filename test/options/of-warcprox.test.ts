import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfigFile } from '../../src/cli/config-file.ts';
import { insteadOf, OPTIONS_OF_WARCPROX } from '../../src/options/of-warcprox.ts';
import { flagOf, namesIn } from '../../src/options/row.ts';
import { COMMAND_LINE_ROWS } from '../../src/options/rows/logs-and-settings.ts';
import { PROXY_OPTIONS } from '../../src/options/table.ts';

const OURS = namesIn({ ...PROXY_OPTIONS, ...COMMAND_LINE_ROWS }).map(flagOf);

/** `warcprox --help-hidden`, version 2.13.1. */
const THEIRS = `port address cacert certs-dir dir subdir-prefix warc-filename gzip no-warc-open-suffix prefix size rollover-idle-time
  digest-algorithm base32 method-filter stats-db-file rethinkdb-stats-url playback-port dedup-db-file rethinkdb-dedup-url
  rethinkdb-big-table-url rethinkdb-trough-db-url cdxserver-dedup rethinkdb-services-url cdxserver-dedup-cookies
  cdxserver-dedup-max-threads dedup-min-text-size dedup-min-binary-size dedup-only-with-bucket blackout-period queue-size max-threads profile
  ssl-context unsafe-legacy-renegotiation onion-tor-socks-proxy socks-proxy socks-proxy-username socks-proxy-password socket-timeout
  fetch-timeout tmp-file-max-memory-size max-resource-size crawl-log-dir plugin quiet verbose trace logging-conf-file sentry-dsn
  sentry-traces-sample-rate sentry-profiles-sample-rate sentry-send-default-pii deploy-environment`;

test('every option of warcprox works, or is told what there is instead', () => {
  for (const flag of THEIRS.split(/\s+/)) assert.notEqual(OURS.includes(flag), insteadOf(flag) !== undefined, flag);
  assert.equal(insteadOf('constructor'), undefined);
});

test('what is named instead is an option', () => {
  for (const flag of OPTIONS_OF_WARCPROX) {
    const line = insteadOf(flag) ?? '';
    assert.match(line, /^[ -~]+$/);
    for (const [, named = ''] of line.replace('node --cpu-prof', '').matchAll(/--([a-z-]+)/g)) assert.ok(OURS.includes(named), named);
  }
});

test('in a config file, too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-of-warcprox-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'a.yaml');
  await writeFile(file, 'playback-index-db-file: /x\n');
  await assert.rejects(readConfigFile(file, PROXY_OPTIONS), {
    message: `${file}: playback-index-db-file is an option of warcprox that does not exist here: use --dedup-db-file, in whose folder the index of --playback-port stands, too`,
  });
});

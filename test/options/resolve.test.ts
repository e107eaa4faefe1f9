/** Compositions: each program knows its own options and no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OptionError } from '../../src/options/error.ts';
import { resolve } from '../../src/options/resolve.ts';
import { group, namesIn, without, type Resolved } from '../../src/options/row.ts';
import { text } from '../../src/options/kinds.ts';
import { LIMIT_ROWS } from '../../src/options/rows/limits.ts';
import { LISTENING_ROWS } from '../../src/options/rows/listening.ts';
import { WARC_ROWS, type WarcSlice } from '../../src/options/rows/warc-files.ts';
import { CORE_OPTIONS, PROXY_OPTIONS, type ResolvedCoreOptions, type ResolvedOptions } from '../../src/options/table.ts';

test('a composition takes its own options and fills in their defaults alone', () => {
  const slice = resolve(LISTENING_ROWS, { port: 1 });
  assert.deepEqual(slice, {
    port: 1,
    address: 'localhost',
    proxyAuthFile: undefined,
    metaSecret: undefined,
    metaSecretFile: undefined,
    http2: 'auto',
    http2Streams: 100,
    pageHost: [],
  });
});

test('a composition refuses options outside of it, with the nearest of its own', () => {
  const rows = { ...WARC_ROWS, ...LIMIT_ROWS };
  const refused = (given: object) => () => resolve(rows, given);
  assert.throws(
    refused({ port: 8000 }),
    (error) => error instanceof TypeError && /^there is no option port, the nearest is \w+$/.test(error.message),
  );
  assert.throws(refused({ maxThread: 1 }), /^TypeError: there is no option maxThread, the nearest is maxThreads$/);
  assert.throws(
    () => resolve(WARC_ROWS, { maxThreads: 1 } as object),
    /^TypeError: there is no option maxThreads, the nearest is (?!maxThreads)\w+$/,
  );
  assert.throws(refused({ constructor: 1 }), /^TypeError: there is no option constructor/);
});

test('the options of a core are the very rows of the proxy, and fewer', () => {
  const own = namesIn(PROXY_OPTIONS).filter((name) => !Object.hasOwn(CORE_OPTIONS, name));
  for (const name of namesIn(CORE_OPTIONS)) assert.equal(CORE_OPTIONS[name], PROXY_OPTIONS[name], name);
  assert.deepEqual(own, [
    'port',
    'address',
    'proxyAuthFile',
    'metaSecret',
    'metaSecretFile',
    'http2',
    'http2Streams',
    'pageHost',
    'cacert',
    'certsDir',
    'playbackPort',
    'replaywebpage',
    'playbackWebsocket',
    'maxConnections',
    'headTimeout',
    'via',
    'websocket',
  ]);
});

test('what is resolved for a proxy can be given to whoever needs a core, or one table', () => {
  const proxy: ResolvedOptions = resolve(PROXY_OPTIONS, { gzip: true });
  const core: ResolvedCoreOptions = proxy;
  const slice: WarcSlice = core;
  // @ts-expect-error a core knows no port
  const missing: ResolvedOptions = core;
  assert.deepEqual([slice.gzip, missing.port], [true, 8000]);
  const resolved = resolve(CORE_OPTIONS, { gzip: true });
  for (const name of namesIn(CORE_OPTIONS)) assert.deepEqual(resolved[name], proxy[name], name);
});

test('a table can be had without some of its rows', () => {
  const fewer = without(LISTENING_ROWS, 'port', 'address');
  const resolved: Resolved<typeof fewer> = resolve(fewer);
  assert.deepEqual(resolved, {
    proxyAuthFile: undefined,
    metaSecret: undefined,
    metaSecretFile: undefined,
    http2: 'auto',
    http2Streams: 100,
    pageHost: [],
  });
});

test('a secret of any composition is not shown when it is refused', () => {
  const rows = group('Keys', { key: { kind: text('letters', (value) => /^[a-z]+$/.test(value)), secret: true, summary: 'a key' } });
  assert.throws(
    () => resolve(rows, { key: 'hunter2' }),
    (error) => {
      assert.ok(error instanceof OptionError);
      for (const told of [error, error.at('KEY')]) assert.doesNotMatch(`${told.message} ${String(told.value)}`, /hunter2/);
      return true;
    },
  );
});

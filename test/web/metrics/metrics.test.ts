/** `/metrics`, read by Prometheus's own libraries, and `/events` of a proxy that runs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CaptureCounts, SLOT_MS } from '../../../src/web/metrics/capture-counts.ts';
import { exposition } from '../../../src/web/metrics/exposition.ts';
import { Histogram } from '../../../src/web/metrics/histogram.ts';
import type { CaptureEvent } from '../../../src/web/captures/event.ts';
import { startOrigin } from '../../support/origin.ts';
import { RawClient } from '../../support/client.ts';
import { get, ok } from '../../support/messages.ts';
import { startProxy, type TestProxy } from '../../support/proxy.ts';
import { findTool } from '../../support/tools.ts';
import { take, told, urlOf } from '../captures/support.ts';

const parser = findTool({
  commands: [join(process.env.WARCTAP_INTEROP ?? 'tmp/interop', 'venv/bin/python'), 'python3'],
  ask: ['-c', 'import prometheus_client; print("there")'],
  says: /^there$/m,
  needs: 'prometheus_client of Python (test/interop/install.sh)',
});
const promtool = findTool({ commands: ['promtool'], ask: ['--version'], says: /^promtool, version/m });

const FAMILIES = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families as parse
print(json.dumps({f.name: [f.type, [[s.name, s.labels, s.value] for s in f.samples]] for f in parse(sys.stdin.read())}))
`;

async function page({ port }: TestProxy, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  assert.equal(response.status, 200, path);
  return response.text();
}

async function busyProxy(proxy: TestProxy, origin: string): Promise<void> {
  using client = await RawClient.connect(proxy.port);
  for (const path of ['/a', '/a', '/b', '/drop']) {
    client.send(get(origin + path));
    await client.response();
  }
  await proxy.captured(4);
}

test('every name of /metrics stands in docs/metrics.md, and the other way round', async () => {
  await using origin = await startOrigin(({ path, socket }) => (path === '/drop' ? socket.destroy() : socket.write(ok(path))));
  await using proxy = await startProxy();
  await busyProxy(proxy, origin.url);
  const text = await page(proxy, '/metrics');
  const shown = new Set(Array.from(text.matchAll(/^# TYPE (\S+) /gm), ([, name]) => name));
  const rows = Array.from(readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `((?:warctap|process|nodejs)_\w+)`(.*)/gm));
  // Those of many processes: test/e2e/workers-pages.test.ts.
  const listed = new Set(rows.filter(([, , row = '']) => !row.includes('with `--workers`')).map(([, name]) => name));
  assert.deepEqual([...shown].sort(), [...listed].sort());
  const bounds = new Set(Array.from(text.matchAll(/^warctap_bound_used\{bound="([^"]*)"/gm), ([, name]) => name));
  const told = new Set(
    Array.from(readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `([a-z -]+)` +\| (?:number|bytes) /gm), ([, name]) => name),
  );
  assert.deepEqual([...bounds].sort(), [...told].filter((name) => name !== 'max-connections of playback').sort());
});

test('promtool takes the rules of the example', { skip: promtool.skip }, () => {
  execFileSync(promtool.command, ['check', 'rules', 'examples/monitoring/alerts.yml']);
});

test('the examples ask for names that there are', () => {
  const listed = readFileSync('docs/metrics.md', 'utf8');
  for (const file of ['alerts.yml', 'dashboard.json']) {
    const names = readFileSync(`examples/monitoring/${file}`, 'utf8').matchAll(
      /\b((?:warctap|process|nodejs)_[a-z_]+?)(?:_bucket|_sum|_count)?\b(?=[{[ <,)"=])/g,
    );
    for (const [, name] of names) assert.ok(listed.includes(`| \`${name}\``), `${file}: ${name}`);
  }
});

test('Prometheus’s library reads it, and it counts what has happened', { skip: parser.skip }, async () => {
  await using origin = await startOrigin(({ path, socket }) => (path === '/drop' ? socket.destroy() : socket.write(ok(path.slice(0, 2)))));
  await using proxy = await startProxy({ maxThreads: 7 });
  await busyProxy(proxy, origin.url);
  const text = await page(proxy, '/metrics');
  type Families = Record<string, [type: string, samples: [name: string, labels: Record<string, string>, value: number][]]>;
  const families = JSON.parse(execFileSync(parser.command, ['-c', FAMILIES], { input: text, encoding: 'utf8' })) as Families;
  const value = (name: string, labels: Record<string, string> = {}) =>
    Object.values(families)
      .flatMap(([, samples]) => samples)
      .find(([of, has]) => of === name && Object.entries(labels).every(([label, wanted]) => has[label] === wanted))?.[2];
  assert.deepEqual(
    ['new', 'dup', 'skipped', 'failed'].map((archived) => value('warctap_captures_total', { archived })),
    [2, 1, 0, 1],
  );
  assert.equal(value('warctap_answers_total', { status: '2xx' }), 3);
  assert.equal(value('warctap_failures_total', { code: 'empty-response' }), 1);
  assert.equal(families.warctap_capture_duration_seconds?.[0], 'histogram');
  assert.deepEqual([value('warctap_capture_duration_seconds_count'), value('warctap_capture_size_bytes_bucket', { le: '+Inf' })], [4, 4]);
  assert.deepEqual([value('warctap_bound_limit', { bound: 'max-threads' }), value('warctap_bound_used', { bound: 'max-threads' })], [7, 0]);
  assert.ok(value('warctap_bound_used', { bound: 'max-connections' })! >= 1);
  assert.ok(value('warctap_free_bytes', { disk: 'the WARC files' })! > 0);
  assert.ok(value('warctap_warc_bytes_total')! > 1000);
  assert.ok(value('process_resident_memory_bytes')! > 10_000_000);
});

test('promtool finds nothing to complain of in it', { skip: promtool.skip }, async () => {
  await using proxy = await startProxy();
  const text = await page(proxy, '/metrics');
  assert.equal(execFileSync(promtool.command, ['check', 'metrics'], { input: text, encoding: 'utf8' }), '');
});

test('/events of a proxy tells where the records are, and ends with it', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('a body', 'Content-Type: text/HTML; charset=x\r\n')));
  await using proxy = await startProxy();
  using client = await RawClient.connect(proxy.port);
  const response = await fetch(`http://127.0.0.1:${proxy.port}/events`);
  const events = told(response.body!);
  for (const path of ['/one', '/two']) {
    client.send(get(origin.url + path));
    await client.response();
  }
  const [one, two] = (await take(events, 2)).map(({ data }) => data as CaptureEvent) as [CaptureEvent, CaptureEvent];
  assert.deepEqual([one.url, one.type, one.archived, two.archived], [`${origin.url}/one`, 'text/html', 'new', 'dup']);
  assert.deepEqual(
    one.records.map(({ type }) => type),
    ['response', 'request'],
  );
  assert.equal(two.duplicateOf?.recordId, one.recordId);
  await proxy.proxy.close();
  assert.equal((await events.next()).done, true);
  const [response1] = (await proxy.records()).filter(({ type }) => type === 'response');
  assert.equal(response1?.fields.get('warc-record-id'), one.recordId);
});

test('where everybody could look, /events is off without a log-in; and no other site may ask', async () => {
  await using proxy = await startProxy({ address: '::' });
  const refused = await fetch(`http://127.0.0.1:${proxy.port}/events`);
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /^this is off while the proxy listens on :: without a log-in: see --proxy-auth-file\n$/);
  assert.equal((await fetch(`http://127.0.0.1:${proxy.port}/metrics`)).status, 200);
  await using local = await startProxy();
  for (const site of ['cross-site', 'same-site']) {
    using client = await RawClient.connect(local.port);
    client.send(`GET /events HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: ${site}\r\nSec-Fetch-Mode: no-cors\r\n\r\n`);
    assert.equal((await client.response()).status, 403);
  }
});

test('a client that goes away does not listen any more', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy();
  const listeners = async () => /^warctap_bound_used\{bound="event-listeners".*\} (\d+)$/m.exec(await page(proxy, '/metrics'))?.[1];
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${proxy.port}/events?last=1`, { signal: leaving.signal });
  const events = told(response.body!);
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  await client.response();
  assert.equal(urlOf((await take(events, 1))[0]!), `${origin.url}/`);
  assert.equal(await listeners(), '1');
  leaving.abort();
  await assert.rejects(events.next());
  while ((await listeners()) !== '0');
});

test('texts are escaped as the format asks, and a histogram adds up', () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0.5, 1, 5, 100]) histogram.observe(value);
  const { bounds, counts, sum } = histogram;
  const text = exposition([
    { name: 'a_total', help: 'with \\ and\nline', type: 'counter', samples: [{ labels: { x: 'q"\\\n' }, value: 1 }] },
    { name: 'none', help: 'x', type: 'gauge', samples: [] },
    { name: 'h', help: 'x', type: 'histogram', bounds, counts, sum },
  ]);
  assert.equal(
    text,
    '# HELP a_total with \\\\ and\\nline\n# TYPE a_total counter\na_total{x="q\\"\\\\\\n"} 1\n' +
      '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="10"} 3\nh_bucket{le="+Inf"} 4\nh_sum 106.5\nh_count 4\n',
  );
});

test('slots of the last quarter of an hour turn with the clock, also after a long sleep', () => {
  let nowMs = 1_000_000;
  const counts = new CaptureCounts(() => nowMs);
  const event = { archived: 'new', status: 200, duration: 1, size: 10 } as CaptureEvent;
  counts.add(event);
  nowMs += 2 * SLOT_MS;
  counts.add(event);
  const slots = counts.slots();
  assert.deepEqual(
    slots.slice(-4).map((slot) => slot.new),
    [0, 1, 0, 1],
  );
  nowMs += 3_600_000;
  assert.ok(counts.slots().every((slot) => slot.new === 0 && slot.bytes === 0));
  assert.equal(counts.archived.new, 2);
});

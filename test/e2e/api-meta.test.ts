/**
 * Every field of Warcprox-Meta that lets a request pass does what it says. What refuses requests stands in `api-refusals` and
 * `api-limits`, the dedup fields stand in `api-dedup`, `metadata` in `api-crawl-log`, unknown fields in `api-plugins`.
 *
 * Source: spec/warcprox.md §4 (Writer, MIME filters), §5 (the table of fields).
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { answered, answeredMeta, isRequest, principals, startApi, WAYS, type Api, type Ask } from '../support/api.ts';
import { ok, okHead } from '../support/messages.ts';

/** Ask one after the other. @returns paths of the responses that were archived */
async function archived(api: Api, asks: Readonly<Record<string, Ask>>): Promise<string[]> {
  for (const [path, ask] of Object.entries(asks)) assert.equal((await api.ask(path, ask)).status, 200, path);
  await api.proxy.captured(Object.keys(asks).length);
  const urls = (await api.proxy.records()).filter((record) => !isRequest(record)).map(({ url }) => url);
  return Object.keys(asks).filter((path) => urls.includes(api.url(path)));
}

const warcs = (api: Api, ...folder: string[]) => readdir(join(api.proxy.dir, 'warcs', ...folder));

for (const way of WAYS) {
  test(`Warcprox-Meta is neither sent to the origin nor recorded, in whatever case it comes, ${way}`, async () => {
    await using api = await startApi(way);
    using client = await api.connect();
    for (const name of ['Warcprox-Meta', 'warcprox-meta', 'WARCPROX-META']) {
      client.send(api.request('/', { more: `${name}: {"metadata":{"secret":1}}\r\nX-Kept: yes\r\n` }));
      assert.equal((await answered(client)).text, `${okHead(1)}/`);
    }
    await api.proxy.captured(3);
    const sent = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${api.origin.port}\r\nX-Kept: yes\r\n\r\n`;
    for (const { bytes } of api.origin.requests) assert.equal(bytes.toString(), sent);
    const requests = (await api.proxy.records()).filter(isRequest);
    assert.deepEqual(
      requests.map(({ block }) => block.toString()),
      [sent, sent, sent],
    );
  });

  test(`an empty object, unknown fields and null change nothing, ${way}`, async () => {
    await using api = await startApi(way);
    const unknown = { 'unknown-field': [{ deep: { er: 1 } }], constructor: 1, ['__proto__']: 2, accept: ['something-else'] };
    for (const meta of [{}, unknown, '{"__proto__":{"warc-prefix":"-"}}', ' { } ']) {
      assert.equal((await api.ask('/', { meta })).text, `${okHead(1)}/`);
    }
    await api.proxy.captured(4);
    assert.equal((await api.proxy.records()).length, 8);
  });

  test(`warc-prefix: a file of its own for each, and both records of a capture in it, ${way}`, async () => {
    await using api = await startApi(way);
    const prefixes = [undefined, 'ONE', 'TWO', 'ONE', 'with space é', 'a.b..c', '-x'];
    for (const [nth, prefix] of prefixes.entries()) {
      assert.equal((await api.ask(`/${nth}`, { meta: prefix === undefined ? {} : { 'warc-prefix': prefix } })).status, 200);
    }
    await api.proxy.captured(prefixes.length);
    const files = api.proxy.captures.map(({ outcome }) => outcome.records?.map(({ filename }) => filename) ?? []);
    for (const [nth, prefix = 'WARCPROX'] of prefixes.entries()) {
      const [response, request] = files[nth]!;
      assert.equal(response, request);
      assert.match(response ?? '', new RegExp(`^${prefix}-\\d{17}-00000-[a-z0-9]{8}\\.warc$`));
    }
    assert.equal(files[1]?.[0], files[3]?.[0]);
    assert.equal((await api.proxy.records()).length, 2 * prefixes.length);
    assert.deepEqual((await warcs(api)).sort(), [...new Set(files.flat())].sort());
  });

  test(`warc-prefix with --subdir-prefix: a folder of its own, ${way}`, async () => {
    await using api = await startApi(way, { subdirPrefix: true });
    await archived(api, { '/a': {}, '/b': { meta: { 'warc-prefix': 'SUB' } } });
    assert.deepEqual((await warcs(api)).sort(), ['SUB', 'WARCPROX']);
    assert.match((await warcs(api, 'SUB')).join(), /^SUB-\d{17}-00000-[a-z0-9]{8}\.warc$/);
  });

  test(`what warcprox takes is taken, and the capture archived: ${way}`, async () => {
    await using api = await startApi(way);
    const taken: readonly object[] = [
      ...['warc-prefix', 'dedup-bucket', 'captures-bucket', 'dedup-buckets', 'dedup-ok', 'stats', 'limits', 'soft-limits', 'blocks'],
      ...['compressed_blocks', 'mime-type-filters', 'accept', 'metadata'],
    ].map((name) => ({ [name]: null }));
    const metas = [
      ...taken,
      { 'warc-prefix': '' },
      { 'dedup-buckets': { b: '' } },
      { limits: { '__all__/total/urls': null }, 'soft-limits': { '__all__/total/urls': '1000' } },
    ];
    for (const [nth, meta] of metas.entries()) assert.equal((await api.ask(`/${nth}`, { meta })).status, 200, JSON.stringify(meta));
    const reached = await api.ask('/x', { meta: { limits: { '__all__/total/urls': String(metas.length) } } });
    assert.equal(reached.body, `request rejected by warcprox: reached limit __all__/total/urls=${metas.length}\n`);
    const records = await api.proxy.records();
    assert.deepEqual(
      records.filter(({ type }) => type === 'response').map(({ url }) => url),
      metas.map((_, nth) => api.url(`/${nth}`)),
    );
  });

  test(`warc-prefix "-": nothing is archived, but everything is answered and counted, ${way}`, async () => {
    await using api = await startApi(way);
    assert.deepEqual(await archived(api, { '/a': { meta: { 'warc-prefix': '-' } }, '/b': {} }), ['/b']);
    assert.equal(api.proxy.captures.length, 2);
  });

  test(`--prefix -: only what has a prefix of its own is archived, ${way}`, async () => {
    await using api = await startApi(way, { prefix: '-' });
    assert.deepEqual(await archived(api, { '/a': {}, '/b': { meta: { 'warc-prefix': 'YES' } }, '/c': { meta: { stats: {} } } }), ['/b']);
    assert.deepEqual(
      (await warcs(api)).map((name) => name.slice(0, 4)),
      ['YES-'],
    );
  });

  test(`mime-type-filters: REJECT and LIMIT, at the start of the value, ${way}`, async () => {
    const types: Record<string, string | undefined> = {
      '/html': 'text/html; charset=utf-8',
      '/png': 'image/png',
      '/odd': 'x-text/html',
      '/none': undefined,
    };
    await using api = await startApi(way, {
      answer: ({ path, socket }) => {
        const type = types[`/${path.split('/')[1] ?? ''}`];
        return socket.write(ok(path, type === undefined ? '' : `Content-Type: ${type}\r\n`));
      },
    });
    const filters = {
      reject: [{ type: 'REJECT', regex: 'text/html' }],
      limit: [{ type: 'LIMIT', regex: 'text/html' }],
      both: [
        { type: 'LIMIT', regex: 'text/.*|image/.*' },
        { type: 'REJECT', regex: '.*png$' },
      ],
      anywhere: [{ type: 'REJECT', regex: '.*html' }],
      nothing: [],
    };
    const asks: Record<string, Ask> = {};
    for (const [name, filter] of Object.entries(filters)) {
      for (const path of Object.keys(types)) asks[`${path}/${name}`] = { meta: { 'mime-type-filters': filter } };
    }
    const kept = await archived(api, asks);
    const of = (name: string) => kept.filter((path) => path.endsWith(`/${name}`)).map((path) => path.split('/')[1]);
    assert.deepEqual(of('reject'), ['png', 'odd', 'none']);
    assert.deepEqual(of('limit'), ['html']);
    assert.deepEqual(of('both'), ['html']);
    assert.deepEqual(of('anywhere'), ['png', 'none']);
    assert.deepEqual(of('nothing'), ['html', 'png', 'odd', 'none']);
    assert.equal(api.proxy.captures.length, Object.keys(asks).length);
  });

  for (const warcVersion of ['1.1', '1.0'] as const) {
    test(`capture-metadata: the client is told the WARC-Date of all its records, WARC ${warcVersion}, ${way}`, async () => {
      await using api = await startApi(way, { warcVersion, answer: ({ socket }) => socket.write(ok()) });
      const date = warcVersion === '1.1' ? /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
      const told: Record<string, string> = {};
      for (const path of ['/response', '/revisit', '/dropped']) {
        const meta = { accept: ['x', 'capture-metadata'], ...(path === '/dropped' ? { 'warc-prefix': '-' } : {}) };
        const answer = await api.ask(path, { meta });
        const value = answeredMeta(answer) as { 'capture-metadata': { timestamp: string } };
        told[api.url(path)] = value['capture-metadata'].timestamp;
        assert.match(value['capture-metadata'].timestamp, date);
        const line = `Warcprox-Meta: {"capture-metadata":{"timestamp":"${value['capture-metadata'].timestamp}"}}\r\n`;
        assert.equal(answer.text, `${okHead(2, '', line)}ok`);
        await api.proxy.captured(Object.keys(told).length);
      }
      const records = await api.proxy.records();
      assert.deepEqual(principals(records), [`response ${api.url('/response')}`, `revisit ${api.url('/revisit')}`]);
      assert.equal(records.length, 4);
      for (const { url, fields, block } of records) {
        assert.equal(fields.get('warc-date'), told[url]);
        assert.doesNotMatch(block.toString(), /warcprox/i);
      }
    });
  }

  test(`capture-metadata comes with HEAD, 204 and 304, and not with what was not asked for, ${way}`, async () => {
    const heads: Record<string, string> = {
      '/204': 'HTTP/1.1 204 No Content\r\n\r\n',
      '/304': 'HTTP/1.1 304 Not Modified\r\n\r\n',
      '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
    };
    await using api = await startApi(way, {
      answer: ({ method, path, socket }) => socket.write(method === 'HEAD' ? ok().slice(0, -2) : (heads[path] ?? ok())),
    });
    const meta = { accept: ['capture-metadata'] };
    for (const path of Object.keys(heads)) {
      assert.match((await api.ask(path, { meta })).head, /\r\nWarcprox-Meta: \{"capture-metadata":\{"timestamp":"[^"]+Z"\}\}\r\n/);
      assert.doesNotMatch((await api.ask(path)).head, /warcprox-meta/i);
    }
    assert.match((await api.ask('/', { meta, method: 'HEAD' })).text, /\r\nWarcprox-Meta: [^\r]+\r\n\r\n$/);
    assert.doesNotMatch((await api.ask('/', { meta: { accept: [] } })).head, /warcprox-meta/i);
  });

  test(`text beyond ASCII comes in UTF-8 or escaped, and means the same, ${way}`, async () => {
    await using api = await startApi(way);
    const escaped = '{"stats":{"buckets":["b\\u00fc\\ud83d\\ude00"]},"limits":{"b\\u00fc\\ud83d\\ude00/total/urls":2}}';
    const utf8 = JSON.parse(escaped) as object;
    assert.equal((await api.ask('/', { meta: escaped })).status, 200);
    assert.equal((await api.ask('/', { meta: utf8 })).status, 200);
    const refused = [await api.ask('/', { meta: escaped }), await api.ask('/', { meta: utf8 })];
    for (const answer of refused) {
      assert.equal(answer.status, 420);
      assert.deepEqual(answeredMeta(answer), {
        stats: {
          'bü😀': {
            bucket: 'bü😀',
            total: { urls: 2, wire_bytes: 2 * ok('/').length },
            new: { urls: 1, wire_bytes: ok('/').length },
            revisit: { urls: 1, wire_bytes: ok('/').length },
          },
        },
        'reached-limit': { 'bü😀/total/urls': 2 },
      });
      assert.match(answer.head, /^[\r\n -~]*$/);
      assert.equal(answer.body, 'request rejected by warcprox: reached limit bü😀/total/urls=2\n');
    }
  });

  test(`everything at once, as a crawler sends it, ${way}`, async () => {
    await using api = await startApi(way, { names: true });
    const meta = {
      'warc-prefix': 'JOB-1',
      'dedup-buckets': { job: 'rw', other: 'ro' },
      'dedup-ok': true,
      stats: { buckets: ['job', { bucket: 'seed', 'tally-domains': ['example.org'] }] },
      limits: { 'job/total/urls': 100, 'seed:example.org/total/urls': 2 },
      'soft-limits': { 'job/new/wire_bytes': 100_000 },
      blocks: [{ ssurt: 'com,' }, { domain: 'ads.example.org' }],
      'mime-type-filters': [{ type: 'REJECT', regex: 'video/' }],
      accept: ['capture-metadata'],
      metadata: { seed: 'http://example.org/', ait_job_id: 7 },
    };
    const statusOf = async (host: string) => (await api.ask('/', { meta, host })).status;
    assert.equal(await statusOf('www.example.org'), 200);
    assert.equal(await statusOf('ads.example.org'), 403);
    assert.equal(await statusOf('example.com'), 403);
    assert.equal(await statusOf('a.b.example.org'), 200);
    assert.equal(await statusOf('example.org'), 420);
    assert.equal(await statusOf('other.example'), 200);
    assert.equal(api.origin.requests.length, 3);
    const records = await api.proxy.records();
    assert.deepEqual(
      records.map(({ type }) => type),
      ['response', 'request', 'revisit', 'request', 'revisit', 'request'],
    );
  });
}

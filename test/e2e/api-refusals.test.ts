/**
 * Requests that their own Warcprox-Meta forbids: what the client is told, byte by byte, and that nothing else happens.
 *
 * Source: spec/warcprox.md §5 (order of enforcement, Blocked, URL match rules), §2 (error table).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { answered, metaLine, startApi, WAYS, type Api, type Ask } from '../support/api.ts';
import { refusal } from '../support/messages.ts';

/** The whole answer to a request that a rule blocks. */
function blocked(compact: string, spaced: string, body = true): string {
  const text = `request rejected by warcprox: blocked by rule found in Warcprox-Meta header: ${spaced}\n`;
  return (
    `HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: ${text.length}\r\n` +
    `Warcprox-Meta: {"blocked-by-rule":${compact}}\r\nConnection: close\r\n\r\n${body ? text : ''}`
  );
}

async function nothingHappened(api: Api): Promise<void> {
  assert.equal(api.origin.connections, 0);
  assert.equal((await api.status()).urls_processed, 0);
  assert.deepEqual(await api.proxy.records(), []);
  assert.equal(api.proxy.captures.length, 0);
}

const compressed = (text: string) => deflateSync(text).toString('base64');

for (const way of WAYS) {
  test(`a blocked request is answered 403 with the rule, whatever its method, ${way}`, async () => {
    await using api = await startApi(way);
    const rule = { domain: '127.0.0.1', regex: 'https?:.*[é]?', substring: null };
    const rules = [{ domain: 'other.example' }, { regex: '.*/nowhere' }, rule];
    const compact = '{"domain":"127.0.0.1","regex":"https?:.*[\\u00e9]?","substring":null}';
    const spaced = '{"domain": "127.0.0.1", "regex": "https?:.*[\\u00e9]?", "substring": null}';
    const meta = { blocks: rules };
    assert.equal((await api.ask('/x', { meta })).text, blocked(compact, spaced));
    assert.equal((await api.ask('/x', { meta, method: 'HEAD' })).text, blocked(compact, spaced, false));
    assert.equal((await api.ask('/x', { meta, method: 'POST', body: 'x'.repeat(3_000_000) })).text, blocked(compact, spaced));
    const uri = api.url('/x');
    assert.equal((await api.write(uri, 'png', { meta })).text, blocked(compact, spaced));
    assert.equal((await api.write(uri, 'png', { meta, method: 'PUTMETA' })).text, blocked(compact, spaced));
    await nothingHappened(api);
  });

  test(`rules may come compressed, and replace those that are not, ${way}`, async () => {
    await using api = await startApi(way);
    const meta = { blocks: [{ substring: '127' }], compressed_blocks: compressed('[{"substring": "/b"}]') };
    assert.equal((await api.ask('/b', { meta })).text, blocked('{"substring":"/b"}', '{"substring": "/b"}'));
    assert.equal((await api.ask('/a', { meta })).status, 200);
  });

  test(`a refused upload that waits for 100 (Continue) is not told to go on, ${way}`, async () => {
    await using api = await startApi(way);
    using client = await api.connect();
    const request = api.request('/x', {
      method: 'POST',
      meta: { blocks: [{ substring: '/' }] },
      more: 'Expect: 100-continue\r\n',
      body: 'x',
    });
    client.send(request.subarray(0, -1));
    assert.equal((await answered(client)).text, blocked('{"substring":"/"}', '{"substring": "/"}'));
    await nothingHappened(api);
  });

  test(`prefix, limits, soft limits, blocks: the first that applies answers, ${way}`, async () => {
    await using api = await startApi(way);
    const stats = { buckets: ['b'] };
    assert.equal((await api.ask('/', { meta: { stats } })).status, 200);
    await api.proxy.captured(1);
    const reached = { 'b/total/urls': 1 };
    const blocks = [{ substring: '/' }];
    const statusOf = async (meta: object) => (await api.ask('/', { meta: { stats, ...meta } })).status;
    assert.equal(await statusOf({ 'warc-prefix': 'a/b', limits: reached, 'soft-limits': reached, blocks }), 400);
    assert.equal(await statusOf({ limits: reached, 'soft-limits': reached, blocks }), 420);
    assert.equal(await statusOf({ 'soft-limits': reached, blocks }), 430);
    assert.equal(await statusOf({ blocks }), 403);
    assert.equal(await statusOf({}), 200);
    assert.equal(api.origin.requests.length, 2);
  });

  /** Conditions, and a path that they hold for or do not. */
  const conditions: readonly (readonly [rule: Readonly<Record<string, unknown>>, path: string, holds: boolean, more?: string])[] = [
    [{ domain: 'example.org' }, '/', true],
    [{ domain: 'www.example.org' }, '/', true],
    [{ domain: 'EXAMPLE.org.' }, '/', true],
    [{ domain: 'ample.org' }, '/', false],
    [{ domain: 'example.org', exact: true }, '/', false],
    [{ domain: 'www.example.org', exact: true }, '/', true],
    [{ substring: '/a/b' }, '//a//b', true],
    [{ substring: '/c' }, '/a/b', false],
    [{ regex: 'https?://www\\.example\\.org:\\d+/a\\?b=1&c=2' }, '/a?c=2&b=1', true],
    [{ regex: 'https?://www' }, '/a', false],
    [{ regex: '(?P<scheme>https?)://.*/a\\Z' }, '/a', true],
    [{ parent_url_regex: '.*parent.*' }, '/', true, 'Referer: http://parent.example/\r\n'],
    [{ parent_url_regex: '.*parent.*' }, '/', false],
    [{ url_match: 'REGEX_MATCH', value: '.*/a' }, '/a', true],
    [{ url_match: 'STRING_MATCH', value: '/a' }, '/b', false],
    [{ domain: 'example.org', substring: '/a' }, '/b', false],
  ];

  test(`each condition of a rule does what it says, ${way}`, async () => {
    await using api = await startApi(way, { names: true });
    for (const [rule, path, holds, more = ''] of conditions) {
      const { status } = await api.ask(path, { meta: { blocks: [rule] }, host: 'www.example.org', more });
      assert.equal(status, holds ? 403 : 200, `${JSON.stringify(rule)} ${path}`);
    }
  });

  test(`SURT and SSURT rules take the port into account, ${way}`, async () => {
    await using api = await startApi(way, { names: true });
    const scheme = way === 'over HTTP' ? 'http' : 'https';
    const { port } = api.origin;
    const blockedBy = async (rule: object) => (await api.ask('/p?q', { meta: { blocks: [rule] }, host: 'www.example.org' })).status === 403;
    assert.equal(await blockedBy({ surt: `${scheme}://(org,example,` }), true);
    assert.equal(await blockedBy({ surt: `${scheme}://(org,example,www,:${port})/p?q`, exact: true }), true);
    assert.equal(await blockedBy({ surt: `${scheme}://(org,example,www,:${port})/p`, exact: true }), false);
    assert.equal(await blockedBy({ ssurt: 'org,example,' }), true);
    assert.equal(await blockedBy({ ssurt: `org,example,www,//${port}:${scheme}:/p` }), true);
    assert.equal(await blockedBy({ ssurt: `org,example,www,//${port}:${scheme}:/p?q`, exact: true }), true);
    assert.equal(await blockedBy({ ssurt: 'com,example,' }), false);
    assert.equal(await blockedBy({ url_match: 'SURT_MATCH', value: `${scheme}://(org,` }), true);
  });

  test(`Warcprox-Meta that cannot be understood: 400 with a line that names the field, and the proxy goes on, ${way}`, async () => {
    await using api = await startApi(way);
    for (const [meta, line] of malformed) {
      const { text, body } = await api.ask('/bad', { meta });
      assert.equal(text, refusal('400 Bad Request', body.slice(0, -1)), JSON.stringify(meta).slice(0, 200));
      assert.match(body, /^[ -~]+\n$/);
      assert.ok(body.startsWith(`Warcprox-Meta: ${line}`), `${JSON.stringify(meta).slice(0, 200)}: ${body}`);
      const record = await api.write('x:y', 'z', { meta });
      assert.equal(record.text, text);
      const head = await api.ask('/bad', { meta, method: 'HEAD' });
      assert.equal(head.text, text.slice(0, -body.length));
    }
    await nothingHappenedBut(api, '/good');
  });

  test(`a megabyte of Warcprox-Meta is taken, sliced and obeyed, ${way}`, async () => {
    await using api = await startApi(way);
    const blocks = Array.from({ length: 20_000 }, (_, i) => ({ domain: `d${i}.example.com`, substring: `path-${i}` }));
    const meta = { 'warc-prefix': 'MEGA', blocks: [...blocks, { substring: '/last' }] };
    assert.ok(JSON.stringify(meta).length > 1_000_000);
    assert.equal((await api.ask('/first', { meta })).status, 200);
    assert.equal((await api.ask('/last', { meta })).status, 403);
    assert.equal((await api.ask('/first', { meta })).status, 200);
    await api.proxy.captured(2);
    const [record] = await api.proxy.records();
    assert.equal(record?.url, api.url('/first'));
    assert.doesNotMatch(api.origin.requests[0]?.bytes.toString() ?? '', /warcprox/i);
  });

  test(`a megabyte of rules comes compressed, too, ${way}`, async () => {
    await using api = await startApi(way);
    const blocks = Array.from({ length: 20_000 }, (_, i) => ({ domain: `d${i}.example.com`, substring: `path-${i}` }));
    const meta = { compressed_blocks: compressed(JSON.stringify([...blocks, { substring: '/last' }])) };
    assert.equal((await api.ask('/first', { meta })).status, 200);
    assert.equal((await api.ask('/last', { meta })).status, 403);
  });

  test(`two fields of the name are one too many, ${way}`, async () => {
    await using api = await startApi(way);
    const { text } = await api.ask('/', { meta: {}, more: 'warcprox-meta: {"blocks":[]}\r\n' });
    assert.equal(text, refusal('400 Bad Request', 'Warcprox-Meta: expected one field of this name, got 2'));
    await nothingHappened(api);
  });
}

async function nothingHappenedBut(api: Api, path: string, ask: Ask = {}): Promise<void> {
  assert.equal(api.origin.connections, 0);
  assert.equal((await api.ask(path, ask)).status, 200);
  await api.proxy.captured(1);
  assert.deepEqual(
    (await api.proxy.records()).map(({ url }) => url),
    [api.url(path), api.url(path)],
  );
  assert.equal(api.proxy.captures.length, 1);
}

const rule = (condition: object) => ({ blocks: [{ domain: 'ok.example' }, condition] });

/** What is sent, and how the line begins behind the name of the header. */
const malformed: readonly (readonly [meta: unknown, line: string])[] = [
  ['', 'expected JSON'],
  ['not json', 'expected JSON'],
  ['{"blocks":[}', 'expected JSON'],
  ['{"a":NaN}', 'expected JSON'],
  ['null', 'expected a JSON object'],
  ['[]', 'expected a JSON object'],
  ['"x"', 'expected a JSON object'],
  [`{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'nested too deeply'],
  [{ 'warc-prefix': 1 }, 'warc-prefix: '],
  [{ 'warc-prefix': '.' }, 'warc-prefix: '],
  [{ 'warc-prefix': '..' }, 'warc-prefix: '],
  [{ 'warc-prefix': 'a/b' }, 'warc-prefix: '],
  [{ 'warc-prefix': 'a\\b' }, 'warc-prefix: '],
  [{ 'warc-prefix': 'a\0b' }, 'warc-prefix: '],
  [{ 'warc-prefix': 'a\nb' }, 'warc-prefix: '],
  [{ 'warc-prefix': 'x'.repeat(1000) }, 'warc-prefix: '],
  [{ 'dedup-bucket': 1 }, 'dedup-bucket: '],
  [{ 'captures-bucket': ['x'] }, 'captures-bucket: '],
  [{ 'dedup-buckets': ['x'] }, 'dedup-buckets: '],
  [{ 'dedup-ok': 'no' }, 'dedup-ok: '],
  [{ stats: [] }, 'stats: '],
  [{ stats: { buckets: 'x' } }, 'stats.buckets: '],
  [{ limits: [] }, 'limits: '],
  [{ limits: { x: 1 } }, 'limits: '],
  [{ limits: { 'b/total/urls': 'one' } }, 'limits["b/total/urls"]: '],
  [{ 'soft-limits': { 'b/total/urls': true } }, 'soft-limits["b/total/urls"]: '],
  [{ blocks: {} }, 'blocks: '],
  [{ blocks: ['x'] }, 'blocks[0]: '],
  [rule({}), 'blocks[1]: '],
  [rule({ exact: true }), 'blocks[1]: '],
  [rule({ dommain: 'x' }), 'blocks[1]: '],
  [rule({ domain: 'x', regexp: 'y' }), 'blocks[1]: '],
  [rule({ domain: 7 }), 'blocks[1].domain: '],
  [rule({ domain: 'x', exact: 'yes' }), 'blocks[1].exact: '],
  [rule({ url_match: 'GLOB', value: 'x' }), 'blocks[1].url_match: '],
  [rule({ value: 'x' }), 'blocks[1].value: '],
  [rule({ url_match: 'REGEX_MATCH', value: '(' }), 'blocks[1].value: '],
  [rule({ regex: '(' }), 'blocks[1].regex: '],
  [rule({ regex: '(a)\\1' }), 'blocks[1].regex: '],
  [rule({ regex: '(?=a)' }), 'blocks[1].regex: '],
  [rule({ regex: '((a{1000}){1000}){1000}' }), 'blocks[1].regex: '],
  [rule({ parent_url_regex: '[' }), 'blocks[1].parent_url_regex: '],
  [{ compressed_blocks: 7 }, 'compressed_blocks: '],
  [{ compressed_blocks: '!!!' }, 'compressed_blocks: '],
  [{ compressed_blocks: Buffer.from('not zlib').toString('base64') }, 'compressed_blocks: '],
  [{ compressed_blocks: deflateSync('[{"domain":"x"}]').subarray(0, -6).toString('base64') }, 'compressed_blocks: '],
  [{ compressed_blocks: compressed('not json') }, 'compressed_blocks: '],
  [{ compressed_blocks: compressed('{}') }, 'compressed_blocks: '],
  [{ compressed_blocks: compressed('[{"regex":"("}]') }, 'compressed_blocks[0].regex: '],
  [{ compressed_blocks: deflateSync(Buffer.alloc(500_000_000, ' ')).toString('base64') }, 'compressed_blocks: expected at most '],
  [{ 'mime-type-filters': {} }, 'mime-type-filters: '],
  [{ 'mime-type-filters': ['x'] }, 'mime-type-filters[0]: '],
  [{ 'mime-type-filters': [{ type: 'ALLOW', regex: 'x' }] }, 'mime-type-filters[0].type: '],
  [{ 'mime-type-filters': [{ type: 'REJECT' }] }, 'mime-type-filters[0].regex: '],
  [{ 'mime-type-filters': [{ type: 'REJECT', regex: '*' }] }, 'mime-type-filters[0].regex: '],
  [{ accept: { 'capture-metadata': 1 } }, 'accept: '],
  [{ metadata: 'x' }, 'metadata: '],
];

test('what cannot be understood is never obeyed in part: the field is not on its way to the origin, either', async () => {
  await using api = await startApi('over HTTP');
  using client = await api.connect();
  client.send(Buffer.concat([Buffer.from(`GET ${api.url('/')} HTTP/1.1\r\n`), metaLine('{"warc-prefix":'), Buffer.from('\r\n')]));
  assert.equal((await answered(client)).status, 400);
  await nothingHappened(api);
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { handMade, members } from '../../warc/tools/repair-support.ts';
import { unzipped } from '../../support/unzipped.ts';
import { runToEnd } from '../child.ts';
import { RECORDS, sampleFile } from './files-support.ts';

function page(url: string, html: string, date: string): Buffer {
  const record = handMade({
    type: 'response',
    more: `WARC-Target-URI: ${url}\r\nContent-Type: application/http\r\n`,
    block: `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n${html}`,
  });
  return Buffer.from(record.toString('latin1').replace('2024-02-03', date), 'latin1');
}

const lines = (bytes: Buffer | undefined) => (bytes?.toString().split('\n') ?? []).filter((line) => line !== '');
const jsons = (bytes: Buffer | undefined) => lines(bytes).map((line) => JSON.parse(line) as Record<string, unknown>);

test('wacz packs files as they are, with an index, pages and digests of all', async (t) => {
  const file = sampleFile(t, 'Ä b.warc.gz');
  const output = join(dirname(file), 'out.wacz');
  const other = sampleFile(t, 'Ä b.warc.gz', members(page('http://other/', '<title>x\u2028y</title>', '2023-01-01')));
  const args = ['wacz', file, other, '--output', output, '--title', 'All', '--description', 'of it', '--main-page', 'https://example.com'];
  assert.deepEqual(await runToEnd(args), { code: 0, stdout: '', stderr: '' });
  const zip = unzipped(readFileSync(output));
  assert.deepEqual(
    [...zip].map(([name, { stored }]) => `${stored ? 'stored' : 'deflated'} ${name}`),
    [
      'stored archive/--b.warc.gz',
      'stored archive/--b-1.warc.gz',
      'stored indexes/index.cdx.gz',
      'deflated indexes/index.idx',
      'deflated pages/pages.jsonl',
      'deflated pages/extraPages.jsonl',
      'deflated datapackage.json',
      'deflated datapackage-digest.json',
    ],
  );
  const bytesOf = (name: string) => zip.get(name)?.bytes;
  assert.deepEqual(bytesOf('archive/--b.warc.gz'), readFileSync(file));

  const index = lines(gunzipSync(bytesOf('indexes/index.cdx.gz')!));
  assert.deepEqual(
    index.map((line) => [line.slice(0, line.indexOf(' {')), /"filename": "([^"]*)"/.exec(line)?.[1]]),
    [
      ['com,example)/ 20240203040506', '--b.warc.gz'],
      ['com,example)/a.png?__wb_method=post&__wb_post_data=ct0x 20240203040506', '--b.warc.gz'],
      ['other)/ 20230101040506', '--b-1.warc.gz'],
      ['urn:example:thing 20240203040506', '--b.warc.gz'],
    ],
  );
  const packed = bytesOf('indexes/index.cdx.gz')!;
  const digest = createHash('sha256').update(packed).digest('hex');
  assert.deepEqual(lines(bytesOf('indexes/index.idx')), [
    '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}',
    `com,example)/ 20240203040506 {"offset": 0, "length": ${packed.length}, "digest": "sha256:${digest}"}`,
  ]);

  const [head, main] = jsons(bytesOf('pages/pages.jsonl'));
  assert.deepEqual(head, { format: 'json-pages-1.0', id: 'pages', title: 'Pages' });
  assert.deepEqual({ ...main, id: '' }, { id: '', url: 'https://example.com/', ts: '2024-02-03T04:05:06Z', title: 'A & B' });
  assert.deepEqual(jsons(bytesOf('pages/extraPages.jsonl'))[1]!.title, 'x y');

  const { resources, created, software, ...told } = JSON.parse(bytesOf('datapackage.json')!.toString()) as Record<string, unknown>;
  assert.deepEqual(told, {
    profile: 'data-package',
    wacz_version: '1.1.1',
    title: 'All',
    description: 'of it',
    mainPageUrl: 'https://example.com/',
    mainPageDate: '2024-02-03T04:05:06Z',
  });
  assert.match(`${String(created)} ${String(software)}`, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ warctap \d/);
  const expected = [...zip].slice(0, -2).map(([path, { bytes }]) => ({
    name: path.split('/')[1]!.toLowerCase(),
    path,
    hash: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    bytes: bytes.length,
  }));
  assert.deepEqual(resources, expected);
  for (const { name } of expected) assert.match(name, /^([-a-z0-9._/])+$/);
  const hash = `sha256:${createHash('sha256').update(bytesOf('datapackage.json')!).digest('hex')}`;
  assert.deepEqual(JSON.parse(bytesOf('datapackage-digest.json')!.toString()), { path: 'datapackage.json', hash });
});

test('wacz --text has what people read of a page', async (t) => {
  const html = '<title>T</title><style>p{}</style><p>One<p>two <b>thr</b>ee<script>no()</script>&amp; four</p>';
  const file = sampleFile(t, 'a.warc', page('http://a/', html, '2023-01-01'));
  const output = `${file}.wacz`;
  assert.equal((await runToEnd(['wacz', file, '--text', '-o', output])).code, 0);
  const [head, only] = jsons(unzipped(readFileSync(output)).get('pages/pages.jsonl')?.bytes);
  assert.deepEqual([head?.hasText, only?.title, only?.text], [true, 'T', 'One two three& four']);
});

test('what cannot be read is told, and the rest is in the index; a page that is not there leaves no file', async (t) => {
  const cut = members(...RECORDS).subarray(0, -10);
  const file = sampleFile(t, 'cut.warc.gz', cut);
  const output = `${file}.wacz`;
  const { code, stderr } = await runToEnd(['wacz', file, '-o', output]);
  assert.equal(code, 1);
  assert.match(stderr, /^[^\n]*cut\.warc\.gz: record at byte \d+: [^\n]+\n$/);
  assert.equal(lines(gunzipSync(unzipped(readFileSync(output)).get('indexes/index.cdx.gz')!.bytes)).length, 2);

  const none = await runToEnd(['wacz', sampleFile(t), '-o', `${file}.2`, '--main-page', 'http://none/']);
  assert.deepEqual([none.code, existsSync(`${file}.2`)], [1, false]);
  assert.match(none.stderr, /^warctap: --main-page: none of the pages is "http:\/\/none\/"; [^\n]+\n$/);
  assert.deepEqual(
    readdirSync(dirname(file)).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.match((await runToEnd(['wacz', 'x.warc'])).stderr, /^warctap: wacz: expected --output FILE\.wacz\n$/);
});

test('a file that is not there is told in one line: the others are in the WACZ, and without any there is none', async (t) => {
  const file = sampleFile(t);
  const missing = `${file}.none.warc`;
  const said = `${missing}: there is no such file\n`;
  const both = await runToEnd(['wacz', missing, file, '-o', `${file}.wacz`]);
  assert.deepEqual([both.code, both.stderr], [1, said]);
  const packed = [...unzipped(readFileSync(`${file}.wacz`)).keys()].filter((name) => name.startsWith('archive/'));
  assert.deepEqual(packed, [`archive/${basename(file)}`]);

  const alone = await runToEnd(['wacz', missing, '-o', `${file}.2`]);
  assert.deepEqual([alone.code, alone.stderr, existsSync(`${file}.2`)], [1, said, false]);
});

/** What an index says of a file: one entry for each record that can be played back, requests added to their answers. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cdxjLine, indexFile, type IndexEntry } from '../../../src/warc/tools/cdx.ts';
import { base32Sha1, handMade, idOf, members, type HandMade } from './repair-support.ts';
import { tempDir } from '../support.ts';

const URL = 'http://example.com/a';

function http(type: string, id: number, block: string, more = '', url = URL): Buffer {
  const fields = `WARC-Target-URI: ${url}\r\nContent-Type: application/http\r\n${more}`;
  return handMade({ type, id: idOf(id), more: fields, block } satisfies HandMade);
}

const answer = (id: number, more = '') => http('response', id, 'HTTP/1.1 200 OK\r\nContent-Type: text/HTML; charset=x\r\n\r\nhello', more);
const post = (id: number, more = '', method = 'POST') => http('request', id, `${method} /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc`, more);

async function indexed(t: TestContext, bytes: Buffer): Promise<{ entries: IndexEntry[]; faults: string[] }> {
  const file = join(tempDir(t), 'a.warc');
  writeFileSync(file, bytes);
  const [entries, faults]: [IndexEntry[], string[]] = [[], []];
  await indexFile(file, {
    filename: 'a.warc',
    onEntry: (entry) => void entries.push(entry),
    onFault: ({ offset, problem }) => faults.push(`${offset}: ${problem}`),
  });
  return { entries, faults };
}

test('a line has the fields of pywb in their order, and is ASCII', async (t) => {
  const record = http('response', 1, 'HTTP/1.1 200 OK\r\nContent-Type: text/html; a=b\r\n\r\nhello', '', 'http://Example.com/é?"');
  const { entries } = await indexed(t, record);
  assert.equal(
    entries.map(cdxjLine).join(''),
    `com,example)/%c3%a9?" 20240203040506 {"url": "http://Example.com/\\u00e9?\\"", "mime": "text/html", "status": "200", ` +
      `"digest": "${base32Sha1('hello')}", "length": "${record.length}", "offset": "0", "filename": "a.warc"}\n`,
  );
});

const QUERY = '__wb_post_data=YWJj';
const PAIRS: readonly (readonly [order: string, bytes: Buffer])[] = [
  ['behind it, which it names', Buffer.concat([answer(1), post(2, `WARC-Concurrent-To: ${idOf(1)}\r\n`)])],
  ['behind it, by which it is named', Buffer.concat([answer(1, `WARC-Concurrent-To: ${idOf(2)}\r\n`), post(2)])],
  ['in front, which it names', Buffer.concat([post(2, `WARC-Concurrent-To: ${idOf(1)}\r\n`), answer(1)])],
  ['in front, by which it is named', Buffer.concat([post(2), answer(1, `WARC-Concurrent-To: ${idOf(2)}\r\n`)])],
];
for (const [order, bytes] of PAIRS) {
  test(`a request adds its method and body to the answer ${order}`, async (t) => {
    const { entries } = await indexed(t, bytes);
    assert.deepEqual(
      entries.map(({ urlkey, method, requestBody, mime }) => [urlkey, method, requestBody, mime]),
      [[`com,example)/a?__wb_method=post&${QUERY.toLowerCase()}`, 'POST', QUERY, 'text/HTML']],
    );
  });
}

test('a request adds nothing to what it does not belong to, and GET adds nothing', async (t) => {
  const strangers = [
    post(2),
    answer(1),
    post(3, `WARC-Concurrent-To: ${idOf(9)}\r\n`),
    answer(4),
    post(5, `WARC-Concurrent-To: ${idOf(4)}\r\n`, 'GET'),
  ];
  const { entries } = await indexed(t, Buffer.concat(strangers));
  assert.deepEqual(
    entries.map(({ urlkey, method }) => [urlkey, method]),
    [
      ['com,example)/a', undefined],
      ['com,example)/a', undefined],
    ],
  );
});

test('revisits, resources and conversions have entries; what describes the crawl has none', async (t) => {
  const plain = (type: string, mime: string) => handMade({ type, more: `WARC-Target-URI: ${URL}\r\nContent-Type: ${mime}\r\n` });
  const { entries } = await indexed(
    t,
    Buffer.concat([
      plain('warcinfo', 'application/warc-fields'),
      http('revisit', 1, 'HTTP/1.1 200 OK\r\n\r\n', `WARC-Payload-Digest: sha1:X\r\n`),
      plain('resource', 'image/png'),
      plain('conversion', 'text/plain'),
      plain('metadata', 'application/warc-fields'),
      plain('metadata', 'application/json'),
      handMade({ type: 'resource' }),
    ]),
  );
  assert.deepEqual(
    entries.map(({ mime, status, digest }) => [mime, status, digest]),
    [
      ['warc/revisit', '200', 'sha1:X'],
      ['image/png', undefined, base32Sha1('hello')],
      ['text/plain', undefined, base32Sha1('hello')],
      ['application/json', undefined, base32Sha1('hello')],
    ],
  );
});

test('behind a fault it goes on, and the record in front of it has its entry', async (t) => {
  const [first, second] = [members(answer(1)), members(answer(2))];
  const damaged = Buffer.from(members(answer(3)));
  damaged[damaged.length - 5]! ^= 1;
  const { entries, faults } = await indexed(t, Buffer.concat([first, damaged, second]));
  assert.deepEqual(
    entries.map(({ offset }) => Number(offset)),
    [0, first.length + damaged.length],
  );
  assert.deepEqual(faults, [`${first.length}: gzip checksum does not match`]);
});

test('a file that is cut at any byte gives the entries in front of the cut, and one fault', async (t) => {
  const records = [answer(1), post(2, `WARC-Concurrent-To: ${idOf(1)}\r\n`), answer(3)];
  for (const bytes of [Buffer.concat(records), members(...records)]) {
    for (let size = 1; size < bytes.length; size += 7) {
      const { entries, faults } = await indexed(t, bytes.subarray(0, size));
      assert.ok(faults.length <= 1, faults.join());
      for (const { offset, length } of entries) assert.ok(Number(offset) + Number(length) <= size);
    }
  }
});

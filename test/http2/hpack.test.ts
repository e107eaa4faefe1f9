/** HPACK: the examples of RFC 7541, what must not be understood, and Node's own http2 as the other side. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Http2Error } from '../../src/http2/frames.ts';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../src/http2/hpack-encoder.ts';
import { requestHeaders, responseHeaders } from '../../src/http2/headers.ts';
import { requestOf, responseOf } from '../../src/http2/heads.ts';
import type { Target } from '../../src/http/target.ts';
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../src/http2/huffman.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const decoder = (maxListSize = 65_536, maxFields = 1000) => new HpackDecoder({ maxListSize, maxFields });
const REQUEST_OF_HTTPS = [':method', 'GET', ':scheme', 'https', ':path', '/', ':authority', 'www.example.com'];
const REQUEST = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];

/** RFC 7541 appendix C.3 and C.4: each as one connection. @see size of the table after each block */
const EXAMPLES = {
  'C.3, without the code of Huffman': [
    '828684410f7777772e6578616d706c652e636f6d',
    '828684be58086e6f2d6361636865',
    '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
  ],
  'C.4, with it': ['828684418cf1e3c2e5f23a6ba0ab90f4ff', '828684be5886a8eb10649cbf', '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf'],
} as const;
const LISTS = [
  REQUEST,
  [...REQUEST, 'cache-control', 'no-cache'],
  [':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com', 'custom-key', 'custom-value'],
];
const SIZES = [57, 110, 164];

for (const [name, blocks] of Object.entries(EXAMPLES))
  test(`requests of ${name}`, () => {
    const side = decoder();
    blocks.forEach((block, at) => {
      assert.deepEqual(side.decode(hex(block)), LISTS[at]);
      assert.equal(side.tableSize, SIZES[at]);
    });
  });

test('requests are coded as in C.4', () => {
  const side = new HpackEncoder();
  LISTS.forEach((list, at) => assert.equal(side.encode(list).toString('hex'), EXAMPLES['C.4, with it'][at]));
});

test('C.2.2, C.2.3: fields that are not kept', () => {
  const side = decoder();
  assert.deepEqual(side.decode(hex('040c2f73616d706c652f70617468')), [':path', '/sample/path']);
  const secret = side.decode(hex('100870617373776f726406736563726574'));
  assert.deepEqual([[...(secret ?? [])], secret?.neverIndexed], [['password', 'secret'], new Set(['password'])]);
  assert.equal(side.tableSize, 0);
});

test('C.6: a table of 256 bytes lets go of what is oldest', () => {
  const side = decoder();
  const first = side.decode(
    hex('3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3'),
  );
  assert.deepEqual(first?.slice(0, 4), [':status', '302', 'cache-control', 'private']);
  assert.equal(side.tableSize, 222);
  assert.deepEqual(side.decode(hex('4883640effc1c0bf'))?.slice(0, 2), [':status', '307']);
  assert.equal(side.tableSize, 222);
});

test('Huffman: every octet, there and back', () => {
  for (let length = 0; length < 70; length++) {
    const text = Buffer.from(Array.from({ length }, (_, at) => (at * 89 + length * 7) % 256)).toString('latin1');
    const bytes = Buffer.alloc(300);
    const end = huffmanEncode(text, bytes, 0);
    assert.equal(end, huffmanLength(text));
    assert.equal(huffmanDecode(bytes, 0, end), text);
  }
});

describe('not understood', () => {
  for (const [what, block] of [
    ['an index of nothing', '80'],
    ['an index past the table', 'be'],
    ['a number that does not end', '7fffffffffffff'],
    ['a number that is cut', '7f'],
    ['a text that is cut', '400a6375'],
    ['padding of eight bits', '4081ff0161'],
    ['padding with a 0', '4081180161'],
    ['EOS', '4084ffffffff0161'],
    ['a table larger than was said', '3fe21f'],
    ['a size of the table behind fields', '8220'],
  ] as const)
    test(what, () =>
      assert.throws(
        () => decoder().decode(hex(block)),
        (error) => error instanceof Http2Error && error.code === 9,
      ),
    );
});

test('a list that is too long is read to its end, and the table goes on with it', () => {
  const side = decoder(200, 3);
  assert.equal(side.decode(hex(`${'82'.repeat(4)} 4001610162`)), undefined);
  assert.deepEqual(side.decode(hex('be')), ['a', 'b']);
});

test('a table that is made smaller is said so, and secrets are kept by nobody', () => {
  const side = new HpackEncoder();
  side.encode(['x-a', 'b']);
  side.limitTable(0);
  assert.equal(side.encode(['x-a', 'b'])[0], 0x20);
  assert.equal(side.tableSize, 0);
  assert.equal(new HpackEncoder().encode(['authorization', 'x'])[0], 0x1f);
});

test('encoder and decoder agree over a thousand lists, whatever the table', () => {
  const [from, to] = [new HpackEncoder(), decoder()];
  for (let round = 0; round < 1000; round++) {
    if (round % 100 === 50) from.limitTable((round * 37) % 5000);
    const list = Array.from({ length: round % 9 }, (_, at) => [
      `x-${(round * 7 + at) % 40}`,
      'v'.repeat((round * 13 + at * 101) % 400),
    ]).flat();
    assert.deepEqual(to.decode(from.encode(list)), list);
    assert.equal(to.tableSize, from.tableSize);
  }
});

test('a field that came as never indexed goes out so, also where its name and value stand in the table', () => {
  const [said, heard] = [new HpackEncoder(), decoder()];
  const [key, secret] = ['x-session-key', 'a-secret-of-somebody'];
  // Kept at first: the second time it is a number.
  said.encode([key, secret]);
  assert.equal(said.encode([key, secret]).length, 1);
  const never = Buffer.concat([Buffer.from([0x10, key.length]), Buffer.from(key), Buffer.from([secret.length]), Buffer.from(secret)]);
  const came = heard.decode(Buffer.concat([new HpackEncoder().encode(REQUEST_OF_HTTPS), never]));
  const { head } = requestOf(came ?? [], false);
  const target: Target = { url: 'https://www.example.com/', scheme: 'https', host: 'www.example.com', port: 443, path: '/' };
  const { list } = requestHeaders({ method: 'GET', target, fields: head.fields, host: undefined, via: undefined }, [':method']);
  for (const encoder of [said, new HpackEncoder()]) {
    const block = encoder.encode(list);
    // Behind `:method: GET`, one byte: by the number of its name, or by its name.
    assert.equal((block[1] ?? 0) & 0xf0, 0x10);
    assert.deepEqual([...(decoder().decode(new HpackEncoder().encode(list)) ?? [])], [':method', 'GET', key, secret]);
  }
  const answer = responseHeaders(
    responseOf(heard.decode(Buffer.concat([Buffer.from([0x88]), never])) ?? []),
    { kind: 'close' },
    { via: undefined, added: [], last: false },
  );
  assert.deepEqual([...(answer.neverIndexed ?? [])], [key]);
});

/**
 * What a tap makes of the frames of RFC 6455, by the cases of the Autobahn test suite, each with its bytes cut in every way.
 *
 * Where a WebSocket would fail the connection, a tap only says what it could not read.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Side } from '../../src/capture/message-tap.ts';
import { closing, rawFrame, type FrameOptions } from '../support/websocket.ts';
import { cutInto, tapped, type Piece } from './tap-support.ts';

const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10] as const;

const sent = (opcode: number, payload: Buffer | string, options: FrameOptions = {}): Piece => [
  'client',
  rawFrame(opcode, payload, { mask: true, ...options }),
];
const received = (opcode: number, payload: Buffer | string, options: FrameOptions = {}): Piece => [
  'origin',
  rawFrame(opcode, payload, options),
];
const more = { fin: false };
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

interface Case {
  readonly name: string;
  readonly pieces: readonly Piece[];
  /** without how it ended, where it did without a close frame */
  readonly said: readonly string[];
  readonly fails?: string;
}

const sizes = [0, 1, 125, 126, 127, 128, 65535, 65536];
const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
const texts = ['Hello-µ@ßöäüàá-UTF-8!!', 'κόσμε', '\ud7ff\ue000', '😀', '\ufeffBOM', '\0\b\f"\\\u2028', ''];
const noUtf8 = ['ceba e1bd b9cf 83ce bcce b5ed a080', 'f490 8080', 'c080', 'e282', 'ff', 'eda081', '80'];
const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

const CASES: readonly Case[] = [
  ...sizes.flatMap((size): Case[] => [
    { name: `1.1 text of ${size} bytes`, pieces: [sent(TEXT, '*'.repeat(size))], said: [`sent 1 ${'*'.repeat(size)}`] },
    {
      name: `1.2 binary of ${size} bytes`,
      pieces: [received(BINARY, Buffer.alloc(size, 0xfe))],
      said: [`received 2 ${base64(Buffer.alloc(size, 0xfe))}`],
    },
  ]),
  { name: '1.1 a length in more bytes than it needs: 2', pieces: [sent(TEXT, 'abc', { lengthBytes: 2 })], said: ['sent 1 abc'] },
  { name: '1.1 a length in more bytes than it needs: 8', pieces: [received(TEXT, 'abc', { lengthBytes: 8 })], said: ['received 1 abc'] },
  { name: '2.1 a ping without payload, and its pong', pieces: [sent(PING, ''), received(PONG, '')], said: ['sent 9 ', 'received 10 '] },
  { name: '2.2 a ping with text', pieces: [received(PING, 'Hello, world!')], said: ['received 9 Hello, world!'] },
  {
    name: '2.3 a ping with bytes that are no text says so',
    pieces: [received(PING, bytesOf('00ff fefd fcfb'))],
    said: [`received 9 ${base64(bytesOf('00ff fefd fcfb'))}`],
  },
  { name: '2.4 a ping of 125 bytes', pieces: [sent(PING, 'x'.repeat(125))], said: [`sent 9 ${'x'.repeat(125)}`] },
  {
    name: '2.5 a ping of 126 bytes',
    pieces: [sent(TEXT, 'before'), sent(PING, 'x'.repeat(126)), sent(TEXT, 'after')],
    said: ['sent 1 before'],
    fails: 'a control frame of 126 bytes',
  },
  { name: '2.7 a pong that nobody asked for', pieces: [received(PONG, 'hm')], said: ['received 10 hm'] },
  {
    name: '2.10 ten pings',
    pieces: Array.from({ length: 10 }, (_, i) => sent(PING, `p${i}`)),
    said: Array.from({ length: 10 }, (_, i) => `sent 9 p${i}`),
  },
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv): Case => ({
    name: `3.${rsv} reserved bits ${rsv} without an extension`,
    pieces: [received(TEXT, 'before'), received(TEXT, 'strange', { rsv }), received(TEXT, 'after')],
    said: ['received 1 before'],
    fails: `reserved bits ${rsv} of no extension that is known`,
  })),
  ...[1, 4].map((rsv): Case => ({
    name: `3.${rsv} the same in a ping`,
    pieces: [sent(PING, '', { rsv })],
    said: [],
    fails: `reserved bits ${rsv} in a control frame`,
  })),
  ...reserved.map((opcode): Case => ({
    name: `4 opcode ${opcode}`,
    pieces: [sent(TEXT, 'before'), sent(opcode, 'x'), sent(PING, '')],
    said: ['sent 1 before'],
    fails: `reserved opcode ${opcode}`,
  })),
  { name: '5.1 a ping in fragments', pieces: [sent(PING, 'frag', more), sent(0, 'ment')], said: [], fails: 'a control frame in fragments' },
  { name: '5.2 a close frame in fragments', pieces: [sent(CLOSE, '', more)], said: [], fails: 'a control frame in fragments' },
  { name: '5.3 text in two fragments', pieces: [sent(TEXT, 'frag', more), sent(0, 'ment')], said: ['sent 1 fragment'] },
  {
    name: '5.6 a ping between two fragments comes first',
    pieces: [sent(TEXT, 'frag', more), sent(PING, 'now'), sent(0, 'ment')],
    said: ['sent 9 now', 'sent 1 fragment'],
  },
  {
    name: '5.8 messages of the other side between fragments come first',
    pieces: [received(TEXT, 'frag', more), sent(TEXT, 'me'), received(0, 'ment')],
    said: ['sent 1 me', 'received 1 fragment'],
  },
  {
    name: '5.9 a continuation of nothing',
    pieces: [sent(0, 'what', more), sent(TEXT, 'after')],
    said: [],
    fails: 'a continuation of no message',
  },
  {
    name: '5.15 a continuation after the last one',
    pieces: [sent(TEXT, 'frag', more), sent(0, 'ment'), sent(0, 'again')],
    said: ['sent 1 fragment'],
    fails: 'a continuation of no message',
  },
  {
    name: '5.18 a message within a message',
    pieces: [received(TEXT, 'one', more), received(TEXT, 'two')],
    said: [],
    fails: 'opcode 1 within a message',
  },
  {
    name: '5.19 many fragments, with pings between them',
    pieces: [
      received(BINARY, 'a', more),
      received(0, 'b', more),
      received(PING, '1'),
      received(0, '', more),
      received(PING, '2'),
      received(0, 'c'),
    ],
    said: ['received 9 1', 'received 9 2', `received 2 ${base64('abc')}`],
  },
  { name: '5.20 empty fragments', pieces: [sent(TEXT, '', more), sent(0, '', more), sent(0, '')], said: ['sent 1 '] },
  ...texts.map((text): Case => ({ name: `6 text ${JSON.stringify(text)}`, pieces: [received(TEXT, text)], said: [`received 1 ${text}`] })),
  {
    name: '6.2 a character cut by fragments',
    pieces: [...Buffer.from('€😀')].map((byte, at, all): Piece =>
      received(at === 0 ? TEXT : 0, Buffer.from([byte]), { fin: at === all.length - 1 }),
    ),
    said: ['received 1 €😀'],
  },
  ...noUtf8.map((hex): Case => ({
    name: `6.3 text that is no UTF-8 (${hex}) is kept in Base64, and the next message as it is`,
    pieces: [received(TEXT, bytesOf(hex)), received(TEXT, 'after')],
    said: [`received 1 ${base64(bytesOf(hex))}`, 'received 1 after'],
  })),
  {
    name: '7.1 a close frame from the client',
    pieces: [sent(CLOSE, closing(1000)), received(CLOSE, closing(1000))],
    said: ['sent 8 ', 'received 8 ', 'closed 1000 by client'],
  },
  {
    name: '7.1 one from the origin',
    pieces: [received(CLOSE, closing(1001, 'bye')), sent(CLOSE, closing(1001))],
    said: ['received 8 bye', 'sent 8 ', 'closed 1001 by origin'],
  },
  {
    name: '7.1 what follows a close frame is not read',
    pieces: [sent(CLOSE, closing(1000)), sent(TEXT, 'late'), sent(15, 'x')],
    said: ['sent 8 ', 'closed 1000 by client, not clean'],
  },
  {
    name: '7.3.1 a close frame that says nothing',
    pieces: [sent(CLOSE, ''), received(CLOSE, '')],
    said: ['sent 8 ', 'received 8 ', 'closed 1005 by client'],
  },
  { name: '7.3.2 a close frame of one byte', pieces: [sent(CLOSE, 'x')], said: ['sent 8 ', 'closed 1005 by client, not clean'] },
  {
    name: '7.3.5 a close frame of 125 bytes',
    pieces: [received(CLOSE, closing(1000, 'r'.repeat(123)))],
    said: [`received 8 ${'r'.repeat(123)}`, 'closed 1000 by origin, not clean'],
  },
  {
    name: '7.3.6 a close frame of 126 bytes',
    pieces: [sent(CLOSE, closing(1000, 'r'.repeat(124)))],
    said: [],
    fails: 'a control frame of 126 bytes',
  },
  {
    name: '7.5.1 a reason that is no UTF-8 is told with what is missing replaced',
    pieces: [sent(CLOSE, Buffer.concat([closing(1000), bytesOf('ceba ed a080')]))],
    said: ['sent 8 κ\ufffd\ufffd\ufffd', 'closed 1000 by client, not clean'],
  },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535, 1003, 1011, 3000, 4999].map((code): Case => ({
    name: `7.7 and 7.9 close code ${code}, valid or not`,
    pieces: [sent(CLOSE, closing(code)), received(CLOSE, closing(code))],
    said: ['sent 8 ', 'received 8 ', `closed ${code} by client`],
  })),
  {
    name: 'masked the wrong way round: read all the same',
    pieces: [sent(TEXT, 'bare', { mask: false }), received(TEXT, 'veiled', { mask: true })],
    said: ['sent 1 bare', 'received 1 veiled'],
  },
  {
    name: 'a frame of 2^63 bytes',
    pieces: [['origin', bytesOf('827f 8000 0000 0000 0000 00')]],
    said: [],
    fails: 'a frame of 2^53 bytes or more',
  },
  {
    name: 'a frame that does not end',
    pieces: [sent(TEXT, 'whole'), ['client', rawFrame(TEXT, 'half', { mask: true }).subarray(0, 8)]],
    said: ['sent 1 whole'],
  },
  { name: 'a message that does not end', pieces: [sent(TEXT, 'whole'), sent(TEXT, 'half', more)], said: ['sent 1 whole'] },
];

for (const { name, pieces, said, fails } of CASES) {
  test(name, async () => {
    const closed = said.at(-1)?.startsWith('closed') === true ? [] : ['closed 1006 by origin, not clean'];
    const whole = pieces.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const memories = whole > 1000 ? [whole + 1, 100] : [64];
    for (const memory of memories) {
      for (const size of whole > 1000
        ? [whole, 1000]
        : Array.from({ length: Math.max(...pieces.map(([, bytes]) => bytes.length)) }, (_, at) => at + 1)) {
        const tap = await tapped(cutInto(size, pieces), { by: 'origin', memory });
        assert.deepEqual(tap.said, [...said, ...closed], `in pieces of ${size}`);
        assert.deepEqual(tap.failures, fails === undefined ? [] : [fails]);
        assert.equal(tap.truncated, fails === undefined ? undefined : 'unspecified');
        assert.equal(tap.lines.at(-1)?.error, fails);
      }
    }
  });
}

describe('lines', () => {
  test('each has the members that readers know, in this order, and the last one others', async () => {
    const { lines } = await tapped([sent(TEXT, 'a'), received(BINARY, 'b'), sent(CLOSE, closing(4000, 'c'))], { nowMs: () => 1234.5678 });
    assert.deepEqual(
      lines.map((line) => JSON.stringify(line)),
      [
        '{"ts":1.234568,"type":"sent","opcode":1,"payloadData":"a","mask":true}',
        '{"ts":1.234568,"type":"received","opcode":2,"payloadData":"Yg==","mask":false}',
        '{"ts":1.234568,"type":"sent","opcode":8,"payloadData":"c","code":4000,"mask":true}',
        '{"ts":2.5,"type":"closed","code":4000,"reason":"c","wasClean":false,"by":"client"}',
      ],
    );
  });

  test('Base64 where text is expected is said', async () => {
    const { lines } = await tapped([sent(TEXT, Buffer.from([0xff])), sent(PING, Buffer.from([0xff])), sent(BINARY, Buffer.from([0xff]))]);
    assert.deepEqual(
      lines.map(({ encoding }) => encoding),
      ['base64', 'base64', undefined, undefined],
    );
  });

  for (const by of ['client', 'origin', 'proxy'] as const) {
    test(`the connection ended without a close frame, by the ${by}`, async () => {
      const { said } = await tapped([], { by });
      assert.deepEqual(said, [`closed 1006 by ${by}, not clean`]);
    });
  }
});

test('bytes that are read are not changed', async () => {
  const pieces: [Side, Buffer][] = [['client', rawFrame(TEXT, 'x'.repeat(1000), { mask: true })]];
  const before = Buffer.from(pieces[0]?.[1] ?? '');
  await tapped(pieces);
  assert.deepEqual(pieces[0]?.[1], before);
});

test('one direction that cannot be read does not silence the other', async () => {
  const { said, truncated } = await tapped([sent(3, 'x'), received(TEXT, 'still'), received(CLOSE, closing(1002))]);
  assert.deepEqual(said, ['received 1 still', 'received 8 ', 'closed 1002 by origin, not clean']);
  assert.equal(truncated, 'unspecified');
});

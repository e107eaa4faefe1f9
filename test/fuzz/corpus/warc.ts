/**
 * WARC files that fuzzing begins with, and files that were read wrongly or took far too long (`found` says what it was).
 *
 * Source: ISO 28500:2017 §4, §5, Annex D.
 */
import { gzipSync } from 'node:zlib';
import { base32Sha1, handMade, idOf } from '../../warc/tools/repair-support.ts';

const http = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const response = (id: number) =>
  handMade({
    type: 'response',
    id: idOf(id),
    version: '1.1',
    more: `WARC-Target-URI: http://a/${id}\r\nContent-Type: application/http;msgtype=response\r\nWARC-Payload-Digest: ${base32Sha1('hello')}\r\n`,
    block: http,
  });

/** Each a list of records. */
export const RECORDS: readonly (readonly Buffer[])[] = [
  [handMade({ type: 'warcinfo', id: idOf(1), block: 'software: x\r\n' }), response(2), handMade({ id: idOf(3), block: '' })],
  [response(4), handMade({ type: 'revisit', id: idOf(5), more: `WARC-Refers-To: ${idOf(4)}\r\n`, block: '' }), response(6)],
  [handMade({ id: idOf(7), block: handMade({ id: idOf(8), block: 'inside' }) }), response(9)],
  [handMade({ id: idOf(10), block: gzipSync(response(11)) }), response(12), handMade({ id: idOf(13), block: 'y'.repeat(300) })],
  [handMade({ id: idOf(14), block: 'x'.repeat(70_000) }), response(15)],
];

export const LAYOUTS = ['plain', 'member per record', 'one member', 'two in a member'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** @returns the pieces that each hold whole records */
export function packed(records: readonly Buffer[], layout: Layout): Buffer[] {
  switch (layout) {
    case 'plain':
      return [...records];
    case 'member per record':
      return records.map((record) => gzipSync(record));
    case 'one member':
      return [gzipSync(Buffer.concat(records))];
    case 'two in a member':
      return [gzipSync(Buffer.concat(records.slice(0, 2))), ...records.slice(2).map((record) => gzipSync(record))];
  }
}

export const WARC_TOKENS: readonly string[] = [
  ...[
    'WARC/1.0\r\n',
    'WARC/1.1\r\n',
    'WARC/',
    'WARC/1.0 \r\n',
    'warc/1.0\r\n',
    '\r\n\r\n',
    '\r\n',
    '\n',
    '\r',
    '\n\n',
    '\r\n ',
    '\0',
    '\t',
    ' ',
    ':',
  ],
  ...[
    'Content-Length: 5\r\n',
    'content-length: 0\r\n',
    'Content-Length: -1\r\n',
    'Content-Length:\r\n',
    'Content-Length : 7\r\n',
    ' Content-Length: 3\r\n',
  ],
  ...[
    'X: 1\rContent-Length: 2\r\n',
    'Content-Length: 999999999999999\r\n',
    'Content-Length: 5,5\r\n',
    'CONTENT-LENGTH:5',
    '-',
    '+',
    '0',
    '9',
    '99999999999',
  ],
  ...[
    'WARC-Type: revisit\r\n',
    'WARC-Concurrent-To: <a>\r\n',
    'WARC-Target-URI: a,,,b\r\n',
    'WARC-Block-Digest: sha1:x\r\n',
    'WARC-Payload-Digest: md5:\r\n',
  ],
  ...['WARC-Record-ID:\r\n', 'WARC-Segment-Number: 1\r\n', 'WARC-Truncated: length\r\n', 'é', '\xff', '\u2028', '\x85'],
  ...[
    '\x1f\x8b\x08',
    '\x1f\x8b\x08\0\0\0\0\0\0\x03',
    '\x1f\x8b\x08\x1c\0\0\0\0\0\xff\xff\xff',
    '\x1f',
    '\x03\0',
    '\0\0\0\0\0\0\0\0',
    '\0\0\xff\xff',
  ],
];

export interface BadFile {
  readonly name: string;
  readonly found: string;
  readonly suffix: '.warc' | '.warc.gz';
  /** records that are there to be read, when nothing is the matter with the file */
  readonly records?: number;
  make(): Buffer;
}

const withLength = (field: string, record = handMade({ id: idOf(20) })) =>
  Buffer.from(record.toString('latin1').replace('Content-Length: 5\r\n', field), 'latin1');
const cutOff = (record: Buffer) => record.subarray(0, record.length - 9);

export const BAD_FILES: readonly BadFile[] = [
  {
    name: 'a length in lower case',
    found: 'was whole for the repair, and its block not there for the reader',
    suffix: '.warc',
    records: 2,
    make: () => Buffer.concat([withLength('content-length: 5\r\n'), handMade({ id: idOf(21) })]),
  },
  {
    name: 'white space before the colon of the length',
    found: 'was whole for the repair, and without a length for the reader',
    suffix: '.warc',
    records: 2,
    make: () => Buffer.concat([withLength('Content-Length : 5\r\n'), handMade({ id: idOf(22) })]),
  },
  {
    name: 'white space before the length, which continues nothing',
    found: 'was without a length for the repair, which cuts such a record off, and whole for the reader',
    suffix: '.warc',
    records: 2,
    make: () => Buffer.concat([withLength('X:\r\n Content-Length: 5\r\n'), handMade({ id: idOf(23) })]),
  },
  {
    name: 'two lengths',
    found: 'the first counted for the repair, which kept what the reader refuses',
    suffix: '.warc',
    make: () => Buffer.concat([handMade({ id: idOf(24) }), withLength('Content-Length: 5\r\nContent-Length: 5\r\n')]),
  },
  {
    name: 'a length behind a CR within another field',
    found: 'counted for the repair, which kept what the reader reads with another length',
    suffix: '.warc',
    records: 2,
    make: () => Buffer.concat([withLength('X: 1\rContent-Length: 0\r\nContent-Length: 5\r\n'), handMade({ id: idOf(25) })]),
  },
  {
    name: 'a cut-off block full of versions',
    found: 'each of them was looked at with the 16 MiB behind it, 1.6 TB for 1 MB',
    suffix: '.warc',
    make: () => cutOff(handMade({ id: idOf(26), block: 'WARC/1.0\r\n'.repeat(100_000) })),
  },
  {
    name: 'a cut-off block full of versions in fields',
    found: 'the same, of lines that might be fields',
    suffix: '.warc',
    make: () => cutOff(handMade({ id: idOf(27), block: 'a: WARC/1.0\r\nContent-Length: 1\r\n'.repeat(20_000) })),
  },
  {
    name: 'a member with a flag that means nothing yet',
    found: 'was whole for us, and for nobody else',
    suffix: '.warc.gz',
    make: () => Buffer.concat([gzipSync(handMade({ id: idOf(30) })), withFlags(gzipSync(handMade({ id: idOf(31) })), 0x20)]),
  },
  {
    name: 'many records that are not whole',
    found: 'for each of them 16 MiB were read again',
    suffix: '.warc',
    make: () => Buffer.from('WARC/1.0\r\nContent-Length: 0\r\n\r\nx\r\n\r\n'.repeat(20_000)),
  },
  {
    name: 'a member of a header without end',
    found: 'was kept in memory as long as it lasted, here 100 MB of a file of 450 kB',
    suffix: '.warc.gz',
    make: () => gzipSync(Buffer.concat([Buffer.from('WARC/1.0\r\nA: '), Buffer.alloc(100_000_000, 'a')]), { level: 1 }),
  },
  {
    name: 'a digest of many equals signs',
    found: 'each of them was looked at with all behind it',
    suffix: '.warc',
    records: 1,
    make: () => handMade({ id: idOf(28), more: `WARC-Block-Digest: sha1:${'='.repeat(200_000)}x\r\n` }),
  },
];

function withFlags(member: Buffer, flags: number): Buffer {
  return Buffer.concat([member.subarray(0, 3), Buffer.of(flags), member.subarray(4)]);
}

/**
 * Records written as they are.
 */
import { headsOf, memoryPieces, pieces, RECORD_END } from '../../layout.ts';
import type { Ahead, Encoder } from '../codec.ts';

/** More than any file has, in as many digits as readers take (read/head.ts). */
const ENDLESS = 'WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 999999999999999';
const LENGTH = /(?<=\r\nContent-Length:) (?=\d+\r\n\r\n$)/;

/** Heads are filled up with blanks in front of the length, which mean nothing. */
const ahead: Ahead = {
  placeholder: (room) => Buffer.from(`${ENDLESS.padEnd(room - RECORD_END.length)}\r\n\r\n`),
  head(head, room) {
    const blanks = room - Buffer.byteLength(head) + 1;
    return blanks < 1 ? undefined : Buffer.from(head.replace(LENGTH, ' '.repeat(blanks)));
  },
  end: RECORD_END,
};

export const plainEncoder: Encoder = {
  suffix: '.warc',
  units(records) {
    const headOf = headsOf(records);
    let next = 0;
    return {
      next() {
        const record = records[next++];
        if (record === undefined) throw new RangeError(`no record ${next - 1}`);
        return memoryPieces(record, headOf);
      },
    };
  },
  async stream(record, into, sink) {
    for await (const some of pieces(record, into)) await sink(some);
  },
  ahead,
  close: () => Promise.resolve(),
};

/**
 * Records written as they are.
 */
import { memoryPieces, pieces } from '../../layout.ts';
import type { Encoder } from '../codec.ts';

export const plainEncoder: Encoder = {
  suffix: '.warc',
  units(records) {
    let next = 0;
    return {
      next() {
        const record = records[next++];
        if (record === undefined) throw new RangeError(`no record ${next - 1}`);
        return memoryPieces(record);
      },
    };
  },
  async stream(record, into, sink) {
    for await (const some of pieces(record, into)) await sink(some);
  },
  close: () => Promise.resolve(),
};

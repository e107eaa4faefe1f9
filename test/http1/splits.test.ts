import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CORPUS, NEXT } from './corpus.ts';
import { byteByByte, bytes, readMessage } from './read.ts';

describe('a message reads the same however it is split', () => {
  for (const { name, side, bytes: message, outcome } of CORPUS) {
    test(name, () => {
      const stream = Buffer.concat([message, bytes(NEXT)]);
      const whole = readMessage([stream], side);
      if (outcome === 'refused') {
        assert.notEqual(whole.error, undefined);
      } else {
        assert.equal(whole.error, undefined);
        assert.equal(whole.done, outcome === 'complete');
        assert.equal(whole.after, outcome === 'complete' ? NEXT : '');
        assert.equal(whole.head + whole.body + whole.after, stream.toString('latin1').replace(/^(?:\r\n)+/, ''));
      }
      for (let at = 0; at <= stream.length; at++) {
        sameAs(whole, readMessage([stream.subarray(0, at), stream.subarray(at)], side), `split at ${at}`);
      }
      sameAs(whole, readMessage(byteByByte(stream), side), 'byte by byte');
    });
  }

  /** A refused message has no end, so that what was read of its body before the refusal depends on the split. */
  function sameAs(whole: ReturnType<typeof readMessage>, split: ReturnType<typeof readMessage>, how: string): void {
    if (whole.error === undefined) assert.deepEqual(split, whole, how);
    else assert.deepEqual([split.error, split.head, split.done], [whole.error, whole.head, false], how);
  }
});

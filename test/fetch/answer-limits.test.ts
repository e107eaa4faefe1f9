/** What ends an answer before it is whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fields } from '../../src/http/fields.ts';
import { AnswerLimits, type FinishAbandoned } from '../../src/fetch/answer-limits.ts';

const MIB = 1024 * 1024;

function limits(finishAbandoned: FinishAbandoned, maxResourceBytes = 0): AnswerLimits {
  return new AnswerLimits({ maxResourceBytes, finishAbandoned, minRate: { bytesPerSecond: 0, windowMs: 1000 } });
}

test('while its client is there only its size ends it', () => {
  for (const which of ['always', 'small', 'never'] as const) {
    assert.equal(limits(which).reached(Number.MAX_SAFE_INTEGER), undefined);
    assert.deepEqual(
      [100, 101].map((bytes) => limits(which, 100).reached(bytes)),
      [undefined, 'length'],
    );
  }
});

/** Whether it goes on once its client has left, and whether it still does when so much more has come. */
const ABANDONED = [
  { which: 'always', received: 0, announced: 1e12, more: 1e11, now: true, later: true },
  { which: 'never', received: 0, announced: 10, more: 1, now: false, later: false },
  { which: 'small', received: 100, announced: 100 + 10 * MIB, more: 10 * MIB, now: true, later: true },
  { which: 'small', received: 100, announced: 101 + 10 * MIB, more: 1, now: false, later: false },
  { which: 'small', received: 900 * MIB, announced: 1000 * MIB, more: 99 * MIB, now: true, later: true },
  { which: 'small', received: 899 * MIB, announced: 1000 * MIB, more: 1, now: false, later: false },
  { which: 'small', received: 5 * MIB, announced: undefined, more: 10 * MIB, now: true, later: true },
  { which: 'small', received: 5 * MIB, announced: undefined, more: 10 * MIB + 1, now: true, later: false },
] as const;

for (const { which, received, announced, more, now, later } of ABANDONED) {
  test(`${which}, client gone at ${received} of ${announced ?? 'unknown'} bytes: goes on ${now}, ${more} bytes later ${later}`, () => {
    const answer = limits(which);
    answer.abandon(received, announced, new Fields([]));
    assert.deepEqual(
      [answer.reached(received), answer.reached(received + more)],
      [now, later].map((on) => (on ? undefined : 'disconnect')),
    );
  });
}

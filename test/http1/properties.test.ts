import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageError } from '../../src/http/errors.ts';
import { parseRequestHead, parseResponseHead } from '../../src/http1/head.ts';
import { forwardedLines } from '../../src/http1/serialize.ts';
import { parseAuthority } from '../../src/http/authority.ts';
import { absoluteTarget, connectTarget } from '../../src/http/target.ts';
import { SEED } from '../support/seed.ts';

fc.configureGlobal({ seed: SEED });
import { CORPUS, NEXT, type Message } from './corpus.ts';
import { bytes, readMessage } from './read.ts';

const anyMessage = fc.constantFrom(...CORPUS);
/** Octets that mean something in a message come up often. */
const octet = fc.oneof(fc.constantFrom(...bytes('\0\t\n\r\r\n\n ,:;0aF\x7f\xa0')), fc.nat(255));
const mutation = fc.record({ at: fc.nat(10_000), remove: fc.nat(2), insert: fc.array(octet, { maxLength: 3 }) });

function mutated(message: Message, mutations: readonly { at: number; remove: number; insert: readonly number[] }[]): Buffer {
  let result = message.bytes;
  for (const { at, remove, insert } of mutations) {
    const start = at % (result.length + 1);
    result = Buffer.concat([result.subarray(0, start), Buffer.from(insert), result.subarray(start + remove)]);
  }
  return Buffer.concat([result, bytes(NEXT)]);
}

function cut(whole: Buffer, at: readonly number[]): Buffer[] {
  const offsets = [0, ...at.map((one) => one % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return offsets.slice(1).map((end, i) => whole.subarray(offsets[i], end));
}

test('a mutated message is read or refused, and the same way however it is split', () => {
  let refused = 0;
  let complete = 0;
  fc.assert(
    fc.property(
      anyMessage,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(10_000), { maxLength: 6 }),
      (message, mutations, at) => {
        const stream = mutated(message, mutations);
        const whole = readMessage([stream], message.side);
        const split = readMessage(cut(stream, at), message.side);
        if (whole.error === undefined) assert.deepEqual(split, whole);
        else assert.deepEqual([split.error, split.head, split.done], [whole.error, whole.head, false]);
        if (whole.error !== undefined) refused++;
        else if (whole.done) complete++;
      },
    ),
    { numRuns: 4000 },
  );
  assert.ok(refused > 100 && complete > 100, `${refused} refused, ${complete} complete`);
});

test('what is sent on of a mutated response is read strictly, with the same values', () => {
  let found = 0;
  const responses = CORPUS.filter((message) => message.side !== 'request');
  fc.assert(
    fc.property(fc.constantFrom(...responses), fc.array(mutation, { minLength: 1, maxLength: 4 }), (message, mutations) => {
      const stream = mutated(message, mutations);
      let head;
      try {
        head = parseResponseHead(stream.subarray(0, stream.length - NEXT.length));
      } catch (error) {
        assert.ok(error instanceof MessageError);
        return;
      }
      const lines = forwardedLines(head.fields, () => undefined, undefined);
      // RFC 9110 §5.5 lets other control characters pass; the strict reading refuses them.
      if (/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(lines)) return;
      const again = parseRequestHead(bytes(`GET / HTTP/1.1\r\n${lines.replace(/^host:.*\r\n/gim, '')}\r\n`));
      // Transfer-Encoding is sent on without what is no coding.
      const compared = again.fields.list.filter(({ key }) => key !== 'transfer-encoding');
      const values = head.fields.list.filter(
        ({ key }) => new RegExp(`^${key.replace(/\W/g, '\\$&')}:`, 'im').test(lines) && key !== 'host' && key !== 'transfer-encoding',
      );
      assert.deepEqual(
        compared.map(({ key, value }) => [key, value]),
        values.map(({ key, value }) => [key, value]),
      );
      found++;
    }),
    { numRuns: 2000 },
  );
  assert.ok(found > 500, `${found} read`);
});

test('any text is a target or refused, and a host is in its normal form once', () => {
  let hosts = 0;
  const sign = fc.constantFrom(...'aZ0189.:-_%[]@/?#\\ *x\xe4\xc3\xa9\xa0'.split(/(?:)/));
  const text = fc.string({ unit: sign, maxLength: 12 });
  fc.assert(
    fc.property(text, (written) => {
      for (const read of [
        () => absoluteTarget('GET', `http://${written}/`),
        () => connectTarget(`${written}:443`),
        () => parseAuthority(written, 80),
      ]) {
        try {
          const { host, port } = read();
          const again = parseAuthority(host.includes(':') ? `[${host}]` : host, port);
          assert.deepEqual(again, { host, port });
          hosts++;
        } catch (error) {
          assert.ok(error instanceof MessageError, String(error));
          assert.doesNotMatch(error.message, /[\0-\x1f\x7f]/);
        }
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(hosts > 500, `${hosts} hosts`);
});

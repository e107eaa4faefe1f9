/**
 * Any bytes as requests (read strictly) and as responses (read leniently): what may come of them, however they come.
 *
 * The laws: nothing is thrown but MessageError, with one line; every split reads the same; what is taken and what is left over are the
 * bytes that came; what is sent on reads as what was understood, strictly, with one statement on where the body ends.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageError } from '../../src/http/errors.ts';
import { requestFraming, responseFraming } from '../../src/http1/framing.ts';
import { parseRequestHead, parseResponseHead } from '../../src/http1/head.ts';
import { bytes, readMessage } from '../http1/read.ts';
import { REQUESTS, RESPONSES, TOKENS } from './corpus/http1.ts';
import { sentRequest, sentResponse } from './sent-on.ts';
import { cut, cuts, fuzz, LONG, mutate, mutations, named, Tally } from './support.ts';

const ONE_LINE = /^[^\0-\x1f\x7f-\x9f]*$/;
const changes = mutations(TOKENS);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((octets) => Buffer.from(octets)),
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 12 }).map((tokens) => bytes(tokens.join(''))),
);

function requestLaws(stream: Buffer, at: readonly number[], tally: Tally): void {
  const whole = readMessage([stream], 'request');
  const split = readMessage(cut(stream, at), 'request');
  if (whole.error !== undefined) {
    assert.match(whole.error, ONE_LINE);
    assert.deepEqual([split.error, split.head, split.done], [whole.error, whole.head, false]);
    return tally.add('refused');
  }
  assert.deepEqual(split, whole);
  if (whole.framing === undefined) return tally.add('incomplete heads');
  assert.equal(whole.head + whole.body + whole.after, stream.toString('latin1').replace(/^[\r\n]+/, ''));
  tally.add(whole.done ? 'complete' : 'incomplete bodies');
  const sent = sentRequest(whole);
  if (sent === undefined) return tally.add('refused as a target');
  const again = parseRequestHead(sent.headBytes);
  assert.deepEqual([again.method, again.target, again.minor], [sent.head.method, sent.target.path, sent.head.minor]);
  assert.deepEqual(requestFraming(again), whole.framing);
  assert.equal(again.fields.all('host').length, 1);
  const second = sentRequest({ ...whole, head: sent.headBytes.toString('latin1') });
  if (sent.target.path.startsWith('/')) assert.deepEqual(second?.headBytes, sent.headBytes);
}

function responseLaws(stream: Buffer, method: string, at: readonly number[], tally: Tally): void {
  const whole = sentResponse([stream], method);
  const split = sentResponse(cut(stream, at), method);
  if (whole === undefined || typeof whole === 'string') {
    if (whole !== undefined) assert.match(whole, ONE_LINE);
    assert.equal(split, whole);
    return tally.add(whole === undefined ? 'incomplete heads' : 'refused');
  }
  assert.ok(split !== undefined && typeof split !== 'string');
  if (whole.error !== undefined) {
    assert.match(whole.error, ONE_LINE);
    // Of the piece in which the body went wrong nobody knows how much is body.
    assert.deepEqual([split.error, split.recordedHead, split.done], [whole.error, whole.recordedHead, false]);
    tally.add('cut');
  } else {
    assert.deepEqual(split, whole);
    tally.add(whole.done ? 'complete' : 'incomplete bodies');
  }
  // What is recorded is what came, in one piece and in its order.
  const came = stream.toString('latin1');
  const recorded = whole.recordedHead.toString('latin1') + whole.body;
  assert.ok(whole.excess || whole.error !== undefined ? came.includes(recorded) : came.endsWith(recorded));
  if (!whole.excess && whole.framing.kind !== 'none' && !whole.done) assert.ok(came.endsWith(recorded));

  const final = whole.headToClient;
  // No line of the head holds what somebody takes for a line end, and it ends once.
  assert.doesNotMatch(final.replaceAll('\r\n', ''), /[\0\r\n]/);
  assert.equal(final.indexOf('\r\n\r\n'), final.length - 4);
  const again = parseResponseHead(bytes(final));
  assert.ok(again.fields.list.every(({ exact }) => exact) || /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(final), final);
  assert.deepEqual([again.status, again.reason], [whole.head.status, whole.head.reason]);
  assert.deepEqual(responseFraming(again, method), whole.framing);
  const statements = again.fields.all('content-length').length + again.fields.all('transfer-encoding').length;
  if (whole.framing.kind === 'length') assert.equal(statements, 1);
  if (whole.framing.kind === 'chunked') assert.ok(!again.fields.has('content-length'));
}

test('every seed is a request that is read, or one that is refused, by these laws', () => {
  for (const seed of REQUESTS) requestLaws(seed.bytes, [7, 40], new Tally());
});

test('every seed that was found to have two readings is refused', () => {
  const found = REQUESTS.filter((seed) => seed.found !== undefined);
  assert.ok(found.length > 0);
  for (const { name, bytes: seed } of found) assert.notEqual(readMessage([seed], 'request').error, undefined, name);
});

test('every seed is a response that is read, or one that is refused, by these laws', () => {
  for (const { bytes: seed, method } of RESPONSES) responseLaws(seed, method, [7, 40], new Tally());
});

test('mutated requests', LONG, async (t) => {
  const tally = new Tally();
  const [seed, other] = [fc.constantFrom(...REQUESTS), fc.constantFrom(...REQUESTS, ...RESPONSES)];
  const property = fc.property(seed, other, changes, cuts, (message, donor, mutation, at) => {
    const stream = mutate(message.bytes, mutation, donor.bytes);
    named(stream, () => requestLaws(stream, at, tally));
  });
  await fuzz(t, property, 4_000, tally);
  assert.ok(tally.of('complete') > 100 && tally.of('refused') > 100, String(tally));
});

test('mutated responses', LONG, async (t) => {
  const tally = new Tally();
  const [seed, other] = [fc.constantFrom(...RESPONSES), fc.constantFrom(...REQUESTS, ...RESPONSES)];
  const property = fc.property(seed, other, changes, cuts, (message, donor, mutation, at) => {
    const stream = mutate(message.bytes, mutation, donor.bytes);
    named(stream, () => responseLaws(stream, message.method, at, tally));
  });
  await fuzz(t, property, 4_000, tally);
  assert.ok(tally.of('complete') > 100 && tally.of('refused') > 50 && tally.of('cut') > 20, String(tally));
});

test('any bytes', LONG, async (t) => {
  const tally = new Tally();
  const starts = fc.constantFrom(
    '',
    'GET http://a/ HTTP/1.1\r\n',
    'HTTP/1.1 200 OK\r\n',
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const property = fc.property(starts, anyBytes, cuts, (start, noise, at) => {
    const stream = Buffer.concat([bytes(start), noise]);
    requestLaws(stream, at, tally);
    responseLaws(stream, 'GET', at, tally);
    for (const read of [parseRequestHead, parseResponseHead]) {
      try {
        read(stream);
      } catch (error) {
        assert.ok(error instanceof MessageError);
      }
    }
  });
  await fuzz(t, property, 2_000, tally);
  assert.ok(tally.of('refused') > 100, String(tally));
});

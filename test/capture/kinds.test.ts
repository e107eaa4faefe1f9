import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capture } from '../../src/capture/capture.ts';
import {
  bodySize,
  contentType,
  isArchivable,
  isExchange,
  isFailure,
  originMethod,
  payloadDigest,
  releaseCapture,
  spoolsOf,
  statusOf,
  wireSize,
} from '../../src/capture/kinds.ts';
import { custom, exchange, failure, sha1 } from '../warc/support.ts';

test('every kind of capture answers the same questions', () => {
  const answers = (capture: Capture) => ({
    is: [isArchivable(capture), isExchange(capture), isFailure(capture)],
    sizes: [wireSize(capture), bodySize(capture)],
    digest: isArchivable(capture) ? payloadDigest(capture) : undefined,
    type: contentType(capture),
    method: originMethod(capture),
    status: statusOf(capture),
    held: spoolsOf(capture).map(({ size }) => size),
  });
  const head = 'HTTP/1.1 200 OK\r\n\r\n';
  assert.deepEqual(answers(exchange({ head, body: '5\r\nhello\r\n0\r\n\r\n', payload: 'hello', request: 'GET /' })), {
    is: [true, true, false],
    sizes: [head.length + 15, 15],
    digest: sha1('hello'),
    type: 'text/plain',
    method: 'GET',
    status: 200,
    held: [head.length + 15, 5],
  });
  assert.deepEqual(answers(custom('metadata', 'text/x', 'hello')), {
    is: [true, false, false],
    sizes: [5, 5],
    digest: sha1('hello'),
    type: 'text/x',
    method: undefined,
    status: 204,
    held: [5],
  });
  assert.deepEqual(answers(failure()), {
    is: [false, false, true],
    sizes: [0, 0],
    digest: undefined,
    type: undefined,
    method: 'GET',
    status: 502,
    held: [],
  });
});

test('what is held is let go of, whatever the kind, and twice does nothing', () => {
  for (const capture of [exchange(), custom('metadata', 'text/x', 'hello'), failure()]) {
    for (let twice = 0; twice < 2; twice++) releaseCapture(capture);
    for (const { memory } of spoolsOf(capture)) assert.deepEqual(memory, []);
  }
});

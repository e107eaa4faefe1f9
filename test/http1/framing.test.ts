import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Framing } from '../../src/http/message.ts';
import { keepsConnection, requestFraming, responseFraming } from '../../src/http1/framing.ts';
import { refusal, requestHead, responseHead } from './read.ts';

const NONE: Framing = { kind: 'none' };
const CHUNKED: Framing = { kind: 'chunked' };
const CLOSE: Framing = { kind: 'close' };
const length = (n: number): Framing => ({ kind: 'length', length: n });

describe('the body of a request', () => {
  const accepted: [fields: string, Framing][] = [
    ['', NONE],
    ['Content-Length: 0\r\n', length(0)],
    ['Content-Length: 17\r\n', length(17)],
    ['content-length:0017\r\n', length(17)],
    [`Content-Length: ${Number.MAX_SAFE_INTEGER}\r\n`, length(Number.MAX_SAFE_INTEGER)],
    ['Transfer-Encoding: chunked\r\n', CHUNKED],
    ['TRANSFER-ENCODING:\t Chunked \r\n', CHUNKED],
    ['Transfer-Encoding: gzip, chunked\r\n', CHUNKED],
    ['Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', CHUNKED],
    ['Connection: close, transfer-encoding\r\nTransfer-Encoding: chunked\r\n', CHUNKED],
  ];
  for (const [fields, framing] of accepted) {
    test(`with ${JSON.stringify(fields)} is ${framing.kind}`, () => {
      for (const method of ['GET', 'POST', 'HEAD']) assert.deepEqual(requestFraming(requestHead(fields, `${method} / HTTP/1.1`)), framing);
    });
  }

  const CODING = 'Transfer-Encoding not understood, expected "chunked"';
  const LENGTH = 'malformed Content-Length, expected decimal digits';
  const refused: [fields: string, message: string][] = [
    ['Content-Length: 1\r\nTransfer-Encoding: chunked\r\n', 'both Content-Length and Transfer-Encoding: "chunked"'],
    ['Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', 'both Content-Length and Transfer-Encoding: "chunked"'],
    ['Transfer-Encoding: identity\r\nContent-Length: 3\r\n', 'both Content-Length and Transfer-Encoding: "identity"'],
    ['Transfer-Encoding:\r\n', `${CODING}: ""`],
    ['Transfer-Encoding: identity\r\n', `${CODING}: "identity"`],
    ['Transfer-Encoding: gzip\r\n', `${CODING}: "gzip"`],
    ['Transfer-Encoding: chunked, gzip\r\n', `${CODING}: "chunked, gzip"`],
    ['Transfer-Encoding: chunked, chunked\r\n', `${CODING}: "chunked, chunked"`],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', `${CODING}: "chunked, chunked"`],
    ['Transfer-Encoding: chunked,\r\n', `${CODING}: "chunked,"`],
    ['Transfer-Encoding: ,chunked\r\n', `${CODING}: ",chunked"`],
    ['Transfer-Encoding: xchunked\r\n', `${CODING}: "xchunked"`],
    ['Transfer-Encoding: x, chunked\r\n', `${CODING}: "x, chunked"`],
    ['Transfer-Encoding: "chunked"\r\n', `${CODING}: "\\"chunked\\""`],
    ['Transfer-Encoding: chunked;q=1\r\n', `${CODING}: "chunked;q=1"`],
    ['Transfer-Encoding: chunked\xa0\r\n', `${CODING}: "chunked\xa0"`],
    ['Content-Length: 1\r\nContent-Length: 1\r\n', 'more than one Content-Length: "1, 1"'],
    ['Content-Length: 1\r\nContent-Length: 2\r\n', 'more than one Content-Length: "1, 2"'],
    ['Content-Length:\r\nContent-Length: 2\r\n', 'more than one Content-Length: ", 2"'],
    ['Content-Length:\r\n', `${LENGTH}: ""`],
    ['Content-Length: 1, 1\r\n', `${LENGTH}: "1, 1"`],
    ['Content-Length: 1 1\r\n', `${LENGTH}: "1 1"`],
    ['Content-Length: +1\r\n', `${LENGTH}: "+1"`],
    ['Content-Length: -1\r\n', `${LENGTH}: "-1"`],
    ['Content-Length: 1.0\r\n', `${LENGTH}: "1.0"`],
    ['Content-Length: 1e3\r\n', `${LENGTH}: "1e3"`],
    ['Content-Length: 0x10\r\n', `${LENGTH}: "0x10"`],
    ['Content-Length: \xb2\r\n', `${LENGTH}: "\xb2"`],
    ['Content-Length: 9007199254740992\r\n', `${LENGTH}: "9007199254740992"`],
    ['Content-Length: 99999999999999999999\r\n', `${LENGTH}: "99999999999999999999"`],
  ];
  for (const [fields, message] of refused) {
    test(`with ${JSON.stringify(fields)} is refused`, () => {
      assert.throws(() => requestFraming(requestHead(fields, 'POST / HTTP/1.1')), refusal(message));
    });
  }

  test('that is chunked in HTTP/1.0 is refused', () => {
    const head = requestHead('Transfer-Encoding: chunked\r\n', 'POST / HTTP/1.0');
    assert.throws(() => requestFraming(head), refusal('Transfer-Encoding in an HTTP/1.0 request: "chunked"'));
  });
});

describe('the body of a response', () => {
  const cases: [fields: string, Framing][] = [
    ['', CLOSE],
    ['Content-Length: 0\r\n', length(0)],
    ['Content-Length: 5\r\n', length(5)],
    ['Content-Length: 5\r\nContent-Length: 5\r\n', length(5)],
    ['Content-Length: 5, 5\r\nContent-Length: 05\r\n', length(5)],
    ['Content-Length : 5\n', length(5)],
    ['Content-Length:\r\n 5\r\n', length(5)],
    ['Content-Length: 5\r\r\n', length(5)],
    ['Content-Length: five\r\n', CLOSE],
    ['Content-Length: -5\r\n', CLOSE],
    ['Content-Length: 1\r\n 2\r\n', CLOSE],
    ['Content-Length:\r\n', CLOSE],
    ['Content-Length: 99999999999999999999\r\n', CLOSE],
    ['Transfer-Encoding: chunked\r\n', CHUNKED],
    ['transfer-encoding : CHUNKED\n', CHUNKED],
    ['Transfer-Encoding:\r\n\tchunked\r\n', CHUNKED],
    ['Transfer-Encoding: chunked\r\r\n', CHUNKED],
    ['Transfer-Encoding: gzip, chunked\r\n', CHUNKED],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', CHUNKED],
    ['Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', CHUNKED],
    ['Content-Length: 5\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n', CHUNKED],
    ['Transfer-Encoding: chunked, identity\r\n', CHUNKED],
    ['Transfer-Encoding: identity\r\nContent-Length: 5\r\n', length(5)],
    ['Transfer-Encoding:\r\nContent-Length: 5\r\n', length(5)],
    ['Transfer-Encoding: identity\r\n', CLOSE],
    ['Transfer-Encoding: gzip\r\nContent-Length: 5\r\n', CLOSE],
    ['Transfer-Encoding: chunked, gzip\r\n', CLOSE],
    ['Transfer-Encoding: binary\r\nContent-Length: 5\r\n', CLOSE],
    ['X\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n', length(5)],
    ['Transfer-Encoding\x0b: chunked\r\nContent-Length: 5\r\n', length(5)],
  ];
  for (const [fields, framing] of cases) {
    test(`with ${JSON.stringify(fields)} is ${framing.kind}`, () => {
      for (const line of ['HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 404 No']) {
        assert.deepEqual(responseFraming(responseHead(fields, line), 'GET'), framing, line);
      }
      for (const status of [100, 103, 199, 204, 304])
        assert.deepEqual(responseFraming(responseHead(fields, `HTTP/1.1 ${status}`), 'GET'), NONE);
      assert.deepEqual(responseFraming(responseHead(fields), 'HEAD'), NONE);
    });
  }

  for (const [fields, found] of [
    ['Content-Length: 5\r\nContent-Length: 6\r\n', '5, 6'],
    ['Content-Length: 5, 6\r\n', '5, 6'],
    ['Content-Length: 5\r\nContent-Length: x\r\n', '5, x'],
  ] as const) {
    test(`with ${JSON.stringify(fields)} is refused, unless the answer has none`, () => {
      assert.throws(() => responseFraming(responseHead(fields), 'GET'), refusal(`differing lengths in the response: "${found}"`));
      assert.deepEqual(responseFraming(responseHead(fields), 'HEAD'), NONE);
    });
  }
});

describe('a connection', () => {
  for (const [line, fields, keeps] of [
    ['HTTP/1.1 200 OK', '', true],
    ['HTTP/1.1 200 OK', 'Connection: keep-alive\r\n', true],
    ['HTTP/1.1 200 OK', 'Connection: Close\r\n', false],
    ['HTTP/1.1 200 OK', 'Connection: upgrade,\tclose\r\n', false],
    ['HTTP/1.1 200 OK', 'Connection: x\r\nconnection : close\n', false],
    ['HTTP/1.1 200 OK', 'Connection: closed\r\n', true],
    ['HTTP/1.1 200 OK', 'Proxy-Connection: close\r\n', false],
    ['HTTP/1.0 200 OK', '', false],
    ['HTTP/1.0 200 OK', 'Connection: keep-alive\r\n', false],
    ['HTTP/1 200 OK', '', false],
  ] as const) {
    test(`is ${keeps ? 'kept' : 'closed'} after ${line} with ${JSON.stringify(fields)}`, () => {
      assert.equal(keepsConnection(responseHead(fields, line)), keeps);
    });
  }

  test('is kept after a request of HTTP/1.1 and closed after one of HTTP/1.0', () => {
    assert.equal(keepsConnection(requestHead('')), true);
    assert.equal(keepsConnection(requestHead('Proxy-Connection: keep-alive\r\n', 'GET / HTTP/1.0')), false);
  });
});

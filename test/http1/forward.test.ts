/** Heads as they are sent on; what goes over the wire is in test/e2e/forwarding.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Framing } from '../../src/http/message.ts';
import { requestFraming, responseFraming } from '../../src/http1/framing.ts';
import { parseRequestHead, parseResponseHead } from '../../src/http1/head.ts';
import { requestBytes, responseLines } from '../../src/http1/forward.ts';
import { VIA } from '../../src/proxy/passage.ts';
import { route } from '../../src/proxy/router.ts';
import { clientRequest } from './read.ts';

function forwarded(text: string, via = false): string {
  const head = parseRequestHead(Buffer.from(text, 'latin1'));
  requestFraming(head);
  const wanted = route(clientRequest(head), via);
  assert.equal(wanted.kind, 'fetch');
  return requestBytes(wanted.outgoing).toString('latin1');
}

function answered(
  text: string,
  { method = 'GET', close = false, unchunk = false, added = [] as readonly (readonly [string, string])[] } = {},
): string {
  const head = parseResponseHead(Buffer.from(text, 'latin1'));
  const framing: Framing = responseFraming(head, method);
  return responseLines(head, { framing, close, unchunk, via: VIA, added });
}

test('the default port is not written into a Host of ours', () => {
  assert.equal(forwarded('GET http://A.example:80/ HTTP/1.1\r\n\r\n'), 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
  assert.equal(forwarded('GET http://a.example:81/ HTTP/1.1\r\n\r\n'), 'GET / HTTP/1.1\r\nHost: a.example:81\r\n\r\n');
  assert.equal(forwarded('GET http://[::1]:80/ HTTP/1.1\r\n\r\n'), 'GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n');
});

test('a Host with the default port written out means the same, and stays', () => {
  assert.equal(forwarded('GET http://a.example/ HTTP/1.1\r\nhost:A.example:80\r\n\r\n'), 'GET / HTTP/1.1\r\nhost:A.example:80\r\n\r\n');
});

test('in a tunnel Host is left alone, whatever it says', () => {
  const head = parseRequestHead(Buffer.from('GET / HTTP/1.1\r\nHost: other\r\n\r\n'));
  const tunnel = { scheme: 'https', host: 'a.example', port: 443, servername: undefined } as const;
  const wanted = route(clientRequest(head, tunnel), false);
  assert.equal(wanted.kind, 'fetch');
  assert.equal(requestBytes(wanted.outgoing).toString(), 'GET / HTTP/1.1\r\nHost: other\r\n\r\n');
});

test('a request of HTTP/1.0 stays one', () => {
  assert.equal(forwarded('GET http://a/ HTTP/1.0\r\nA: 1\r\n\r\n', true), 'GET / HTTP/1.0\r\nHost: a\r\nA: 1\r\nVia: 1.1 warcprox\r\n\r\n');
});

test('an answer of HTTP/1.0 is passed on as HTTP/1.1, with the end of the connection told', () => {
  assert.equal(
    answered('HTTP/1.0 200 OK\r\nA: 1\r\n\r\n', { close: true }),
    'HTTP/1.1 200 OK\r\nA: 1\r\nVia: 1.1 warcprox\r\nConnection: close\r\n\r\n',
  );
});

test('fields of our own stand behind those of the origin', () => {
  assert.equal(
    answered('HTTP/1.1 204 X\r\nA: 1\r\n\r\n', { added: [['B', '2']] }),
    'HTTP/1.1 204 X\r\nA: 1\r\nVia: 1.1 warcprox\r\nB: 2\r\n\r\n',
  );
});

test('the answer to HEAD, and 304, keep the length of what they stand for', () => {
  const fields = 'Content-Length: 99\r\n';
  assert.equal(answered(`HTTP/1.1 200 OK\r\n${fields}\r\n`, { method: 'HEAD' }), `HTTP/1.1 200 OK\r\n${fields}Via: 1.1 warcprox\r\n\r\n`);
  assert.equal(answered(`HTTP/1.1 304 No\r\n${fields}\r\n`), `HTTP/1.1 304 No\r\n${fields}Via: 1.1 warcprox\r\n\r\n`);
});

test('204 and interim answers never promise a body', () => {
  const fields = 'Content-Length: 99\r\nTransfer-Encoding: chunked\r\n';
  assert.equal(answered(`HTTP/1.1 204 No Content\r\n${fields}\r\n`), 'HTTP/1.1 204 No Content\r\nVia: 1.1 warcprox\r\n\r\n');
  assert.equal(answered(`HTTP/1.1 103 Early Hints\r\n${fields}\r\n`), 'HTTP/1.1 103 Early Hints\r\n\r\n');
});

test('without its chunks an answer has neither coding nor trailers announced', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nA: 1\r\n\r\n';
  assert.equal(answered(head, { unchunk: true, close: true }), 'HTTP/1.1 200 OK\r\nA: 1\r\nVia: 1.1 warcprox\r\nConnection: close\r\n\r\n');
});

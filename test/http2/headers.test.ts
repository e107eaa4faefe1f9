/** Heads as HTTP/2 sends them on: what is left out, added, put together. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldOf, Fields, type Field } from '../../src/http/fields.ts';
import type { Framing } from '../../src/http/message.ts';
import { AS_IT_IS } from '../../src/http/sides.ts';
import { requestHeaders, responseHeaders, trailerHeaders, type SentRequest } from '../../src/http2/headers.ts';

type Pair = readonly [name: string, value: string];

const fieldsOf = (pairs: readonly Pair[]) => new Fields(pairs.map(([name, value]) => fieldOf(name, value)));
const TARGET = { scheme: 'https', host: 'a.example', port: 443, path: '/p', url: 'https://a.example/p' } as const;

const pairsOf = (list: readonly string[]) => Array.from({ length: list.length / 2 }, (_, at) => [list[2 * at], list[2 * at + 1]]);

function sent(pairs: readonly Pair[], more: Partial<SentRequest> = {}) {
  const request = { method: 'GET', target: TARGET, fields: fieldsOf(pairs), host: undefined, via: undefined, ...more };
  const { list, recorded } = requestHeaders(request, [':method', ':authority', ':scheme', ':path']);
  return { headers: pairsOf(list), lines: recorded.map(({ line }) => line).join('') };
}

const PSEUDO = [
  [':method', 'GET'],
  [':authority', 'a.example'],
  [':scheme', 'https'],
  [':path', '/p'],
];

describe('a request', () => {
  test('begins with its pseudo-header fields; host is the authority, and what is recorded says host', () => {
    const { headers, lines } = sent([
      ['Host', 'a.example'],
      ['X-One', '1'],
      ['accept', '*/*'],
    ]);
    assert.deepEqual(headers, [...PSEUDO, ['x-one', '1'], ['accept', '*/*']]);
    assert.equal(lines, 'host: a.example\r\nX-One: 1\r\naccept: */*\r\n');
  });

  test('has the host that it is to have, rather than the one that came', () => {
    const { headers, lines } = sent([['host', 'b.example']], { host: 'a.example' });
    assert.deepEqual(headers, PSEUDO);
    assert.equal(lines, 'host: a.example\r\n');
  });

  test('goes on without what was for one connection, or for the proxy', () => {
    const { headers } = sent([
      ['host', 'a.example'],
      ['connection', 'close, x-named'],
      ['x-named', '1'],
      ['keep-alive', '1'],
      ['proxy-connection', '1'],
      ['proxy-authorization', 'Basic x'],
      ['upgrade', 'h2c'],
      ['warcprox-meta', '{}'],
      ['warcprox-meta-secret', 'x'],
      ['authorization', 'mine'],
    ]);
    assert.deepEqual(headers, [...PSEUDO, ['authorization', 'mine']]);
  });

  test('has Via behind the others, where it is asked for', () => {
    const { headers } = sent(
      [
        ['host', 'a.example'],
        ['via', '1.1 before'],
        ['x', '1'],
      ],
      { via: '2 warctap' },
    );
    assert.deepEqual(headers, [...PSEUDO, ['via', '1.1 before'], ['x', '1'], ['via', '2 warctap']]);
  });

  test('has fields of one name where they stood, and recorded as they are sent', () => {
    const { headers, lines } = sent([
      ['host', 'a.example'],
      ['x', '1'],
      ['y', '2'],
      ['x', '3'],
    ]);
    assert.deepEqual(headers, [...PSEUDO, ['x', '1'], ['y', '2'], ['x', '3']]);
    assert.equal(lines, 'host: a.example\r\nx: 1\r\ny: 2\r\nx: 3\r\n');
  });

  test('may have a field of any name, also of those that objects have', () => {
    const { headers } = sent([
      ['host', 'a.example'],
      ['__proto__', '1'],
      ['constructor', '2'],
      ['tostring', '3'],
    ]);
    assert.deepEqual(headers.slice(4), [
      ['__proto__', '1'],
      ['constructor', '2'],
      ['tostring', '3'],
    ]);
  });
});

describe('an answer', () => {
  const told = (status: number, pairs: readonly Pair[], framing: Framing = { kind: 'close' }, form = AS_IT_IS) =>
    pairsOf(responseHeaders({ status, reason: 'any', minor: 1, fields: fieldsOf(pairs) }, framing, form));

  test('has its status, and names in lower case; no transfer-encoding, HSTS, or what is of one connection', () => {
    assert.deepEqual(
      told(200, [
        ['Transfer-Encoding', 'chunked'],
        ['Connection', 'keep-alive'],
        ['Keep-Alive', '5'],
        ['Strict-Transport-Security', 'max-age=1'],
        ['X-One', '1'],
        ['Set-Cookie', 'a'],
        ['Y', '2'],
        ['set-cookie', 'b'],
      ]),
      [
        [':status', '200'],
        ['x-one', '1'],
        ['set-cookie', 'a'],
        ['y', '2'],
        ['set-cookie', 'b'],
      ],
    );
  });

  test('has what HTTP/2 forbids in values as spaces', () => {
    const field: Field = { ...fieldOf('X', ' a\0b\x7fc\td '), exact: false };
    assert.deepEqual(trailerHeaders(new Fields([field])), ['x', 'a b c\td']);
  });

  for (const [what, status, length, framing, kept] of [
    ['that was gone by', 200, '5', { kind: 'length', length: 5 }, true],
    ['that is written in another way', 200, '05', { kind: 'length', length: 5 }, false],
    ['beside chunks', 200, '5', { kind: 'chunked' }, false],
    ['of an answer until close', 200, '5', { kind: 'close' }, false],
    ['of an answer to HEAD', 200, '5', { kind: 'none' }, true],
    ['of 304', 304, '5', { kind: 'none' }, true],
    ['that is no number', 200, 'x', { kind: 'none' }, false],
    ['of 204', 204, '5', { kind: 'none' }, false],
    ['of an interim answer', 103, '5', { kind: 'none' }, false],
  ] as const)
    test(`a length ${what} is ${kept ? 'sent on' : 'left out'}`, () => {
      const expected = [[':status', String(status)], ...(kept ? [['content-length', length]] : [])];
      assert.deepEqual(told(status, [['content-length', length]], framing), expected);
    });

  test('has Via added to the last one, and fields of ours', () => {
    const form = { ...AS_IT_IS, via: '2 warctap', added: [['Warcprox-Meta', '{}']] as const };
    assert.deepEqual(told(200, [['via', '1.1 a']], undefined, form), [
      [':status', '200'],
      ['via', '1.1 a, 2 warctap'],
      ['warcprox-meta', '{}'],
    ]);
    assert.deepEqual(told(200, [], undefined, { ...form, added: [] }), [
      [':status', '200'],
      ['via', '2 warctap'],
    ]);
    assert.deepEqual(told(103, [], { kind: 'none' }, { ...form, added: [] }), [[':status', '103']]);
  });
});

test('a length is said once, however often it came', () => {
  const fields = fieldsOf([
    ['content-length', '5'],
    ['Content-Length', '5'],
  ]);
  const head = { status: 200, reason: 'OK', minor: 1, fields } as const;
  assert.deepEqual(responseHeaders(head, { kind: 'length', length: 5 }, AS_IT_IS), [':status', '200', 'content-length', '5']);
});

test('trailers have no pseudo-header fields, and stand as they came', () => {
  const fields = fieldsOf([
    ['A', '1'],
    ['b', '2'],
    ['a', '3'],
  ]);
  assert.deepEqual(trailerHeaders(fields), ['a', '1', 'b', '2', 'a', '3']);
});

/** Heads of HTTP/2 as they are understood and recorded: what nghttp2 lets through, right and wrong. */
import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { describe, test } from 'node:test';
import { MessageError } from '../../src/http/errors.ts';
import { fieldOf } from '../../src/http/fields.ts';
import { requestBlock, requestOf, responseBlock, responseFraming, responseOf, trailersOf } from '../../src/http2/heads.ts';

type Pair = readonly [name: string, value: string];

const USUAL = { ':method': 'GET', ':scheme': 'https', ':authority': 'a.example', ':path': '/p?q' };

/** @param changed pseudo-header fields instead of the usual ones; undefined leaves one out */
function request(changed: Readonly<Record<string, string | undefined>>, ...fields: readonly Pair[]): string[] {
  const all: Readonly<Record<string, string | undefined>> = { ...USUAL, ...changed };
  const pseudo = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return [...pseudo, ...fields.flat()];
}

/** What stands in the head behind the first line. */
const linesOf = (list: readonly string[], hasBody = false) =>
  requestOf(list, hasBody)
    .head.fields.list.map(({ line }) => line)
    .join('');

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof MessageError);
  assert.equal(error.code, 'syntax');
  assert.match(error.message, message);
  return true;
};

describe('a request', () => {
  test('has its method and path, and its authority as host, in front of all fields in their order', () => {
    const list = request({}, ['b', '1'], ['a', '2'], ['b', '3'], ['empty', '']);
    const { head, framing, bytes } = requestOf(list, false);
    assert.deepEqual([head.method, head.target, head.minor], ['GET', '/p?q', 1]);
    assert.deepEqual(framing, { kind: 'none' });
    assert.equal(bytes, list.join('').length);
    assert.equal(linesOf(list), 'host: a.example\r\nb: 1\r\na: 2\r\nb: 3\r\nempty: \r\n');
  });

  test('has its host from the field where there is no authority, and in front as well', () => {
    assert.equal(linesOf(request({ ':authority': undefined }, ['a', '1'], ['host', 'b.example'])), 'host: b.example\r\na: 1\r\n');
  });

  for (const host of ['a.example', 'A.example', 'a.example:443'])
    test(`may say its authority once more as ${host}`, () => {
      assert.equal(linesOf(request({}, ['host', host], ['a', '1'])), 'host: a.example\r\na: 1\r\n');
    });

  for (const [what, list] of [
    ['another name', request({}, ['host', 'b.example'])],
    ['another port', request({}, ['host', 'a.example:444'])],
    ['one right and one wrong', request({}, ['host', 'a.example'], ['host', 'b.example'])],
    ['two without an authority', request({ ':authority': undefined }, ['host', 'a.example'], ['host', 'b.example'])],
  ] as const)
    test(`whose host is ${what} is refused`, () =>
      assert.throws(() => requestOf(list, false), refused(/^:authority and host that differ/)));

  for (const [what, list] of [
    ['none', request({ ':authority': undefined })],
    ['an empty authority', request({ ':authority': '' }, ['host', ''])],
    ['an empty field', request({ ':authority': undefined }, ['host', ''])],
  ] as const)
    test(`whose host is ${what} is refused`, () => assert.throws(() => requestOf(list, false), refused(/^neither :authority nor host/)));

  test('may ask for * by OPTIONS, and for an authority by CONNECT', () => {
    assert.equal(requestOf(request({ ':method': 'OPTIONS', ':path': '*' }), false).head.target, '*');
    const connect = request({ ':method': 'CONNECT', ':path': undefined, ':scheme': undefined });
    assert.equal(requestOf(connect, false).head.target, 'a.example');
  });

  test('may hold octets beyond ASCII in its path and in values, which stay as they are', () => {
    const list = request({ ':path': '/\xe4\xff' }, ['x', '\xfc'], ['tab', 'a\tb']);
    assert.equal(requestOf(list, false).head.target, '/\xe4\xff');
    assert.match(linesOf(list), /\r\nx: \xfc\r\ntab: a\tb\r\n$/);
  });

  const WRONG: Readonly<Record<string, readonly [list: readonly string[], message: RegExp]>> = {
    'no method': [request({ ':method': undefined }), /^method not understood/],
    'an empty method': [request({ ':method': '' }), /^method not understood/],
    'a method of two words': [request({ ':method': 'GET /' }), /^method not understood/],
    'no scheme': [request({ ':scheme': undefined }), /^:scheme not understood, expected https/],
    http: [request({ ':scheme': 'http' }), /^:scheme not understood, expected https/],
    'https in upper case': [request({ ':scheme': 'HTTPS' }), /^:scheme not understood, expected https/],
    'no path': [request({ ':path': undefined }), /^:path not understood/],
    'an empty path': [request({ ':path': '' }), /^:path not understood/],
    'a path without a slash': [request({ ':path': 'p' }), /^:path not understood/],
    'a path with a space': [request({ ':path': '/a b' }), /^:path not understood/],
    '* by GET': [request({ ':path': '*' }), /^:path not understood/],
    'a line in its path': [request({ ':path': '/\r\nx: y' }), /^control character in :path/],
    'a space behind its path': [request({ ':path': '/ ' }), /^white space around the value of :path/],
    'NUL in its authority': [request({ ':authority': 'a\0' }), /^control character in :authority/],
    'upper case in a name': [request({}, ['X', 'y']), /^invalid name of a header field/],
    'a colon in a name': [request({}, ['x:', 'y']), /^invalid name of a header field/],
    'no name': [request({}, ['', 'y']), /^invalid name of a header field/],
    'te: gzip': [request({}, ['te', 'gzip']), /^te not understood, expected trailers/],
    'CR in a value': [request({}, ['x', 'a\rb']), /^control character in x/],
    'LF in a value': [request({}, ['x', 'a\nb']), /^control character in x/],
    'DEL in a value': [request({}, ['x', '\x7f']), /^control character in x/],
    'a space before a value': [request({}, ['x', ' a']), /^white space around the value of x/],
    'a tab behind a value': [request({}, ['x', 'a\t']), /^white space around the value of x/],
  };
  for (const name of ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'])
    Object.assign(WRONG, { [name]: [request({}, [name, 'x']), /^field of HTTP\/1\.1 in a request of HTTP\/2/] });
  for (const [what, [list, message]] of Object.entries(WRONG))
    test(`with ${what} is refused`, () => assert.throws(() => requestOf(list, false), refused(message)));

  test('with te: trailers passes', () => assert.match(linesOf(request({}, ['te', 'Trailers'])), /\r\nte: Trailers\r\n$/));
});

describe('cookies', () => {
  for (const [what, fields, lines] of [
    ['one stays as it is', [['cookie', 'a=1; b=2']], 'cookie: a=1; b=2\r\n'],
    [
      'several are joined where the first of them stood',
      [
        ['x', '1'],
        ['cookie', 'a=1'],
        ['y', '2'],
        ['cookie', 'b=2'],
        ['z', '3'],
        ['cookie', 'c=3'],
      ],
      'x: 1\r\ncookie: a=1; b=2; c=3\r\ny: 2\r\nz: 3\r\n',
    ],
    [
      'an empty one is a part as well',
      [
        ['cookie', ''],
        ['cookie', 'b=2'],
      ],
      'cookie: ; b=2\r\n',
    ],
  ] as const)
    test(what, () => assert.equal(linesOf(request({}, ...fields)), `host: a.example\r\n${lines}`));
});

describe('where the body of a request ends', () => {
  const framing = (hasBody: boolean, ...lengths: readonly string[]) =>
    requestOf(request({ ':method': 'POST' }, ...lengths.map((value): Pair => ['content-length', value])), hasBody).framing;

  test('is told by its length, or by chunks', () => {
    assert.deepEqual(framing(true), { kind: 'chunked' });
    assert.deepEqual(framing(true, '5'), { kind: 'length', length: 5 });
    assert.deepEqual(framing(true, '0'), { kind: 'length', length: 0 });
    assert.deepEqual(framing(false), { kind: 'none' });
    assert.deepEqual(framing(false, '0'), { kind: 'none' });
  });

  for (const lengths of [[''], ['-1'], ['+1'], ['1.0'], ['0x1'], ['1, 1'], ['1'.repeat(16)], ['1', '1'], ['1', '2']])
    test(`is refused as ${JSON.stringify(lengths)}`, () =>
      assert.throws(() => framing(true, ...lengths), refused(/^malformed Content-Length/)));

  test('is refused where nothing follows and something was said to', () => {
    assert.throws(() => framing(false, '5'), refused(/^no body, but a Content-Length of more than 0/));
  });
});

describe('an answer', () => {
  test('has the reason of the registry, and its fields in their order', () => {
    const list = [':status', '200', 'b', '1', 'set-cookie', 'x', 'a', '2', 'set-cookie', 'y'];
    assert.equal(responseBlock(responseOf(list)).toString(), 'HTTP/1.1 200 OK\r\nb: 1\r\nset-cookie: x\r\na: 2\r\nset-cookie: y\r\n\r\n');
  });

  test('of every registered status has that reason, and of any other an empty one', () => {
    for (const [status, reason] of Object.entries(STATUS_CODES)) assert.equal(responseOf([':status', status]).reason, reason);
    for (const status of ['299', '599', '999'])
      assert.equal(responseBlock(responseOf([':status', status])).toString(), `HTTP/1.1 ${status} \r\n\r\n`);
  });

  test('keeps octets beyond ASCII', () => {
    assert.equal(responseBlock(responseOf([':status', '200', 'x', '\xfc'])).toString('latin1'), 'HTTP/1.1 200 OK\r\nx: \xfc\r\n\r\n');
  });

  for (const [what, list, method, ended, framing] of [
    ['with a length', ['content-length', '5'], 'GET', false, { kind: 'length', length: 5 }],
    ['without a length', [], 'GET', false, { kind: 'close' }],
    ['with a length that is none', ['content-length', 'x'], 'GET', false, { kind: 'close' }],
    ['that has ended', ['content-length', '5'], 'GET', true, { kind: 'none' }],
    ['to HEAD', ['content-length', '5'], 'HEAD', false, { kind: 'none' }],
  ] as const)
    test(`${what} ends by ${framing.kind}`, () => {
      assert.deepEqual(responseFraming(responseOf([':status', '200', ...list]), method, ended), framing);
    });

  for (const status of ['204', '304'])
    test(`of ${status} has no body`, () => {
      assert.deepEqual(responseFraming(responseOf([':status', status, 'content-length', '5']), 'GET', false), { kind: 'none' });
    });
});

test('trailers are without pseudo-header fields', () => {
  const { list } = trailersOf([':status', '200', 'a', '1', 'b', '2', 'a', '3']);
  assert.equal(list.map(({ line }) => line).join(''), 'a: 1\r\nb: 2\r\na: 3\r\n');
});

test('the head of a request as a record has it', () => {
  assert.equal(
    requestBlock('GET', '/\xe4', [fieldOf('host', 'a'), fieldOf('x', '\xfc')]).toString('latin1'),
    'GET /\xe4 HTTP/1.1\r\nhost: a\r\nx: \xfc\r\n\r\n',
  );
});

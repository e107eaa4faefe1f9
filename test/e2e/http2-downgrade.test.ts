/**
 * What a client of HTTP/2 must not be able to say to an origin of HTTP/1.1: nothing that could be read as two requests, or as another one.
 *
 * Source: RFC 9113 §8.2, §8.3 and §10.3; "HTTP/2: The Sequel is Always Worse" (James Kettle, 2021).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fieldBlock, FLAG, frame, FrameClient, TYPE } from '../support/http2-frames.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

type List = readonly (readonly [name: string, value: string])[];

let origin: Origin;
let proxy: TestProxy;
let authority: string;

before(async () => {
  origin = await startOrigin(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), { tls: true });
  authority = `127.0.0.1:${origin.port}`;
  proxy = await startProxy();
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

/** A request as it should be, with what is wrong instead or beside. */
function request(wrong: Readonly<Record<string, string | undefined>> = {}, ...more: List): List {
  const usual: Readonly<Record<string, string | undefined>> = {
    ':method': 'GET',
    ':scheme': 'https',
    ':authority': authority,
    ':path': '/',
    ...wrong,
  };
  return [...Object.entries(usual).filter((entry): entry is [string, string] => entry[1] !== undefined), ...more];
}

const connect = () => FrameClient.connect(proxy.port, authority, proxy.ca);
/** 400, or an error of the stream or of the session that says PROTOCOL_ERROR. */
const REFUSED = /^(status 400|reset 1|goaway 1)$/;

/** With one name in it, which is wrong. */
const HEADS: Readonly<Record<string, () => List>> = {
  'upper case in a name': () => request({}, ['X-Upper', 'z']),
  'connection: close': () => request({}, ['connection', 'close']),
  'connection that names a field': () => request({}, ['connection', 'x-secret'], ['x-secret', 'y']),
  'proxy-connection': () => request({}, ['proxy-connection', 'keep-alive']),
  'keep-alive': () => request({}, ['keep-alive', 'timeout=5']),
  'transfer-encoding: chunked': () => request({}, ['transfer-encoding', 'chunked']),
  'transfer-encoding: identity': () => request({}, ['transfer-encoding', 'identity']),
  'upgrade: h2c': () => request({}, ['upgrade', 'h2c']),
  'upgrade: websocket': () => request({}, ['upgrade', 'websocket']),
  'te: gzip': () => request({}, ['te', 'gzip']),
  'te: trailers with another': () => request({}, ['te', 'trailers, deflate']),
  'te: chunked': () => request({}, ['te', 'chunked']),
  'two lengths that differ': () => request({ ':method': 'POST' }, ['content-length', '0'], ['content-length', '5']),
  'two lengths that are equal': () => request({ ':method': 'POST' }, ['content-length', '0'], ['content-length', '0']),
  'a length without a body': () => request({ ':method': 'POST' }, ['content-length', '5']),
  'a length in words': () => request({ ':method': 'POST' }, ['content-length', 'abc']),
  'a length with a sign': () => request({ ':method': 'POST' }, ['content-length', '+0']),
  'a negative length': () => request({ ':method': 'POST' }, ['content-length', '-1']),
  'a list of lengths': () => request({ ':method': 'POST' }, ['content-length', '0, 0']),
  'an empty length': () => request({ ':method': 'POST' }, ['content-length', '']),
  'a hexadecimal length': () => request({ ':method': 'POST' }, ['content-length', '0x0']),
  'a length past all numbers': () => request({ ':method': 'POST' }, ['content-length', '99999999999999999999']),
  'a space in :path': () => request({ ':path': '/a b' }),
  'a version in :path': () => request({ ':path': '/ HTTP/1.1' }),
  'a request in :path': () => request({ ':path': '/ HTTP/1.1\r\nHost: evil\r\n\r\nGET /evil' }),
  'a tab in :path': () => request({ ':path': '/a\tb' }),
  'CR in :path': () => request({ ':path': '/a\rb' }),
  'LF in :path': () => request({ ':path': '/a\nb' }),
  'NUL in :path': () => request({ ':path': '/a\0b' }),
  'an empty :path': () => request({ ':path': '' }),
  ':path without a slash': () => request({ ':path': 'a' }),
  ':path of another host': () => request({ ':path': 'http://evil/' }),
  ':path * with GET': () => request({ ':path': '*' }),
  'no :path': () => request({ ':path': undefined }),
  'two :path': () => request({}, [':path', '/other']),
  'no :method': () => request({ ':method': undefined }),
  'two :method': () => [[':method', 'GET'], ...request()],
  'an empty :method': () => request({ ':method': '' }),
  'a space in :method': () => request({ ':method': 'GET /evil HTTP/1.1' }),
  'a line in :method': () => request({ ':method': 'GET / HTTP/1.1\r\nx: y\r\n\r\nGET' }),
  'no :scheme': () => request({ ':scheme': undefined }),
  'another :scheme': () => request({ ':scheme': 'http' }),
  'a URL in :scheme': () => request({ ':scheme': 'https://evil/?' }),
  'two :scheme': () => [[':scheme', 'https'], ...request()],
  'two :authority': () => [[':authority', 'evil'], ...request()],
  'neither :authority nor host': () => request({ ':authority': undefined }),
  'an empty :authority': () => request({ ':authority': '' }),
  'a space in :authority': () => request({ ':authority': 'a b' }),
  'a line in :authority': () => request({ ':authority': 'a\r\nx: y' }),
  'NUL in :authority': () => request({ ':authority': 'a\0b' }),
  'a path in :authority': () => request({ ':authority': 'a/b' }),
  'a password in :authority': () => request({ ':authority': `user:password@${authority}` }),
  'host that differs from :authority': () => request({}, ['host', 'evil']),
  'host with another port than :authority': () => request({}, ['host', '127.0.0.1:1']),
  'two host of which one differs': () => request({}, ['host', authority], ['host', 'evil']),
  'two host without :authority': () => request({ ':authority': undefined }, ['host', authority], ['host', 'evil']),
  'a pseudo-header field behind others': () => [['x', 'y'], ...request()],
  'an unknown pseudo-header field': () => request({ ':evil': 'x' }),
  ':status': () => request({ ':status': '200' }),
  ':protocol, which was not announced': () => request({ ':method': 'CONNECT', ':protocol': 'websocket' }),
  'CONNECT with :path': () => request({ ':method': 'CONNECT' }),
  CONNECT: () => request({ ':method': 'CONNECT', ':path': undefined, ':scheme': undefined }),
};

describe('refused, and nothing reaches the origin', () => {
  for (const [name, fields] of Object.entries(HEADS)) {
    test(name, async () => {
      const before = origin.connections;
      using client = await connect();
      client.headers(1, fields());
      assert.match(await client.outcome(1), REFUSED);
      assert.equal(origin.connections, before);
    });
  }
});

/** What nobody may send (RFC 9113 §8.2.1) is refused. */
const FIELDS: Readonly<Record<string, readonly [name: string, value: string]>> = {
  'a colon in a name': ['x:y', 'z'],
  'a name that begins a line of its own': ['x: y\r\nx', 'z'],
  'a space in a name': ['x y', 'z'],
  'a space at the end of a name': ['transfer-encoding ', 'chunked'],
  'a tab in a name': ['x\ty', 'z'],
  'CR in a name': ['x\ry', 'z'],
  'LF in a name': ['x\ny', 'z'],
  'NUL in a name': ['x\0y', 'z'],
  'an octet beyond ASCII in a name': ['x\x80', 'z'],
  'no name': ['', 'z'],
  'a bracket in a name': ['x(y', 'z'],
  'CR in a value': ['x-wrong', 'a\rb'],
  'LF in a value': ['x-wrong', 'a\nb'],
  'NUL in a value': ['x-wrong', 'a\0b'],
  'a line in a value': ['x-wrong', 'a\r\ncontent-length: 5'],
  'a request in a value': ['x-wrong', 'a\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n'],
  'CR at the end of a value': ['x-wrong', 'a\r'],
  'LF at the beginning of a value': ['x-wrong', '\na'],
  'DEL in a value': ['x-wrong', 'a\x7f'],
  'another control character in a value': ['x-wrong', 'a\x01b'],
};

describe('refused, or left out: what stands in the request is nothing of it', () => {
  for (const [name, field] of Object.entries(FIELDS)) {
    test(name, async () => {
      const before = origin.requests.length;
      using client = await connect();
      client.headers(1, request({}, field, ['x-right', 'z']));
      const outcome = await client.outcome(1);
      if (REFUSED.test(outcome)) return assert.equal(origin.requests.length, before);
      assert.equal(outcome, 'status 200');
      assert.equal(origin.requests.length, before + 1);
      assert.equal(origin.requests[before]?.bytes.toString('latin1'), `GET / HTTP/1.1\r\nhost: ${authority}\r\nx-right: z\r\n\r\n`);
    });
  }
});

describe('a body that is not as long as it was said: no whole request reaches the origin', () => {
  const lengths: Readonly<Record<string, (client: FrameClient) => void>> = {
    'less of it': (client) => client.data(1, 'abc'),
    'more of it': (client) => client.data(1, 'abcdefgh'),
    'more of it in a second frame': (client) => (client.data(1, 'abc', false), client.data(1, 'def')),
    'none of it': (client) => client.data(1, ''),
  };
  for (const [name, send] of Object.entries(lengths)) {
    test(name, async () => {
      const before = origin.requests.length;
      using client = await connect();
      client.headers(1, request({ ':method': 'POST' }, ['content-length', '5']), false);
      send(client);
      assert.match(await client.outcome(1), REFUSED);
      assert.equal(origin.requests.length, before);
    });
  }

  for (const [name, trailers] of Object.entries({ 'a pseudo-header field': [':path', '/evil'], 'upper case': ['X', 'y'] } as const)) {
    test(`trailers with ${name}`, async () => {
      const before = origin.requests.length;
      using client = await connect();
      client.headers(1, request({ ':method': 'POST' }), false);
      client.data(1, 'abc', false);
      client.send(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, fieldBlock([trailers])));
      assert.match(await client.outcome(1), REFUSED);
      assert.equal(origin.requests.length, before);
    });
  }
});

test('what is right passes in the same way, byte by byte', async () => {
  const before = origin.requests.length;
  using client = await connect();
  client.headers(
    1,
    request({}, ['host', authority], ['te', 'trailers'], ['x-latin', 'caf\xe9'], ['cookie', 'a=1'], ['x', ''], ['cookie', 'b=2']),
  );
  assert.equal(await client.outcome(1), 'status 200');
  assert.equal(
    origin.requests[before]?.bytes.toString('latin1'),
    `GET / HTTP/1.1\r\nhost: ${authority}\r\nte: trailers\r\nx-latin: caf\xe9\r\ncookie: a=1; b=2\r\nx: \r\n\r\n`,
  );
  client.headers(3, request({ ':method': 'POST' }, ['content-length', '3']), false);
  client.data(3, 'abc');
  assert.equal(await client.outcome(3), 'status 200');
  assert.equal(
    origin.requests[before + 1]?.bytes.toString('latin1'),
    `POST / HTTP/1.1\r\nhost: ${authority}\r\ncontent-length: 3\r\n\r\nabc`,
  );
});

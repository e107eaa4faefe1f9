/**
 * Messages that fuzzing begins with: what is common, what is odd and valid, and every fault that was found (`found` says what it was).
 *
 * Source: RFC 9112 §2 to §7; §11.1 (response splitting) and §11.2 (request smuggling).
 */
import { bytes } from '../../http1/read.ts';

export interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
  /** what was wrong when it was found */
  readonly found?: string;
}

export interface ResponseSeed extends Seed {
  /** of the request that is answered */
  readonly method: string;
}

const post = (fields: string, body: string) => `POST http://a/p HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
const request = (name: string, text: string, found?: string): Seed => ({
  name,
  bytes: bytes(text),
  ...(found === undefined ? {} : { found }),
});
const chunked = (fields: string, body: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;

export const REQUESTS: readonly Seed[] = [
  request('without body', 'GET http://a/x?y HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n'),
  request('of HTTP/1.0', 'POST http://a/ HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'),
  request('in a tunnel', 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'),
  request('OPTIONS of a server', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'),
  request('with a length', post('Content-Length: 5\r\n', 'hello')),
  request('with a length of zero', post('Content-Length: 0\r\n', '')),
  request('with a length and a hidden request', post('Content-Length: 27\r\n', 'GET http://a/h HTTP/1.1\r\n\r\n')),
  request('GET with a length', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody'),
  request('with chunks', post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n')),
  request(
    'with an extension and a trailer',
    post('Transfer-Encoding: chunked\r\nTrailer: T\r\n', '3;a=1;b="c d"\r\nabc\r\n0;z\r\nT: 1\r\n\r\n'),
  ),
  request('with codings', post('Transfer-Encoding: gzip, chunked\r\n', '1\r\nx\r\n0\r\n\r\n')),
  request('with codings in two fields', post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', '1\r\nx\r\n0\r\n\r\n')),
  request('with options of the connection', post('Connection: close, x\r\nX: 1\r\nKeep-Alive: 5\r\nContent-Length: 1\r\n', 'a')),
  request('that names its framing in Connection', post('Connection: content-length, host\r\nContent-Length: 1\r\n', 'a')),
  request('that asks for an upgrade', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  request('that waits', post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'ok')),
  request('with octets beyond ASCII', 'GET http://a/\xe4?\xff HTTP/1.1\r\nHost: a\r\nA: \xe4\tb\r\n\r\n'),
  request('with values of white space', post('A:\r\nB: \t \r\nC:\tx\t \r\nContent-Length:\t1 \r\n', 'a')),
  request('with an odd Host', 'GET http://a:80/ HTTP/1.1\r\nhOST:  A:080\r\n\r\n'),
  request(
    'with a tab behind chunked',
    post('Transfer-Encoding: chunked\t\r\n', '1\r\nx\r\n0\r\n\r\n'),
    'was sent on; lenient readers take "chunked\\t" for another coding, and all that follows for the body',
  ),
  request(
    'with a CR and no line end yet in its trailer',
    post('Transfer-Encoding: chunked\r\n', '1\r\nx\r\n0\r\n\rGET /hidden HTTP/1.1\r\r'),
    'was sent on before its line was complete and could be refused; to who ends lines at CR it is the next request',
  ),
  request('with a CR behind chunk data', post('Transfer-Encoding: chunked\r\n', '1\r\nx\r0'), 'the same, within the line end of a chunk'),
  request(
    'with framing fields in its trailer',
    post('Transfer-Encoding: chunked\r\n', '1\r\nx\r\n0\r\nTransfer-Encoding: x\r\nContent-Length: 3\r\n\r\n'),
    'were sent on; some readers go by them, for this message or for the next one',
  ),
  request('with Warcprox-Meta', 'GET http://a/ HTTP/1.1\r\nWarcprox-Meta: {"warc-prefix":"x"}\r\nHost: a\r\n\r\n'),
];

const response = (name: string, text: string, { method = 'GET', found }: { method?: string; found?: string } = {}): ResponseSeed => ({
  name,
  bytes: bytes(text),
  method,
  ...(found === undefined ? {} : { found }),
});

export const RESPONSES: readonly ResponseSeed[] = [
  response('with a length', 'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello'),
  response('of length zero', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  response('with chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'),
  response(
    'with an extension and a trailer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=1\r\nabc\r\n0\r\nT: 1\r\nU: 2\r\n\r\n',
  ),
  response('with codings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'),
  response('up to the end', 'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nup to the end\r\n\r\n'),
  response('with a last coding other than chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nab\r\n0\r\n\r\n'),
  response('of HTTP/1.0', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab'),
  response('to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', { method: 'HEAD' }),
  response('to HEAD, chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { method: 'HEAD' }),
  response('204', 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n'),
  response('304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nETag: "x"\r\n\r\n'),
  response(
    'after interim ones',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
  ),
  response('with bare LFs', 'HTTP/1.1 200 OK\nA: 1\nContent-Length: 2\n\nab'),
  response('with sloppy chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 2 \nab\n0; end\nfree text\n\n'),
  response('with folded, nameless and spaced lines', 'HTTP/1.1 200\r\n x\r\nA : 1\r\n\t2\r\n: 0\r\n 0\r\nContent-Length:\r\n 2\r\n\r\nab'),
  response('with equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 02\r\n\r\nab'),
  response('with both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'),
  response('with a malformed length', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab'),
  response(
    'with options of the connection',
    'HTTP/1.1 200 OK\r\nConnection: close, x\r\nX: 1\r\nKeep-Alive: 5\r\nVia: 1.0 z\r\nContent-Length: 1\r\n\r\na',
  ),
  response('that would split', 'HTTP/1.1 200 O\rK\r\nA: 1\rContent-Length: 0\r\rHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab'),
  ...['chunked, identity', 'chunked,', 'chunked\r\nTransfer-Encoding: identity', 'chunked\t', '\x01 gzip, chunked', 'gzip,\tchunked'].map(
    (coding) =>
      response(`with the coding ${JSON.stringify(coding)}`, chunked(`Transfer-Encoding: ${coding}\r\n`, '2\r\nab\r\n0\r\n\r\n'), {
        found: 'was read as chunked and sent on as it came; who does not see chunked in it takes chunks and the next answers for the body',
      }),
  ),
  response('with a CR in its trailer', chunked('Transfer-Encoding: chunked\r\n', '2\r\nab\r\n0\r\n\rHTTP/1.1 299 Hidden\r\n\r\n'), {
    found: 'the client’s connection was kept, though who ends lines at CR sees the end earlier, and another answer behind it',
  }),
  response(
    'with framing fields in its trailer',
    chunked('Transfer-Encoding: chunked\r\n', '2\r\nab\r\n0\r\nTransfer-Encoding: x\r\nContent-Length: 3\r\n\r\n'),
    { found: 'the client’s connection was kept, though a lenient parser of node:http takes the length for that of the next answer' },
  ),
];

/** What means something to one reader or another. */
export const TOKENS: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\r\r\n',
    '\n\r\n',
    '\0',
    '\t',
    ' ',
    '  ',
    '\x0b',
    '\x0c',
    '\x1f',
    '\x7f',
    '\x80',
    '\x85',
    '\xa0',
    '\xff',
  ],
  ...[':', ' :', '\t:', ',', ', ', ';', '"', '\\', '#', '/', '*', '=', '+', '-', '0', '1', '5', 'a', 'F'],
  ...['\r\n ', '\r\n\t', '\n ', ';a=1', ';a="\r\n"', '; a', ';"', ';\n', ';\r'],
  ...['+5', '-5', '0x5', '5,5', '5, 6', '05', '5 5', '5_0', '1e1', '00000000000005', '000000000000000000000000'],
  ...[
    '9007199254740991',
    '9007199254740992',
    '18446744073709551621',
    'ffffffff',
    '10000000000000',
    'fffffffffffff',
    'ffffffffffffffff5',
    '0;',
    '0\r\n',
  ],
  ...[
    'chunked',
    'CHUNKED',
    'Chunked',
    'chunked, chunked',
    'identity',
    ', identity',
    'identity, ',
    'gzip',
    'gzip, ',
    ',',
    'xchunked',
    'chunked;q=1',
    '"chunked"',
  ],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n', 'Transfer-Encoding:\r\n', 'Transfer-Encoding : chunked\r\n'],
  ...[
    'transfer-encoding:\tchunked\r\n',
    'Transfer-Encoding: gzip\r\n',
    'X: 1\r\nTransfer-Encoding: chunked\r\n',
    'Transfer_Encoding: chunked\r\n',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'content-length:1\r\n',
    'Content-Length : 3\r\n',
    'Content-Length: \r\n',
    ' Content-Length: 4\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    'Connection: transfer-encoding\r\n',
    'Connection: trailer, via\r\n',
    'Upgrade: h2c\r\n',
  ],
  ...[
    'Trailer: Content-Length\r\n',
    'TE: trailers\r\n',
    'Via: 1.1 x\r\n',
    'Host: b\r\n',
    'Expect: 100-continue\r\n',
    'Proxy-Connection: close\r\n',
  ],
  ...[
    'HTTP/1.0',
    'HTTP/1.1',
    'HTTP/0.9',
    'HTTP/2.0',
    'HTTP/1.10',
    'HTTP/1',
    'http/1.1',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
  ],
  ...[
    'GET ',
    'HEAD ',
    'get ',
    'PRI ',
    'OPTIONS ',
    'CONNECT ',
    'http://a/',
    'https://a/',
    'http://a@b/',
    '//',
    '0\r\n\r\n',
    '1\r\nx\r\n',
    '204',
    '304',
    '101',
  ],
];

/** Messages of every kind, good and bad; the tests of splits and of mutations read them. */
import { bytes, type Side } from './read.ts';

export interface Message {
  readonly name: string;
  readonly side: Side;
  readonly bytes: Buffer;
  /** what is expected of the message when it is followed by `NEXT` */
  readonly outcome: 'complete' | 'until close' | 'refused';
}

export const NEXT = 'GET /next HTTP/1.1\r\n\r\n';

const GET: Side = { answerTo: 'GET' };
const HEAD: Side = { answerTo: 'HEAD' };

const message = (name: string, side: Side, text: string, outcome: Message['outcome'] = 'complete'): Message => ({
  name,
  side,
  bytes: bytes(text),
  outcome,
});

export const CORPUS: readonly Message[] = [
  message('request without body', 'request', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n'),
  message('request after empty lines', 'request', '\r\n\r\nGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n'),
  message('request with a length', 'request', 'POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n\r\n\r\nx'),
  message(
    'request with chunks, an extension and a trailer',
    'request',
    'PUT http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b\tc"\r\nabc\r\n0A ; x\r\n\r\n0\r\n\r\n567\r\n0\r\nSum: 1\r\n\r\n',
  ),
  message(
    'request with a huge chunk',
    'request',
    `PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n${'z'.repeat(256)}\r\n0\r\n\r\n`,
  ),
  message(
    'request with a bad chunk size',
    'request',
    'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0x1\r\na\r\n',
    'refused',
  ),
  message(
    'request with data past its chunk',
    'request',
    'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n',
    'refused',
  ),
  message(
    'request with a bare LF after a chunk',
    'request',
    'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n',
    'refused',
  ),
  message(
    'request with a bare LF in the trailer',
    'request',
    'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\nA: b\r\n\r\n',
    'refused',
  ),
  message('request with two lengths', 'request', 'PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na', 'refused'),
  message('request with bare LFs', 'request', 'GET / HTTP/1.1\nHost: a\n\n', 'refused'),
  message('request ended by a bare LF', 'request', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 'refused'),
  message('answer with a length', GET, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\n\n\r\n'),
  message('answer of length zero', GET, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  message('answer with chunks', GET, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n00\r\nT: 1\r\nU: 2\r\n\r\n'),
  message('answer with sloppy chunks', GET, 'HTTP/1.1 200 OK\nTransfer-Encoding : chunked\n\n 2 \nab\n0; end\nfree text\n\n'),
  message('answer to HEAD', HEAD, 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'),
  message('204 with a length', GET, 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n'),
  message('304 that is chunked', GET, 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'),
  message('early hints', GET, 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'),
  message(
    'answer with folded, nameless and bare lines',
    GET,
    'HTTP/1.1 200\r\n lost\r\nA: 1\r\n\t2\n: 0\r\n 0\r\nContent-Length:\r\n 2\r\n\r\nab',
  ),
  message('answer of HTTP/1.0', GET, 'HTTP/1.0 200 OK\r\n\r\nup to the end\r\n\r\n', 'until close'),
  message(
    'answer with another coding',
    GET,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nabcdef',
    'until close',
  ),
  message('answer with differing lengths', GET, 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'refused'),
  message('answer with a bad chunk size', GET, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n\r\n', 'refused'),
  message('answer without a status line', GET, 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 'refused'),
];

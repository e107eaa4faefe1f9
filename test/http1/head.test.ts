import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeadReader, leadingEmptyLines, MAX_HEAD_BYTES, parseRequestHead, parseResponseHead } from '../../src/http1/head.ts';
import { bytes, refusal, requestHead, responseHead } from './read.ts';

describe('a request line', () => {
  test('is read with its method, target and version', () => {
    const { method, target, minor } = requestHead('', 'GET http://example.com/a?b HTTP/1.1');
    assert.deepEqual({ method, target, minor }, { method: 'GET', target: 'http://example.com/a?b', minor: 1 });
  });

  test('may have any token as its method, in its own case', () => {
    for (const method of ['WARCPROX_WRITE_RECORD', 'get', 'M-SEARCH', "!#$%&'*+-.^_`|~09azAZ", 'X'.repeat(10_000)]) {
      assert.equal(requestHead('', `${method} / HTTP/1.1`).method, method);
    }
  });

  test('may have octets beyond ASCII in its target, which stay as they are', () => {
    assert.equal(requestHead('', 'GET /\xc3\xa4\xff HTTP/1.1').target, '/\xc3\xa4\xff');
  });

  test('of HTTP/1.0 and of a later minor version is accepted', () => {
    assert.equal(requestHead('', 'GET / HTTP/1.0').minor, 0);
    assert.equal(requestHead('', 'GET / HTTP/1.2').minor, 1);
  });

  test('of a record that a client writes may have spaces in its target', () => {
    for (const method of ['WARCPROX_WRITE_RECORD', 'PUTMETA']) {
      for (const target of ['x:y', 'x:a b', 'x: "a"  <b> HTTP/1.0 c', 'a b']) {
        const head = requestHead('', `${method} ${target} HTTP/1.1`);
        assert.deepEqual([head.method, head.target, head.minor], [method, target, 1]);
      }
    }
  });

  test('of any other method, or with other spaces around the target, may not', () => {
    for (const line of [
      'GET x:a b HTTP/1.1',
      'warcprox_write_record x:a b HTTP/1.1',
      'XPUTMETA x:a b HTTP/1.1',
      'PUTMETA  x:a b HTTP/1.1',
      'PUTMETA x:a b  HTTP/1.1',
      'PUTMETA x:a b HTTP/1.1 x',
      'PUTMETA x:a\tb HTTP/1.1',
      'PUTMETA x:a b',
    ]) {
      assert.throws(() => requestHead('', line), refusal(`malformed request line: ${JSON.stringify(line)}`), line);
    }
  });

  for (const [what, line] of [
    ['two spaces', 'GET  / HTTP/1.1'],
    ['a tab', 'GET\t/ HTTP/1.1'],
    ['a space in its target', 'GET /a b HTTP/1.1'],
    ['a space at its end', 'GET / HTTP/1.1 '],
    ['a space in front', ' GET / HTTP/1.1'],
    ['no version', 'GET /'],
    ['no target', 'GET HTTP/1.1'],
    ['a version in lower case', 'GET / http/1.1'],
    ['a version without minor', 'GET / HTTP/1'],
    ['a version of many digits', 'GET / HTTP/1.10'],
    ['a method that is not a token', 'G(T / HTTP/1.1'],
    ['a bare CR', 'GET /\ra HTTP/1.1'],
    ['a control character', 'GET /\x01 HTTP/1.1'],
    ['DEL', 'GET /\x7f HTTP/1.1'],
  ] as const) {
    test(`with ${what} is refused`, () => {
      const shown = JSON.stringify(line.trim()).replace('\x7f', '\\u007f');
      assert.throws(() => requestHead('', line), refusal(`malformed request line: ${shown}`));
    });
  }

  test('that ends with a bare LF is refused', () => {
    assert.throws(() => parseRequestHead(bytes('GET / HTTP/1.1\nHost: a\r\n\r\n')), refusal('malformed request line: "GET / HTTP/1.1"'));
  });

  test('of another major version is refused as such', () => {
    for (const version of ['HTTP/2.0', 'HTTP/0.9']) {
      assert.throws(
        () => requestHead('', `PRI * ${version}`),
        refusal(`HTTP version not supported, expected HTTP/1.1: "${version}"`, 'version'),
      );
    }
  });

  test('of 100 kB is shown shortened', () => {
    assert.throws(() => requestHead('', `GET ${'a'.repeat(100_000)}`), refusal(`malformed request line: "GET ${'a'.repeat(56)}…"`));
  });
});

test('a request with more than one Host is refused, even when they are equal', () => {
  assert.throws(() => requestHead('Host: a\r\nX: y\r\nhost: a\r\n'), refusal('more than one Host: "a, a"'));
});

describe('a status line', () => {
  test('is the same to the quick reading and to the lenient one, whatever it is', () => {
    const said = (line: string) => {
      try {
        const { status, reason, minor } = responseHead('', line);
        return { status, reason, minor };
      } catch {
        return 'refused';
      }
    };
    const pieces = ['', ' ', '\t', '\r', '\0', '\x7f', '\xe9', '0', '1', '99', '200', '404', '1000', 'OK', 'Not Found', '.', '/'];
    let state = 1;
    const any = () => pieces[(state = (state * 1103515245 + 12345) % 2 ** 31) % pieces.length] ?? '';
    for (let round = 0; round < 20_000; round++) {
      const rest = `${any()}${any()}${any()}${any()}`;
      // The quick one knows the version in capitals only.
      for (const begin of ['TTP/1.1 ', 'TTP/1.1', 'TTP/1.']) assert.deepEqual(said(`H${begin}${rest}`), said(`h${begin}${rest}`), rest);
    }
  });

  test('is read with its status, reason and version', () => {
    const { status, reason, minor } = responseHead('', 'HTTP/1.1 404 Not Found');
    assert.deepEqual({ status, reason, minor }, { status: 404, reason: 'Not Found', minor: 1 });
  });

  for (const [what, line, status, reason, minor] of [
    ['without reason', 'HTTP/1.1 200', 200, '', 1],
    ['with an empty reason', 'HTTP/1.1 200 ', 200, '', 1],
    ['with a Latin-1 reason', 'HTTP/1.1 200 Sch\xf6n', 200, 'Sch\xf6n', 1],
    ['with a reason of punctuation', 'HTTP/1.1 999 ":;</>  (\t', 999, '":;</>  (\t', 1],
    ['with spaces in front of the reason', 'HTTP/1.1 200   OK', 200, '  OK', 1],
    ['with several spaces and tabs before the status', 'HTTP/1.1 \t 200 OK', 200, 'OK', 1],
    ['in lower case', 'http/1.1 200 OK', 200, 'OK', 1],
    ['without minor version', 'HTTP/1 200 OK', 200, 'OK', 0],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK', 200, 'OK', 0],
    ['of a later minor version', 'HTTP/1.2 200 OK', 200, 'OK', 1],
    ['of another major version', 'HTTP/2.0 200 OK', 200, 'OK', 0],
    ['with no space before the reason', 'HTTP/1.1 200OK', 200, 'OK', 1],
    ['with punctuation right behind the status', 'HTTP/1.1 404: gone', 404, ': gone', 1],
    ['without status', 'HTTP/1.1', 200, '', 1],
    ['without status, but with a space', 'HTTP/1.0 ', 200, '', 0],
    ['with words instead of a status', 'HTTP/1.1 Not Found', 200, '', 1],
    ['without version', 'HTTP 200 OK', 200, 'OK', 0],
    ['with an empty version', 'HTTP/ 404 Gone', 404, 'Gone', 0],
    ['with a version that is none', 'HTTP/one.one 200 OK', 200, 'OK', 0],
    ['of HTTP/0.9', 'HTTP/0.9 200 OK', 200, 'OK', 0],
    ['of a SHOUTcast server', 'ICY 200 OK', 200, 'OK', 0],
    ['with white space in front', ' \t HTTP/1.1 200 OK', 200, 'OK', 1],
    ['with a byte order mark in front', '\xef\xbb\xbfHTTP/1.1 200 OK', 200, 'OK', 1],
    ['with four octets of something else in front', '0 \r\nHTTP/1.1 200 OK', 200, 'OK', 1],
    ['with CR and NUL in the reason, which become spaces', 'HTTP/1.1 200 a\rSet-Cookie: x\0', 200, 'a Set-Cookie: x ', 1],
  ] as const) {
    test(`${what} is read`, () => {
      const head = responseHead('A: b\r\n', line);
      assert.deepEqual([head.status, head.reason, head.minor, head.fields.get('a')], [status, reason, minor, 'b']);
    });
  }

  test('that ends with a bare LF is read', () => {
    const head = parseResponseHead(bytes('HTTP/1.1 200 OK\nA: b\n\n'));
    assert.deepEqual([head.reason, head.fields.get('a')], ['OK', 'b']);
  });

  for (const line of [
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 0',
    'HTTPS/1.1 200 OK',
    'HTTP: we are closed',
    'xxxxxHTTP/1.1 200 OK',
    'xICY 200 OK',
    'no HTTP',
    '<!doctype html>',
    'SSH-2.0-OpenSSH_9.2',
    '',
  ]) {
    test(`${JSON.stringify(line)} is refused`, () => {
      assert.throws(() => responseHead('', line), refusal(`malformed status line: ${JSON.stringify(line)}`));
    });
  }
});

describe('HeadReader', () => {
  test('gives the head with its empty line and the bytes after it', () => {
    const found = new HeadReader().push(bytes('A\r\nB: c\r\n\r\nrest\r\n\r\n'))!;
    assert.deepEqual([found.head.toString(), found.rest.toString()], ['A\r\nB: c\r\n\r\n', 'rest\r\n\r\n']);
  });

  for (const [what, head] of [
    ['an empty line ended by CRLF', 'A\r\n\r\n'],
    ['an empty line ended by a bare LF', 'A\n\n'],
    ['a bare LF after CRLF', 'A\r\n\n'],
    ['CRLF after a bare LF', 'A\n\r\n'],
  ] as const) {
    test(`ends a head at ${what}, the first of them`, () => {
      for (const rest of ['', '\n\n', '\n\r\n', '\r\n\r\n']) {
        const found = new HeadReader().push(bytes(head + rest))!;
        assert.deepEqual([found.head.toString(), found.rest.toString()], [head, rest]);
      }
    });
  }

  test('does not end a head at CRs or at a line of white space', () => {
    assert.equal(new HeadReader().push(bytes('A\r\n\r\r\n \r\n\r\rB\r\n')), undefined);
  });

  test('tells how much of a head it holds, and reads one after the other', () => {
    const reader = new HeadReader();
    assert.equal(reader.push(bytes('A\r\n')), undefined);
    assert.equal(reader.pending, 3);
    assert.equal(reader.push(bytes('\r\nB\r\n\r\n'))!.rest.toString(), 'B\r\n\r\n');
    assert.equal(reader.pending, 0);
    assert.equal(reader.push(bytes('C\r\n\r\n'))!.head.toString(), 'C\r\n\r\n');
  });

  test('keeps bytes of a head when the piece that they came in is overwritten', () => {
    const reader = new HeadReader();
    const piece = bytes('A: b\r\n');
    reader.push(piece);
    piece.fill(0);
    assert.equal(reader.push(bytes('\r\n'))!.head.toString(), 'A: b\r\n\r\n');
  });

  const exact = Buffer.alloc(MAX_HEAD_BYTES, 'x');
  exact.write('\r\n\r\n', MAX_HEAD_BYTES - 4);
  const over = Buffer.concat([bytes('x'), exact]);
  const tooLarge = refusal('header block larger than 4194304 bytes', 'too-large');
  const pieces = (whole: Buffer) =>
    Array.from({ length: Math.ceil(whole.length / 65_536) }, (_, i) => whole.subarray(i * 65_536, (i + 1) * 65_536));

  test('takes a head of 4 MiB, in one piece and in many, with bytes after it', () => {
    assert.equal(new HeadReader().push(Buffer.concat([exact, bytes('rest')]))!.rest.toString(), 'rest');
    const reader = new HeadReader();
    const found = pieces(Buffer.concat([exact, bytes('rest')])).map((piece) => reader.push(piece));
    assert.deepEqual(
      found.findIndex((one) => one?.head.equals(exact)),
      64 - 1,
    );
  });

  test('refuses a head of 4 MiB and one byte, in one piece and in many', () => {
    assert.throws(() => new HeadReader().push(over), tooLarge);
    const reader = new HeadReader();
    assert.throws(() => pieces(over).forEach((piece) => reader.push(piece)), tooLarge);
  });

  test('refuses at 4 MiB and one byte without waiting for the end', () => {
    const reader = new HeadReader();
    assert.equal(reader.push(Buffer.alloc(MAX_HEAD_BYTES, 'x')), undefined);
    assert.throws(() => reader.push(bytes('x')), tooLarge);
  });
});

test('empty lines in front of a message are counted, nothing else is', () => {
  assert.equal(leadingEmptyLines(bytes('\r\n\n\r\nGET')), 5);
  assert.equal(leadingEmptyLines(bytes('GET\r\n')), 0);
  assert.equal(leadingEmptyLines(bytes(' \r\n')), 0);
  assert.equal(leadingEmptyLines(bytes('\r\n')), 2);
});

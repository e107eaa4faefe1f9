import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChunkedBody } from '../../src/http1/chunked.ts';
import { MessageError } from '../../src/http/errors.ts';
import { keepsConnection, requestFraming, responseFraming } from '../../src/http1/framing.ts';
import { HeadReader, MAX_HEAD_BYTES, parseRequestHead, parseResponseHead } from '../../src/http1/head.ts';
import { forwardedLines } from '../../src/http1/serialize.ts';
import { absoluteTarget, connectTarget } from '../../src/http/target.ts';
import { bytes } from './read.ts';

/** Each takes well under a second; what grows with the square of the size takes minutes, or hours: so the small size comes first. */
const LIMIT_MS = 10_000;
const SIZES = [MAX_HEAD_BYTES / 16, MAX_HEAD_BYTES - 100];

/** A text with `…` in it, that becomes as many of what stands in braces before it as make up the size: `A: {x}…`. */
function filled(template: string, size: number): string {
  return template.replace(/\{([^}]*)\}…/g, (_all, pattern: string) => pattern.repeat(Math.floor(size / pattern.length)));
}

function inTime(run: () => unknown): void {
  const started = performance.now();
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof MessageError, String(error));
  }
  const tookMs = performance.now() - started;
  assert.ok(tookMs < LIMIT_MS, `took ${Math.round(tookMs)} ms`);
}

describe('heads of 4 MiB take no more than their share of time', () => {
  for (const [what, fields] of [
    ['one value', 'A: {x}…\r\n'],
    ['one name', '{x}…\r\n'],
    ['spaces before a colon', 'a{ }…b: c\r\n'],
    ['spaces before a colon and a control character', 'a{ }…b: \x01c\r\n'],
    ['spaces only', 'A: { }…\x01\r\n'],
    ['CRs', 'A: {\r}…\r\n'],
    ['folded lines', 'A: b\r\n{ c\n}…\r\n'],
    ['folded lines without text', 'A: b\r\n{ \n}…\r\n'],
    ['nameless lines', '{:\n}…\r\n'],
    ['nameless lines, each folded', 'A: b\r\n{:\n c\n}…\r\n'],
    ['commas', 'Connection: {,}…\r\n'],
    ['codings', 'Transfer-Encoding: {a,}…\r\n'],
    ['digits', 'Content-Length: {0}…\r\n'],
    ['lengths', 'Content-Length: {1,}…\r\n'],
  ] as const) {
    test(what, () => {
      for (const size of SIZES) {
        const text = filled(fields, size);
        inTime(() => requestFraming(parseRequestHead(bytes(`GET / HTTP/1.1\r\n${text}\r\n`))));
        inTime(() => {
          const head = parseResponseHead(bytes(`HTTP/1.1 200 OK\r\n${text}\r\n`));
          forwardedLines(head.fields, () => undefined, undefined);
          keepsConnection(head);
          responseFraming(head, 'GET');
        });
      }
    });
  }

  for (const [what, line] of [
    ['a request line without spaces', '{G}…'],
    ['a request line of spaces', 'GET { }…'],
    ['a target without version', 'GET {x}…'],
    ['a status line of spaces', 'HTTP/1.1{ }…'],
    ['a status line of digits', 'HTTP/{1}…'],
    ['a version of dots', 'HTTP/1.{.1}…'],
    ['a reason', 'HTTP/1.1 200 {\r}…'],
  ] as const) {
    test(what, () => {
      for (const size of SIZES) {
        const text = filled(line, size);
        inTime(() => parseRequestHead(bytes(`${text}\r\n\r\n`)));
        inTime(() => parseResponseHead(bytes(`${text}\r\n\r\n`)));
      }
    });
  }

  for (const [what, host] of [
    ['labels', '{a.}…'],
    ['one label', '{a}…'],
    ['upper case', '{A}…'],
    ['digits', '{1}…'],
    ['dots', '{.}…'],
    ['colons', '{:1}…'],
    ['percent', '{%61}…'],
    ['brackets', '[{:}…]'],
    ['UTF-8', '{\xc3\xa4}…'],
  ] as const) {
    test(`a host of ${what}`, () => {
      for (const size of SIZES) {
        const text = filled(host, size);
        inTime(() => absoluteTarget('GET', `http://${text}/`));
        inTime(() => connectTarget(`${text}:443`));
        inTime(() => connectTarget(text));
      }
    });
  }
});

describe('what drips byte by byte is not read again from its beginning', () => {
  const drip = Buffer.from('x');

  test('a head of 1 MiB', () => {
    const reader = new HeadReader();
    inTime(() => {
      for (let i = 0; i < 1024 * 1024; i++) reader.push(drip);
    });
    assert.equal(reader.push(bytes('\r\n\r\n'))?.head.length, 1024 * 1024 + 4);
  });

  test('a trailer of 1 MiB', () => {
    const reader = new ChunkedBody(true);
    inTime(() => {
      reader.read(bytes('0\r\nA: '), 0, []);
      for (let i = 0; i < 1024 * 1024; i++) reader.read(drip, 0, []);
      reader.read(bytes('\r\n\r\n'), 0, []);
    });
    assert.equal(reader.done, true);
  });

  test('a million chunks of one byte', () => {
    const reader = new ChunkedBody(true);
    const payload: Buffer[] = [];
    inTime(() => reader.read(bytes(`${'1\r\nx\r\n'.repeat(1_000_000)}0\r\n\r\n`), 0, payload));
    assert.equal(reader.done, true);
    assert.equal(payload.length, 1_000_000);
  });
});

/** The requests of one client, one after the other, however their bytes are split and whenever they are served. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, test, type TestContext } from 'node:test';
import { bodySink } from '../support/client-side.ts';
import { bytes } from './read.ts';
import { splitsOf, TEMPERS, Trace, turn, UNHURRIED } from './reader-support.ts';

const CHUNKS = '3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nSum: 1\r\n\r\n';
const PIPELINED = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\n',
  'POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\n\r\nx\r\n',
  'PUT /c HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
  `PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  '\r\n\r\n',
  'GET /e HTTP/1.0\r\n\r\n',
];
const TRACE = [
  ...['head GET /a none', 'serve', 'end'],
  ...['head POST /b length', 'serve', `body 2 ${JSON.stringify(['\r\nx\r\n', '\r\nx\r\n'])}`, 'end'],
  ...['head PUT /c length', 'serve', 'end'],
  ...['head PUT /d chunked', 'serve', `body 4 ${JSON.stringify([CHUNKS, 'abcde'])}`, 'end'],
  ...['head GET /e none', 'serve', 'end'],
];

describe('pipelined requests are told of in order, each after the one before, and each body after it is served', () => {
  for (const temper of TEMPERS) {
    test(`when they are served ${temper}`, async () => {
      for (const { how, pieces } of splitsOf(bytes(PIPELINED.join('')))) {
        const trace = new Trace();
        trace.serveAs(temper);
        await trace.deliver(pieces);
        assert.deepEqual(trace.lines, TRACE, how);
        assert.deepEqual([trace.source.paused, trace.reader.state, trace.reader.hasEarly], [false, 'head', false], how);
      }
    });
  }

  test('when those without a body are answered at once, and served by nobody', async () => {
    for (const { how, pieces } of splitsOf(bytes('GET /a HTTP/1.1\r\n\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n'))) {
      const trace = new Trace();
      trace.onRequest = () => trace.reader.next();
      await trace.deliver(pieces);
      assert.deepEqual(trace.lines, ['head GET /a none', 'head GET /b none', 'head GET /c none'], how);
    }
  });
});

test('a request that is answered before its body was read gets nothing of it, and nothing comes after it', async () => {
  for (const { how, pieces } of splitsOf(bytes('POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\n\r\n'))) {
    const trace = new Trace();
    trace.onRequest = () => void trace.reader.stop();
    await trace.deliver(pieces);
    assert.deepEqual(trace.lines, ['head POST /a length'], how);
    assert.equal(trace.reader.state, 'over');
  }
});

test('a request that is answered in the middle of its body gets no more of it', async () => {
  const trace = new Trace();
  const got: string[] = [];
  const body = bodySink({ write: (piece) => got.push(piece.toString()) > 0, endRequest: () => assert.fail('it did not end') });
  trace.onRequest = () => trace.reader.serve(body);
  await trace.deliver([bytes('POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe')]);
  assert.equal(trace.reader.unserve(), body);
  trace.reader.stop();
  await trace.deliver([bytes('lloGET /b HTTP/1.1\r\n\r\n')]);
  assert.deepEqual([got, trace.lines], [['he'], ['head POST /a length']]);
});

test('what came before its turn holds the source back until its turn', async () => {
  const trace = new Trace();
  const [first, , ...others] = PIPELINED.map(bytes);
  trace.reader.receive(first!);
  assert.deepEqual([trace.reader.state, trace.source.paused], ['answer', false]);
  // One read more is all that is kept.
  trace.reader.receive(Buffer.concat(others));
  assert.deepEqual([trace.reader.hasEarly, trace.source.paused, trace.source.pauses], [true, true, 1]);
  await turn();
  assert.deepEqual(trace.lines, TRACE.slice(0, 1));
  trace.serve();
  // Told of, but not from within the answer to the one before.
  assert.deepEqual(trace.lines, TRACE.slice(0, 3));
  await turn();
  assert.equal(trace.lines.at(-1), 'head POST /b length');
  // It brought the rest along, which waits again.
  assert.deepEqual([trace.source.paused, trace.source.pauses, trace.source.resumes], [true, 2, 1]);
  trace.serve();
  await turn();
  assert.equal(trace.lines.at(-1), 'head PUT /c length');
});

test('a source that gives some more after it was paused is read in order all the same', async () => {
  const trace = new Trace();
  for (const piece of ['POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\n', 'a', 'b', 'cGET /b HTTP/1.1\r\n\r\n'].map(bytes))
    trace.reader.receive(piece);
  trace.serveAs('at once');
  trace.serve();
  await trace.deliver([]);
  assert.deepEqual(trace.lines.slice(2), ['body 1 ["abc","abc"]', 'end', 'head GET /b none', 'serve', 'end']);
});

test('a reader that is stopped before the turn of what came early tells nothing of it, and leaves its source as it is', async () => {
  const trace = new Trace();
  trace.reader.receive(bytes('POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc'));
  trace.serve();
  assert.equal(trace.reader.stop().toString(), 'abc');
  await turn();
  assert.deepEqual(trace.lines, ['head POST /a length', 'serve']);
  // It may belong to somebody else by now.
  assert.deepEqual([trace.source.paused, trace.source.resumes], [true, 0]);
});

test('a body of which nothing came with its head is waited for with an open source, but kept until it is served', async () => {
  const trace = new Trace();
  trace.reader.receive(bytes('POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\n'));
  assert.deepEqual([trace.reader.state, trace.source.paused, trace.reader.serving], ['body', false, undefined]);
  trace.reader.receive(bytes('he'));
  assert.equal(trace.source.paused, true);
  trace.serve();
  assert.notEqual(trace.reader.serving, undefined);
  await trace.deliver([bytes('llo')]);
  assert.deepEqual(trace.lines, ['head POST /b length', 'serve', 'body 1 ["hello","hello"]', 'end']);
});

test('a body that takes no more pauses its source, and goes on when that is resumed', async () => {
  const trace = new Trace();
  trace.serveAs('at once');
  trace.ready = () => false;
  await trace.deliver([bytes('POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe')]);
  assert.deepEqual([trace.source.paused, trace.reader.state], [true, 'body']);
  trace.source.resume();
  // Its last piece holds nobody back: there is nothing that could be.
  await trace.deliver([bytes('llo')]);
  assert.deepEqual(trace.lines.slice(2), ['body 1 ["hello","hello"]', 'end']);
  assert.equal(trace.source.paused, false);
});

for (const [what, head, said] of [
  ['a bad request line', 'GET/a HTTP/1.1\r\nHost: a\r\n\r\n', /^malformed: malformed request line: "GET\/a HTTP\/1.1"$/],
  ['a bad field', 'GET /a HTTP/1.1\r\nHost a\r\n\r\n', /^malformed: .*Host a/],
  ['another version', 'GET /a HTTP/2.0\r\n\r\n', /^malformed: HTTP version not supported/],
  ['framing that can be read in two ways', 'POST /a HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello', /^malformed: malformed Content-Length/],
] as const) {
  test(`a head with ${what} is malformed once, after the requests before it, and ends the reading`, async () => {
    const whole = bytes(`GET /before HTTP/1.1\r\n\r\n${head}GET /after HTTP/1.1\r\n\r\n`);
    for (const { how, pieces } of splitsOf(whole)) {
      const trace = new Trace();
      trace.serveAs('in a microtask');
      await trace.deliver(pieces);
      assert.deepEqual(trace.lines.slice(0, 3), ['head GET /before none', 'serve', 'end'], how);
      assert.match(trace.lines[3]!, said, how);
      assert.equal(trace.lines.length, 4, how);
    }
  });
}

for (const temper of TEMPERS) {
  test(`a malformed body is told to whoever serves it, then the request is malformed (served ${temper})`, async () => {
    const whole = bytes('POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\nGET /after HTTP/1.1\r\n\r\n');
    for (const { how, pieces } of splitsOf(whole)) {
      const trace = new Trace();
      trace.serveAs(temper);
      await trace.deliver(pieces);
      // How much of the body came before that depends on the split.
      const lines = trace.lines.filter((line) => !line.startsWith('body'));
      assert.deepEqual(lines, ['head POST /a chunked', 'serve', 'clientGone', 'malformed: malformed chunk size: "zz"'], how);
    }
  });
}

test('who stops gets what came before its turn, byte for byte', async () => {
  const head = 'CONNECT a:443 HTTP/1.1\r\n\r\n';
  for (const { how, pieces } of splitsOf(bytes(`${head}\r\n\x16\x03\x01 after`))) {
    const trace = new Trace();
    let early: string | undefined;
    trace.onRequest = () => (early = trace.reader.stop().toString('latin1'));
    await trace.deliver(pieces);
    // What stands behind the head in the piece that completes it.
    const at = pieces.findIndex((_, i) => Buffer.concat(pieces.slice(0, i + 1)).length >= head.length);
    const behind = Buffer.concat(pieces.slice(0, at + 1))
      .toString('latin1')
      .slice(head.length);
    assert.equal(early, behind, how);
  }
});

/** A clock that stands still until it is told to go on. */
function clock(t: TestContext): (ms: number) => void {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  return (ms) => (nowMs += ms);
}

describe('a head', () => {
  const slow = ['too slow: request head not complete within the time limit'];

  test('that is not complete within its time is given up when its next byte comes, and no other waits to be read', async (t) => {
    const pass = clock(t);
    const trace = new Trace({ ...UNHURRIED, headTimeoutMs: 500 });
    trace.reader.receive(bytes('G'));
    pass(500);
    trace.reader.receive(bytes('E'));
    assert.deepEqual([trace.lines, trace.reader.inHead], [[], true]);
    pass(1);
    trace.reader.receive(bytes('T'));
    await trace.deliver([]);
    assert.deepEqual(trace.lines, slow);
  });

  test('that came in time, but is read late and in pieces, is read all the same', async (t) => {
    const pass = clock(t);
    const trace = new Trace({ ...UNHURRIED, headTimeoutMs: 500 });
    trace.reader.receive(bytes('GET / '));
    pass(5000);
    trace.reader.receive(bytes('HTTP/1.1\r\n'));
    await turn();
    trace.reader.receive(bytes('\r\n'));
    await trace.deliver([]);
    assert.deepEqual(trace.lines, ['head GET / none']);
  });

  test('whose last byte comes late is read all the same', (t) => {
    const pass = clock(t);
    const trace = new Trace({ ...UNHURRIED, headTimeoutMs: 500 });
    trace.reader.receive(bytes('GET / HTTP/1.1\r\n\r'));
    pass(5000);
    trace.reader.receive(bytes('\n'));
    assert.deepEqual([trace.lines, trace.reader.inHead], [['head GET / none'], false]);
  });

  test('has time from its own first byte on, not from the head before it', (t) => {
    const pass = clock(t);
    const trace = new Trace({ ...UNHURRIED, headTimeoutMs: 500 });
    trace.onRequest = () => trace.reader.next();
    for (let i = 0; i < 3; i++) {
      trace.reader.receive(bytes('GET / HTTP/1.1\r\n'));
      pass(400);
      trace.reader.receive(bytes('\r\n'));
      pass(5000);
    }
    assert.deepEqual(trace.lines, ['head GET / none', 'head GET / none', 'head GET / none']);
  });
});

describe('a body', () => {
  const options = { ...UNHURRIED, minRate: { bytesPerSecond: 10, windowMs: 1000 } };
  const begun = (trace: Trace) => {
    trace.serveAs('at once');
    trace.reader.receive(bytes('POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n'));
    trace.reader.receive(bytes('a'));
  };

  test('that comes too slowly is given up, and whoever serves it is told first', (t) => {
    const pass = clock(t);
    const trace = new Trace(options);
    begun(trace);
    pass(999);
    trace.reader.receive(bytes('b'));
    assert.equal(trace.lines.length, 3);
    pass(1);
    trace.reader.receive(bytes('c'));
    assert.deepEqual(trace.lines.slice(3), ['clientGone', 'too slow: request body comes too slowly']);
    assert.equal(trace.reader.serving, undefined);
  });

  test('that was held back is not slow for that', (t) => {
    const pass = clock(t);
    const trace = new Trace(options);
    begun(trace);
    trace.ready = () => false;
    trace.reader.receive(bytes('b'));
    trace.ready = () => true;
    pass(60_000);
    trace.reader.receive(bytes('c'));
    assert.deepEqual(trace.lines.slice(2), ['body 1 ["abc","abc"]']);
  });

  test('is not slow because the one before it was', async (t) => {
    const pass = clock(t);
    const trace = new Trace(options);
    begun(trace);
    trace.reader.receive(Buffer.alloc(99, 'z'));
    pass(60_000);
    await trace.deliver([bytes('POST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\n'), bytes('a')]);
    assert.equal(trace.lines.at(-1), 'body 2 ["a","a"]');
  });

  test('that ends late is complete all the same', (t) => {
    const pass = clock(t);
    const trace = new Trace(options);
    begun(trace);
    pass(60_000);
    trace.reader.receive(Buffer.alloc(99, 'z'));
    assert.equal(trace.lines.at(-1), 'end');
  });
});

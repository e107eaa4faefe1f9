/** Sessions, frame by frame: what a peer may do is borne, what it must not costs no more than it should. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import type { SessionEvents } from '../../src/http2/session-events.ts';
import { Http2Session } from '../../src/http2/session.ts';
import type { StreamEvents } from '../../src/http2/stream-events.ts';
import type { SessionStream } from '../../src/http2/stream.ts';
import { fieldBlock, FLAG, frame, framesOf, PREFACE, TYPE, uint32, type Frame } from '../support/http2-frames.ts';
import { socketPair } from '../support/wires.ts';

const OPTIONS = { settings: { maxConcurrentStreams: 100 }, sessionWindow: 65_535, maxListSize: 65_536, maxFields: 1000 };
const POST = fieldBlock([
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'a.example'],
  [':path', '/'],
]);
const PADDED = 8;
const MANY = 4000;

/** A session, and its peer in bytes. */
async function sessionOf(t: TestContext, role: 'client' | 'server', events: Partial<SessionEvents> = {}) {
  const [near, far] = await socketPair(t);
  const faults: unknown[] = [];
  const session = new Http2Session(near, role, OPTIONS, {
    onClosed: () => undefined,
    onFault: (error) => faults.push(error),
    ...events,
  });
  let bytes = Buffer.alloc(0);
  let wake: () => void = () => undefined;
  far.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]);
    wake();
  });
  far.on('close', () => wake());
  const skipped = role === 'client' ? PREFACE.length : 0;
  const frames = (): readonly Frame[] => framesOf(bytes.subarray(skipped)).frames;
  const until = async (wanted: (frame: Frame) => boolean): Promise<Frame> => {
    for (;;) {
      const found = frames().find(wanted);
      if (found !== undefined) return found;
      assert.ok(!far.destroyed, 'the connection has ended');
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  if (role === 'server') far.write(PREFACE);
  far.write(frame(TYPE.settings, 0, 0));
  far.write(frame(TYPE.settings, FLAG.ack, 0));
  let pings = 0;
  /** Send it. Resolves when all has been read and answered. */
  const say = async (...sent: readonly Buffer[]): Promise<void> => {
    const payload = Buffer.concat([uint32(0), uint32(++pings)]);
    far.write(Buffer.concat([...sent, frame(TYPE.ping, 0, 0, payload)]));
    await until(({ type, payload: answered }) => type === TYPE.ping && answered.equals(payload));
  };
  return { session, near, far, frames, until, say };
}

function streamEvents(more: Partial<StreamEvents> = {}): StreamEvents {
  return {
    onData: () => undefined,
    onTrailers: () => undefined,
    onEnd: () => undefined,
    onDrain: () => undefined,
    onClosed: () => undefined,
    ...more,
  };
}

test('a request that is answered without its body being read is over, and said to be', async (t) => {
  let code: number | undefined = -1;
  const { say } = await sessionOf(t, 'server', {
    onRequest: (stream) => {
      stream.tell(streamEvents({ onClosed: (closedBy) => (code = closedBy) }));
      stream.headers([':status', '400'], false);
      stream.end();
    },
  });
  await say(frame(TYPE.headers, FLAG.endHeaders, 1, POST), frame(TYPE.data, FLAG.endStream, 1, Buffer.from('body')));
  assert.equal(code, 0);
});

test('what comes of a stream that crossed GOAWAY costs nobody else anything', async (t) => {
  const streams: SessionStream[] = [];
  const { session, say, frames, until } = await sessionOf(t, 'server', {
    onRequest: (stream) => {
      stream.tell(streamEvents());
      streams.push(stream);
    },
  });
  await say(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, POST));
  session.close();
  await say(
    frame(TYPE.headers, FLAG.endHeaders, 3, POST),
    frame(TYPE.data, 0, 3, Buffer.from('body')),
    frame(TYPE.window, 0, 3, uint32(10)),
    frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 3, fieldBlock([['trailer', 'x']])),
    frame(TYPE.reset, 0, 3, uint32(8)),
  );
  assert.deepEqual(
    frames()
      .filter(({ type }) => type === TYPE.reset || type === TYPE.goaway)
      .map(({ type, payload }) => [type, payload.toString('hex')]),
    [
      [TYPE.goaway, '0000000100000000'],
      [TYPE.reset, '00000007'],
    ],
  );
  streams[0]?.headers([':status', '204'], true);
  assert.equal((await until(({ type }) => type === TYPE.headers)).stream, 1);
});

test('padding is given back, also of frames that are nothing else', async (t) => {
  const { say, until } = await sessionOf(t, 'server', {
    onRequest: (stream) => {
      stream.tell(streamEvents());
      stream.resume();
    },
  });
  const padding = frame(TYPE.data, PADDED, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]));
  await say(frame(TYPE.headers, FLAG.endHeaders, 1, POST), ...Array.from({ length: 200 }, () => padding));
  assert.equal((await until(({ type, stream }) => type === TYPE.window && stream === 1)).payload.readUInt32BE(0), 128 * 256);
});

test('fields behind an answer that nobody may send are left out', async (t) => {
  const { session, say, until } = await sessionOf(t, 'client');
  let trailers: readonly string[] = [];
  session.request(
    [':method', 'GET', ':scheme', 'https', ':authority', 'a', ':path', '/'],
    true,
    streamEvents({ onTrailers: (list) => (trailers = list) }),
  );
  await until(({ type }) => type === TYPE.headers);
  await say(
    frame(TYPE.headers, FLAG.endHeaders, 1, Buffer.from([0x88])),
    frame(
      TYPE.headers,
      FLAG.endHeaders | FLAG.endStream,
      1,
      fieldBlock([
        ['a', '1'],
        ['b', '2\r\ninjected: 3'],
        ['c\r\nd', '4'],
      ]),
    ),
  );
  assert.deepEqual(trailers, ['a', '1']);
});

test('a table that is made smaller and larger again is told by the smallest size', async (t) => {
  const { session, say, until } = await sessionOf(t, 'client');
  const size = (bytes: number) => frame(TYPE.settings, 0, 0, Buffer.concat([Buffer.from([0, 1]), uint32(bytes)]));
  await say(size(0), size(4096));
  session.request([':method', 'GET', 'x', 'y'], true, streamEvents());
  const { payload } = await until(({ type }) => type === TYPE.headers);
  assert.equal(payload.toString('hex', 0, 4), '203fe11f');
  assert.deepEqual(new HpackDecoder({ maxListSize: 1000, maxFields: 10 }).decode(payload), [':method', 'GET', 'x', 'y']);
});

test('a body in pieces of a byte, of which nothing is taken, costs memory as one of large pieces', async (t) => {
  const streams: SessionStream[] = [];
  const { say, far } = await sessionOf(t, 'server', {
    onRequest: (stream) => {
      let pieces = 0;
      let bytes = '';
      stream.tell(
        streamEvents({ onData: (piece) => (pieces++, (bytes += piece.toString())), onEnd: () => far.emit('told', pieces, bytes) }),
      );
      streams.push(stream);
    },
  });
  const text = '0123456789'.repeat(2000);
  await say(
    frame(TYPE.headers, FLAG.endHeaders, 1, POST),
    ...Array.from(text, (byte) => frame(TYPE.data, 0, 1, Buffer.from(byte))),
    frame(TYPE.data, FLAG.endStream, 1),
  );
  const told = once(far, 'told');
  streams[0]?.resume();
  const [pieces, bytes] = (await told) as [number, string];
  assert.equal(bytes, text);
  assert.ok(pieces <= 10, `${pieces} pieces`);
});

test('a peer that asks and never reads is left, before heads for it fill the memory', async (t) => {
  const reason = 'r'.repeat(10_000);
  let asked = 0;
  let onEnd: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (onEnd = resolve));
  const { far } = await sessionOf(t, 'server', {
    onRequest: (stream) => {
      stream.tell(streamEvents());
      stream.headers([':status', '200', 'x', reason], true);
      if (++asked === MANY) onEnd();
    },
    onClosed: () => onEnd(),
  });
  far.removeAllListeners('data');
  far.pause();
  for (let n = 0; n < MANY; n++) far.write(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 2 * n + 1, POST));
  await ended;
  assert.ok(asked < MANY, `${asked} were answered`);
});

test('a peer that reads slowly has all of the last answer, though the session ends with it', async (t) => {
  const body = Buffer.alloc(100_000, 'b');
  const { session, near, far, until } = await sessionOf(t, 'server', {
    onRequest: (stream) => {
      stream.tell(streamEvents());
      stream.headers([':status', '200'], false);
      stream.write(body.subarray(0, 60_000));
      stream.end();
      session.close();
    },
  });
  // What it is to be given stays here for longer than who does not read is waited for.
  let release: () => void = () => undefined;
  const write = near._write.bind(near);
  const held: (() => void)[] = [];
  Object.assign(near, { _writev: undefined });
  near._write = (chunk, encoding, callback) => {
    held.push(() => write(chunk, encoding, callback));
    release = () => {
      near._write = write;
      for (const each of held) each();
    };
  };
  far.write(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, POST));
  await new Promise((resolve) => setTimeout(resolve, 1300));
  release();
  await until(({ type, flags }) => type === TYPE.data && (flags & FLAG.endStream) !== 0);
});

test('a server that says it may be pushed to is none: the session ends, with an error of the protocol', async (t) => {
  const [near, far] = await socketPair(t);
  const closed = new Promise<void>((resolve) => {
    const session = new Http2Session(near, 'client', OPTIONS, {
      onClosed: () => {
        assert.match(String(session.error), /pushed to/);
        resolve();
      },
      onFault: (error) => assert.fail(String(error)),
    });
  });
  far.resume();
  far.write(frame(TYPE.settings, 0, 0, Buffer.from([0, 2, 0, 0, 0, 1])));
  await closed;
});

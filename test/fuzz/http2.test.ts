/**
 * Any frames, and any bytes, as what comes over a connection of HTTP/2, for a server and for a client.
 *
 * The laws: nothing is thrown but errors of the protocol, which end the session with a GOAWAY that names one; every split of what comes at
 * once is answered by the same bytes and told as the same; a stream is told of its end once, and of nothing behind it; no more than was
 * granted is taken.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { CODE } from '../../src/http2/frames.ts';
import { HpackEncoder } from '../../src/http2/hpack-encoder.ts';
import { Http2Session } from '../../src/http2/session.ts';
import type { SessionStream } from '../../src/http2/stream.ts';
import type { StreamEvents } from '../../src/http2/stream-events.ts';
import { frame, framesOf, PREFACE, TYPE, uint32 } from '../support/http2-frames.ts';
import { cut, cuts, fuzz, LONG, Tally } from './support.ts';

type Role = 'client' | 'server';

const WINDOW = 65_535;
const OPTIONS = { settings: { maxConcurrentStreams: 4 }, sessionWindow: WINDOW, maxListSize: 2000, maxFields: 20 };
const REQUEST = [':method', 'GET', ':scheme', 'https', ':authority', 'a.example', ':path', '/'];
const POST = [':method', 'POST', ...REQUEST.slice(2), 'content-length', '3'];
const ASKED = 3;

/** Takes all that is written, in the order in which it comes. */
class Taker extends EventEmitter {
  readonly taken: Buffer[] = [];
  readonly writableLength = 0;
  writableEnded = false;
  destroyed = false;

  write(bytes: Buffer | string): boolean {
    this.taken.push(Buffer.from(bytes as string));
    return true;
  }

  cork(): void {}
  uncork(): void {}

  end(): void {
    this.writableEnded = true;
  }

  destroySoon(): void {
    this.destroy();
  }

  destroy(): void {
    this.destroyed = true;
  }
}

interface Outcome {
  readonly told: readonly string[];
  readonly sent: Buffer;
  readonly ended: boolean;
}

async function outcomeOf(role: Role, pieces: readonly Buffer[]): Promise<Outcome> {
  const told: string[] = [];
  const over = new Set<number>();
  const tell = (stream: { readonly id: number } | undefined, what: string) => {
    const id = stream?.id ?? 0;
    assert.ok(!over.has(id), `${what} of stream ${id}, which is over`);
    if (what.startsWith('closed')) over.add(id);
    told.push(`${id} ${what}`);
  };
  const eventsOf = (own: () => SessionStream | undefined, done: () => void): StreamEvents => ({
    onHead: (list, ended) => tell(own(), `head ${list.join('|')} ${ended}`),
    onData: (bytes) => tell(own(), `data ${bytes.length > 0 ? bytes.toString('latin1') : ''}`),
    onTrailers: (list) => tell(own(), `trailers ${list.join('|')}`),
    onEnd: () => {
      tell(own(), 'end');
      done();
    },
    onDrain: () => undefined,
    onClosed: (code) => tell(own(), `closed ${code}`),
  });
  const socket = new Taker();
  const session = new Http2Session(socket as unknown as Socket, role, OPTIONS, {
    onRequest(stream, list, ended) {
      tell(stream, `request ${list?.join('|')} ${ended}`);
      const answer = () => {
        if (!stream.writable) return;
        stream.headers([':status', '200'], false);
        stream.write(Buffer.from('an answer'));
        stream.end();
      };
      stream.tell(eventsOf(() => stream, answer));
      stream.resume();
      if (ended) answer();
    },
    onGoaway: (last) => told.push(`goaway ${last}`),
    onClosed: () => told.push('over'),
    onFault: (error) => {
      throw error;
    },
  });
  if (role === 'client')
    for (let nth = 0; nth < ASKED; nth++) {
      const stream: SessionStream = session.request(
        REQUEST,
        true,
        eventsOf(
          () => stream,
          () => undefined,
        ),
      );
    }
  for (const piece of pieces) socket.emit('data', piece);
  await turn();
  await turn();
  const ended = session.destroyed;
  const sent = Buffer.concat(socket.taken);
  socket.destroyed = true;
  socket.emit('close');
  return { told, sent, ended };
}

const encoder = () => new HpackEncoder();
const block = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(REQUEST, POST).map((list) => encoder().encode(list)) },
  { weight: 4, arbitrary: fc.constantFrom('200', '103', '204', '304').map((status) => encoder().encode([':status', status])) },
  { weight: 1, arbitrary: fc.constant(encoder().encode(['x-trailer', 'behind'])) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom('a', ':path', 'Upper', 'te', 'cookie', 'connection'), fc.string({ maxLength: 9 })), { maxLength: 6 })
      .map((fields) => encoder().encode(fields.flat().map((text) => Buffer.from(text, 'latin1').toString('latin1')))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets)) },
);
const setting = fc
  .tuple(fc.nat(8), fc.constantFrom(0, 1, 100, 16_384, WINDOW, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1))
  .map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)]));
const number = fc.constantFrom(0, 1, 3, 100, WINDOW, 2 ** 31 - 1, 2 ** 32 - 1).map(uint32);
const octets = fc.uint8Array({ maxLength: 30 }).map((some) => Buffer.from(some));
const stream = fc.constantFrom(0, 1, 1, 1, 3, 3, 5, 2, 7, 101);
const flags = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0, 1, 4, 5, 5, 5) }, { weight: 1, arbitrary: fc.nat(255) });

/** Mostly of a form that might be right. */
const anyFrame = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(flags, stream, block).map(([flag, id, payload]) => frame(TYPE.headers, flag, id, payload)) },
  { weight: 4, arbitrary: fc.tuple(flags, stream, octets).map(([flag, id, payload]) => frame(TYPE.data, flag, id, payload)) },
  { weight: 2, arbitrary: fc.array(setting, { maxLength: 3 }).map((all) => frame(TYPE.settings, 0, 0, Buffer.concat(all))) },
  { weight: 2, arbitrary: fc.tuple(stream, number).map(([id, value]) => frame(TYPE.window, 0, id, value)) },
  { weight: 2, arbitrary: fc.tuple(stream, number).map(([id, value]) => frame(TYPE.reset, 0, id, value)) },
  { weight: 1, arbitrary: fc.tuple(number, number).map(([last, code]) => frame(TYPE.goaway, 0, 0, Buffer.concat([last, code]))) },
  { weight: 1, arbitrary: fc.constant(frame(TYPE.ping, 0, 0, Buffer.alloc(8))) },
  { weight: 1, arbitrary: fc.tuple(flags, stream, block).map(([flag, id, payload]) => frame(TYPE.continuation, flag, id, payload)) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(12), flags, stream, octets).map(([type, flag, id, payload]) => frame(type, flag, id, payload)) },
);
const change = fc.record({ at: fc.nat(0xffff), size: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) });
const came = fc
  .tuple(fc.array(anyFrame, { maxLength: 12 }), fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(change, { maxLength: 3 })))
  .map(([frames, changes]) =>
    changes.reduce((bytes, { at, size, put }) => {
      const spot = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, spot), put, bytes.subarray(spot + size)]);
    }, Buffer.concat(frames)),
  );

for (const role of ['server', 'client'] as const)
  test(`a ${role}: any frames and bytes are borne, or end the session with an error that is told`, LONG, async (t) => {
    const property = fc.asyncProperty(came, cuts, async (bytes, at) => {
      const begin = Buffer.concat([Buffer.from(role === 'server' ? PREFACE : ''), frame(TYPE.settings, 0, 0)]);
      const whole = await outcomeOf(role, [begin, bytes]);
      assert.deepEqual(await outcomeOf(role, [begin, ...cut(bytes, at)]), whole);
      const { frames, length } = framesOf(whole.sent.subarray(role === 'client' ? PREFACE.length : 0));
      assert.equal(length, whole.sent.length - (role === 'client' ? PREFACE.length : 0), 'a frame that is not whole');
      const last = frames.findLast(({ type }) => type === TYPE.goaway);
      if (!whole.ended) assert.equal(last, undefined);
      const code = last?.payload.readUInt32BE(4);
      tally.add(!whole.ended ? 'borne' : code === undefined || code === CODE.none ? 'ended by its peer' : `ended with ${code}`);
      if (whole.told.some((one) => /^\d+ (end|request .* true)/.test(one))) tally.add('whole messages');
    });
    const tally = new Tally();
    await fuzz(t, property, 1500, tally);
    for (const kind of ['borne', `ended with ${CODE.protocol}`, 'whole messages']) assert.ok(tally.of(kind) > 0, `none: ${String(tally)}`);
  });

/** A client and a server of ours over one wire, whose bytes come in every possible two pieces, and one by one. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { CODE } from '../../src/http2/frames.ts';
import { Http2Session } from '../../src/http2/session.ts';
import type { Settings } from '../../src/http2/settings.ts';
import type { StreamEvents } from '../../src/http2/stream-events.ts';
import type { SessionStream } from '../../src/http2/stream.ts';

type IsCut = (side: Side, at: number) => boolean;
type Side = 'client' | 'server';
/** What is told of a stream goes to the log, and then to `more`. */
type Tell = (id: number, more?: Partial<StreamEvents>) => StreamEvents;

interface Scene {
  readonly client?: Settings;
  readonly server?: Settings;
  ask(client: Http2Session, tell: Tell): void;
  answer(stream: SessionStream, tell: Tell, list: readonly string[]): void;
  /** all that each side was told, by stream */
  readonly told: Readonly<Record<string, string>>;
}

/** One end of a wire in memory: what is written comes at the other end in pieces. */
class End extends Duplex {
  other: End | undefined;
  written = 0;
  readonly #isCut: (at: number) => boolean;

  /** @param isCut a piece ends before this byte of all */
  constructor(isCut: (at: number) => boolean) {
    super();
    this.#isCut = isCut;
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    let from = 0;
    for (let to = 1; to <= bytes.length; to++) {
      if (to < bytes.length && !this.#isCut(this.written + to)) continue;
      this.other?.push(Buffer.from(bytes.subarray(from, to)));
      from = to;
    }
    this.written += bytes.length;
    done();
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }
}

/** Play it to the end of both sessions. @returns what was told, and how many bytes each side has sent */
async function play(scene: Scene, isCut: IsCut) {
  const near = new End((at) => isCut('client', at));
  const far = new End((at) => isCut('server', at));
  [near.other, far.other] = [far, near];
  const told: Record<string, string> = {};
  let asking = 0;
  const teller =
    (side: Side): Tell =>
    (id, more = {}) => {
      const name = `${side} ${id}`;
      if (side === 'client') asking++;
      const tell = (what: string) => (told[name] = `${told[name] ?? ''}${what}`);
      return {
        onHead: (list, ended) => (tell(`[${list.join(' ')}${ended ? ' END' : ''}]`), more.onHead?.(list, ended)),
        onData: (piece) => (tell(piece.toString('latin1')), more.onData?.(piece)),
        onTrailers: (list) => tell(`[${list.join(' ')}]`),
        onEnd: () => (tell('.'), more.onEnd?.()),
        onDrain: () => more.onDrain?.(),
        onClosed: (code) => {
          tell(` closed ${code}`);
          if (side === 'client' && --asking === 0) client.close();
        },
      };
    };
  const sizes = { sessionWindow: 65_535, maxListSize: 65_536, maxFields: 100 };
  const still = new Set<Side>(['client', 'server']);
  const ending = new EventEmitter();
  const over = once(ending, 'over');
  const eventsOf = (side: Side) => ({
    onClosed: () => {
      if (still.delete(side) && still.size === 0) ending.emit('over');
    },
    onFault: (error: unknown) => ending.emit('error', error),
  });
  const onRequest = (stream: SessionStream, list: readonly string[] = [], ended: boolean) => {
    told[`server ${stream.id}`] = `[${list.join(' ')}${ended ? ' END' : ''}]`;
    scene.answer(stream, teller('server'), list);
    stream.resume();
  };
  const server = new Http2Session(
    far as unknown as Socket,
    'server',
    { settings: scene.server ?? {}, ...sizes },
    { ...eventsOf('server'), onRequest },
  );
  const client = new Http2Session(near as unknown as Socket, 'client', { settings: scene.client ?? {}, ...sizes }, eventsOf('client'));
  scene.ask(client, teller('client'));
  await over;
  return { told, error: client.error ?? server.error, sent: { client: near.written, server: far.written } };
}

const GET = [':method', 'GET', ':path', '/', ':scheme', 'https', ':authority', 'a.example'];
const POST = [':method', 'POST', ...GET.slice(2)];
const OK = [':status', '200'];
const ASKED = GET.join(' ');
const UPLOADED = POST.join(' ');
const UPLOAD = 'ten bytes.'.repeat(4);

const SCENES: Readonly<Record<string, Scene>> = {
  'an interim head, a head, a body, trailers': {
    ask: (client, tell) => client.request(GET, true, tell(1)),
    answer(stream, tell) {
      stream.tell(tell(1));
      stream.headers([':status', '103', 'link', '</a>'], false);
      stream.headers(OK, false);
      stream.write(Buffer.from('one,'));
      stream.write(Buffer.from('two'));
      stream.end(['x-sum', '7']);
    },
    told: { 'client 1': '[:status 103 link </a>][:status 200]one,two[x-sum 7]. closed 0', 'server 1': `[${ASKED} END] closed 0` },
  },
  'an upload and its echo through windows of ten bytes': {
    client: { initialWindowSize: 10 },
    server: { initialWindowSize: 10 },
    ask(client, tell) {
      const stream = client.request(POST, false, tell(1));
      stream.write(Buffer.from(UPLOAD));
      stream.end(['x-sum', '40']);
    },
    answer(stream, tell) {
      stream.tell(tell(1, { onData: (piece) => stream.write(piece), onEnd: () => stream.end() }));
      stream.headers(OK, false);
    },
    told: { 'client 1': `[:status 200]${UPLOAD}. closed 0`, 'server 1': `[${UPLOADED}]${UPLOAD}[x-sum 40]. closed 0` },
  },
  'fields by the table, and one that is never to be in it': {
    server: { headerTableSize: 100 },
    ask(client, tell) {
      for (const id of [1, 3, 5])
        client.request([...GET, 'x-kept', 'by the table', 'authorization', 'secret', 'x-nth', `${id}`], true, tell(id));
    },
    answer(stream, tell) {
      stream.tell(tell(stream.id));
      stream.headers([...OK, 'x-nth', `${stream.id}`], true);
    },
    told: Object.fromEntries(
      [1, 3, 5].flatMap((id) => [
        [`client ${id}`, `[:status 200 x-nth ${id} END]. closed 0`],
        [`server ${id}`, `[${ASKED} x-kept by the table authorization secret x-nth ${id} END] closed 0`],
      ]),
    ),
  },
  'one that is reset by its client, one by the server, one that is answered': {
    ask(client, tell) {
      const stream: SessionStream = client.request(GET, true, tell(1, { onData: () => stream.reset(CODE.cancel) }));
      client.request(GET, true, tell(3));
      client.request(GET, true, tell(5));
    },
    answer(stream, tell) {
      stream.tell(tell(stream.id));
      if (stream.id === 3) return stream.reset(CODE.refused);
      stream.headers(OK, false);
      stream.write(Buffer.from('begun'));
      if (stream.id === 5) stream.end();
    },
    told: {
      'client 1': `[:status 200]begun closed ${CODE.cancel}`,
      'server 1': `[${ASKED} END] closed ${CODE.cancel}`,
      'client 3': ` closed ${CODE.refused}`,
      'server 3': `[${ASKED} END] closed ${CODE.refused}`,
      'client 5': '[:status 200]begun. closed 0',
      'server 5': `[${ASKED} END] closed 0`,
    },
  },
};

for (const [name, scene] of Object.entries(SCENES))
  test(`${name}: at every split of the bytes`, async () => {
    const whole = await play(scene, () => false);
    const check = async (isCut: IsCut, where: string) => {
      const { told, error } = await play(scene, isCut);
      assert.deepEqual({ told, error }, { told: scene.told, error: undefined }, where);
    };
    assert.deepEqual({ told: whole.told, error: whole.error }, { told: scene.told, error: undefined });
    await check(() => true, 'byte by byte');
    for (const side of ['client', 'server'] as const)
      for (let spot = 1; spot < whole.sent[side]; spot++)
        await check((of, at) => of === side && at === spot, `byte ${spot} of the ${side}`);
  });

/**
 * Clients and origins that try to use up the memory of the real program: whatever they send, it stays small, and answers others.
 *
 * WARCTAP_ATTACK multiplies what is sent.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { deflateSync } from 'node:zlib';
import { start, type Program } from '../clients/support/program.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { handles, peakRssBytes } from './watch.ts';

const TIMES = Number(process.env.WARCTAP_ATTACK ?? 1);
const MAX_RSS_BYTES = 300_000_000;
const MIB = 1024 * 1024;
const skip = process.platform !== 'linux' && 'reads memory from /proc';

interface Attacked {
  readonly program: Program;
  readonly origin: Origin;
  /** A connection that is closed when the test ends, and may be closed by the program. */
  readonly open: () => Promise<Socket>;
}

/** Attack a program, then see that it is small, holds nothing any more and answers. */
function attack(what: string, answer: (path: string, socket: Socket) => void, act: (attacked: Attacked, t: TestContext) => Promise<void>) {
  test(what, { skip, timeout: 120_000 }, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'warctap-bounds-'));
    const sockets: Socket[] = [];
    t.after(async () => {
      for (const socket of sockets) socket.destroy();
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    });
    await using origin = await startOrigin(({ path, socket }) => {
      if (path === '/others') socket.write(ok('others'));
      else answer(path, socket);
    });
    const files = ['--dir', join(dir, 'warcs'), '--certs-dir', join(dir, 'certs'), '--cacert', await testCaFile()];
    const databases = ['--dedup-db-file', join(dir, 'db'), '--stats-db-file', join(dir, 'db')];
    await using program = await start(['--port', '0', '--allow-localhost', '--min-free-space', '0', ...files, ...databases], dir);
    const open = async () => {
      const socket = connect({ port: program.port, host: '127.0.0.1', noDelay: true });
      sockets.push(socket.on('error', () => undefined));
      await once(socket, 'connect');
      return socket;
    };
    await act({ program, origin, open }, t);
    using other = await RawClient.connect(program.port);
    other.send(get(`${origin.url}/others`));
    assert.equal((await other.response()).body.toString(), 'others');
    const peak = peakRssBytes(program.pid);
    t.diagnostic(`${Math.round(peak / 1e6)} MB at most, ${handles(program.pid).all} handles`);
    assert.ok(peak < MAX_RSS_BYTES, `${Math.round(peak / 1e6)} MB`);
  });
}

/** Write without end, as fast as it is taken. @returns bytes so far */
function flood(socket: Socket, piece: string, maxBytes = Infinity): () => number {
  let sent = 0;
  const more = () => {
    while (!socket.destroyed && sent < maxBytes) {
      sent += piece.length;
      if (!socket.write(piece, 'latin1')) return;
    }
  };
  socket.on('drain', more);
  more();
  return () => sent;
}

/** Resolves when nothing more is taken. */
async function stuck(sent: () => number): Promise<void> {
  for (let before = -1; before !== sent(); await new Promise((resolve) => setTimeout(resolve, 300))) before = sent();
}

const floods: (() => number)[] = [];
attack(
  'origins that send 103 for ever, to clients that do not read',
  (_path, socket) => floods.push(flood(socket, `HTTP/1.1 103 Early Hints\r\nLink: </${'x'.repeat(200)}>\r\n\r\n`)),
  async ({ origin, open }) => {
    const clients = 20 * TIMES;
    for (let nth = 0; nth < clients; nth++) (await open()).pause().write(get(`${origin.url}/${nth}`));
    await origin.requested(clients);
    await stuck(() => floods.reduce((sum, sent) => sum + sent(), 0));
  },
);

attack(
  'clients that never end their heads of 3.9 MiB: the largest are answered 431',
  () => undefined,
  async ({ open }) => {
    let refused = 0;
    let enough = () => {};
    const refusals = new Promise<void>((resolve) => (enough = resolve));
    for (let nth = 0; nth < 100 * TIMES; nth++) {
      const socket = await open();
      socket.once('data', (bytes: Buffer) => {
        if (bytes.toString().startsWith('HTTP/1.1 431 ') && ++refused === 80 * TIMES) enough();
      });
      flood(socket, `GET / HTTP/1.1\r\nX: ${'x'.repeat(1000)}`.padEnd(MIB / 8, 'x'), 3.9 * MIB);
    }
    await refusals;
  },
);

attack(
  'origins that never end their heads of 3.9 MiB: the largest are answers that are none',
  (_path, socket) => void flood(socket, `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1000)}`.padEnd(MIB / 8, 'x'), 3.9 * MIB),
  async ({ origin, open }) => {
    let refused = 0;
    const clients = 100 * TIMES;
    const refusals = new Promise<void>((resolve) => {
      void (async () => {
        for (let nth = 0; nth < clients; nth++) {
          const socket = await open();
          socket.once('data', (bytes: Buffer) => {
            if (bytes.toString().startsWith('HTTP/1.1 502 ') && ++refused === 50 * TIMES) resolve();
          });
          socket.write(get(`${origin.url}/${nth}`));
        }
      })();
    });
    await refusals;
  },
);

attack(
  'requests that name very many statistics buckets',
  (path, socket) => void socket.write(ok(path)),
  async ({ program, origin }) => {
    using client = await RawClient.connect(program.port);
    for (const [buckets, statuses] of [
      [100_000, [400]],
      [1000, [200, 429]],
    ] as const) {
      for (let nth = 0; nth < 24 * TIMES; nth++) {
        using once = await RawClient.connect(program.port);
        const stats = { buckets: Array.from({ length: buckets }, (_, bucket) => `bucket ${nth} ${bucket} of many`) };
        once.send(get(`${origin.url}/${nth}`, `Warcprox-Meta: ${JSON.stringify({ stats })}\r\n`));
        const { status } = await once.response();
        assert.ok((statuses as readonly number[]).includes(status), String(status));
      }
    }
    client.send(get(`${origin.url}/last`));
    await client.response();
  },
);

attack(
  'compressed rules of 8 MiB, one after the other, and many at once',
  (path, socket) => void socket.write(ok(path)),
  async ({ program, origin }) => {
    const asked = async (nth: number) => {
      const rules: object[] = [];
      for (let length = 2; length < 8 * MIB - 100; length += JSON.stringify(rules.at(-1)).length + 1)
        rules.push({ domain: `host${nth}-${rules.length}.example.com`, substring: `/path/${rules.length}` });
      using client = await RawClient.connect(program.port);
      const meta = { compressed_blocks: deflateSync(JSON.stringify(rules), { level: 1 }).toString('base64') };
      client.send(get(`${origin.url}/${nth}`, `Warcprox-Meta: ${JSON.stringify(meta)}\r\n`));
      assert.equal((await client.response()).status, 200);
    };
    for (let nth = 0; nth < 2 * TIMES; nth++) await asked(nth);
    await Promise.all(Array.from({ length: 2 * TIMES }, (_, nth) => asked(100 + nth)));
  },
);

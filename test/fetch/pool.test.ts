/** Idle connections to origins. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test, type TestContext } from 'node:test';
import { OriginPool } from '../../src/fetch/pool.ts';
import { Http1Origin } from '../../src/fetch/http1-origin.ts';

let server: Server;
const accepted: Socket[] = [];
before(async () => {
  server = createServer((socket) => accepted.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
  for (const socket of accepted) socket.destroy();
});

async function open(key: string, idleMs = 0): Promise<{ connection: Http1Origin; other: Socket }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[other]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  return { connection: new Http1Origin(socket, key, undefined, idleMs, (error) => assert.fail(String(error))), other };
}

const closed = ({ socket }: Http1Origin) => new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', resolve)));

test('the connection used last is taken first, and only for its own key', async () => {
  const pool = new OriginPool(10);
  const [{ connection: one }, { connection: two }, { connection: three }] = [await open('a'), await open('a'), await open('b')];
  for (const connection of [one, two, three]) pool.put(connection);
  assert.equal(pool.take('c'), undefined);
  assert.equal(pool.take('a'), two);
  assert.equal(pool.take('a'), one);
  assert.equal(pool.take('a'), undefined);
  assert.equal(pool.take('b'), three);
  for (const connection of [one, two, three]) connection.destroy();
});

test('a connection that is put back twice is handed out once', async () => {
  const pool = new OriginPool(10);
  const [{ connection: one }, { connection: two }] = [await open('a'), await open('a')];
  for (const connection of [one, two, one]) pool.put(connection);
  assert.equal(pool.idle.open, 2);
  assert.deepEqual([pool.take('a'), pool.take('a'), pool.take('a')], [two, one, undefined]);
  for (const connection of [one, two]) connection.destroy();
});

test('one too many: the one idle for longest is closed', async () => {
  const pool = new OriginPool(2);
  const connections = [(await open('a')).connection, (await open('b')).connection, (await open('c')).connection];
  for (const connection of connections) pool.put(connection);
  assert.ok(connections[0]?.socket.destroyed);
  assert.equal(pool.take('a'), undefined);
  assert.equal(pool.take('b'), connections[1]);
  assert.equal(pool.take('c'), connections[2]);
  for (const connection of connections) connection.destroy();
});

/** A clock that stands still until it is told to go on, and the timers that go by it. */
function clock(t: TestContext): (ms: number) => void {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  t.mock.timers.enable({ apis: ['setInterval'] });
  return (ms) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
}

test('more than six to one origin are kept for a second only, those used last for longer', async (t) => {
  const connections: Http1Origin[] = [];
  for (let nth = 0; nth < 10; nth++) connections.push((await open('a')).connection);
  const other = (await open('b')).connection;
  const pass = clock(t);
  const pool = new OriginPool(100);
  for (const connection of [...connections, other]) pool.put(connection);
  pass(999);
  assert.equal(connections.filter(({ usable }) => usable).length, 10);
  pass(1);
  assert.deepEqual(
    connections.map(({ usable }) => usable),
    [...Array<boolean>(4).fill(false), ...Array<boolean>(6).fill(true)],
  );
  assert.ok(other.usable);
  pass(60_000);
  assert.equal(connections.filter(({ usable }) => usable).length, 6);
  pool.close();
});

describe('what must not be sent twice', () => {
  const takeFresh = (pool: OriginPool) => new Promise((resolve) => pool.takeFresh('a', resolve));

  test('gets a connection that was in use within the last second, and no older one', async (t) => {
    const [{ connection: older }, { connection: old }] = [await open('a'), await open('a')];
    const pass = clock(t);
    const pool = new OriginPool(10);
    pool.put(older);
    pool.put(old);
    pass(900);
    assert.equal(await takeFresh(pool), old);
    pass(200);
    assert.equal(await takeFresh(pool), undefined);
    assert.equal(pool.take('a'), older);
    for (const connection of [older, old]) connection.destroy();
  });

  for (const [what, act] of [
    ['has closed', (other: Socket) => other.destroy()],
    ['has said something on', (other: Socket) => other.write('x')],
  ] as const) {
    test(`gets none that its origin ${what}, even when that was not read yet`, async () => {
      const pool = new OriginPool(10);
      const { connection, other } = await open('a');
      pool.put(connection);
      act(other);
      // It is in the system's buffers, and nobody here can have seen it yet.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      assert.ok(connection.usable);
      assert.equal(await takeFresh(pool), undefined);
      assert.ok(connection.socket.destroyed);
      assert.equal(pool.take('a'), undefined);
    });
  }
});

for (const [what, act] of [
  ['that its origin closes', (other: Socket) => other.end()],
  ['that its origin resets', (other: Socket) => other.resetAndDestroy()],
  ['on which its origin says something', (other: Socket) => other.write('x')],
] as const) {
  test(`a connection ${what} is forgotten`, async () => {
    const pool = new OriginPool(10);
    const { connection, other } = await open('a');
    pool.put(connection);
    act(other);
    await closed(connection);
    assert.equal(pool.take('a'), undefined);
  });
}

test('a connection that is idle for too long is closed and forgotten', async () => {
  const pool = new OriginPool(10);
  const { connection } = await open('a', 50);
  pool.put(connection);
  await closed(connection);
  assert.equal(pool.take('a'), undefined);
});

test('a broken connection is not taken in', async () => {
  const pool = new OriginPool(10);
  const { connection } = await open('a');
  connection.socket.destroy();
  pool.put(connection);
  assert.equal(pool.take('a'), undefined);
});

test('closing closes all, and what comes later', async () => {
  const pool = new OriginPool(10);
  const { connection: one } = await open('a');
  const { connection: late } = await open('a');
  pool.put(one);
  pool.close();
  pool.put(late);
  assert.ok(one.socket.destroyed && late.socket.destroyed);
  assert.equal(pool.take('a'), undefined);
});

/** Two ends of a wire in one process, over a socket as between two. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { Wire } from '../../src/util/wire.ts';

export async function socketPair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  for (const socket of [near, far]) {
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
  }
  return [near, far];
}

export async function wirePair(t: TestContext): Promise<readonly [Wire, Wire]> {
  const [near, far] = await socketPair(t);
  return [new Wire(near, near), new Wire(far, far)];
}

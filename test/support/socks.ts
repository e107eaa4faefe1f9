/**
 * A small SOCKS5 proxy that remembers what it was asked for, and connects to 127.0.0.1 whatever the name.
 *
 * Source: RFC 1928, RFC 1929.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface SocksServer extends AsyncDisposable {
  readonly port: number;
  /** destinations as they came: type of address, and address with port */
  readonly asked: readonly { readonly type: 'ipv4' | 'name' | 'ipv6'; readonly destination: string }[];
  /** `user:password` of each connection that had to say it */
  readonly users: readonly string[];
}

/** @param login `user:password` that is asked for; none without it */
/** @param to a port to connect to, whichever is asked for */
export async function startSocks(login?: string, to?: number): Promise<SocksServer> {
  const asked: { type: 'ipv4' | 'name' | 'ipv6'; destination: string }[] = [];
  const users: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const serve = async (socket: Socket) => {
    keep(socket);
    const input = reader(socket);
    const [, methods = 0] = await input(2);
    await input(methods);
    socket.write(Buffer.from([5, login === undefined ? 0 : 2]));
    if (login !== undefined) {
      const [, userLength = 0] = await input(2);
      const user = await input(userLength);
      const [passwordLength = 0] = await input(1);
      const said = `${user.toString()}:${(await input(passwordLength)).toString()}`;
      users.push(said);
      socket.write(Buffer.from([1, said === login ? 0 : 1]));
      if (said !== login) return void socket.end();
    }
    const [, , , type = 0] = await input(4);
    const length = type === 1 ? 4 : type === 4 ? 16 : ((await input(1))[0] ?? 0);
    const address = await input(length);
    const port = (await input(2)).readUInt16BE();
    const kind = type === 1 ? 'ipv4' : type === 4 ? 'ipv6' : 'name';
    asked.push({ type: kind, destination: `${kind === 'name' ? address.toString() : [...address].join('.')}:${port}` });
    const upstream = connect(to ?? port, '127.0.0.1');
    keep(upstream);
    socket.once('close', () => upstream.destroy());
    const refused = () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]));
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.removeListener('error', refused).once('error', () => socket.destroy());
      socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      socket.pipe(upstream).pipe(socket);
    });
  };
  const server = createServer((socket) => void serve(socket).catch(() => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    users,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

/** Reads so many bytes at a time. */
function reader(socket: Socket): (count: number) => Promise<Buffer> {
  return async (count) => {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes;
      await once(socket, 'readable');
    }
  };
}

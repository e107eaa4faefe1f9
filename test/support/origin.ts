/**
 * An origin that is told byte by byte what to answer, and remembers byte by byte what it was asked.
 *
 * Reads requests with code of its own: what the proxy sends is judged by somebody else's understanding of HTTP.
 */
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { testCertificate } from './certificate.ts';

export interface OriginRequest {
  /** everything received of this request, head and body with its framing */
  readonly bytes: Buffer;
  /** as in the request line */
  readonly method: string;
  readonly path: string;
  readonly socket: Socket;
  /** counts from 0 over all connections of this origin */
  readonly connection: number;
}

export interface Origin extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT` or `https://…` */
  readonly url: string;
  /** complete requests, in the order in which they became complete */
  readonly requests: readonly OriginRequest[];
  /** connections accepted so far */
  readonly connections: number;
  /** those of them that are still open */
  readonly open: number;
  /** Resolves when so many requests have come whole. */
  requested(count: number): Promise<void>;
}

export interface OriginOptions {
  readonly tls?: boolean;
  readonly address?: string;
  /** called when a head has come, before its body */
  readonly onHead?: (head: string, socket: Socket) => void;
}

/** @param answer writes to `request.socket` whatever it likes */
export async function startOrigin(answer: (request: OriginRequest) => unknown, options: OriginOptions = {}): Promise<Origin> {
  const requests: OriginRequest[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let connections = 0;
  const serve = (socket: Socket) => {
    const connection = connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let received = Buffer.alloc(0);
    let headTold = false;
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      for (;;) {
        const headEnd = received.indexOf('\r\n\r\n');
        if (headEnd === -1) return;
        const head = received.toString('latin1', 0, headEnd + 4);
        if (!headTold) options.onHead?.(head, socket);
        headTold = true;
        const end = requestEnd(received, headEnd + 4, head);
        if (end === undefined) return;
        const [method = '', path = ''] = head.split(' ');
        const request = { bytes: Buffer.from(received.subarray(0, end)), method, path, socket, connection };
        received = received.subarray(end);
        headTold = false;
        requests.push(request);
        for (const wake of waiting) wake();
        void answer(request);
      }
    });
  };
  const server: Server =
    options.tls === true ? createTlsServer({ ...(await testCertificate()) }, serve) : createTcpServer({ noDelay: true }, serve);
  server.on('tlsClientError', () => undefined);
  server.listen(0, options.address ?? '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    requested: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (requests.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

function requestEnd(bytes: Buffer, bodyStart: number, head: string): number | undefined {
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) return bytes.length >= bodyStart + Number(length) ? bodyStart + Number(length) : undefined;
  if (!/^transfer-encoding:.*chunked/im.test(head)) return bodyStart;
  let at = bodyStart;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = parseInt(bytes.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    at += size + 2;
  }
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const empty = lineEnd === at;
    at = lineEnd + 2;
    if (empty) return at;
  }
}

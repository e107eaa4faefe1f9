/** WebSockets of the `ws` package on both sides of a proxy, and frames by hand. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import { testCertificate } from './certificate.ts';
import { checkIdentity } from './identity.ts';
import type { TestRecord } from './proxy.ts';

export interface SocketOrigin extends AsyncDisposable {
  readonly port: number;
  /** `ws://127.0.0.1:PORT` or `wss://…` */
  readonly url: string;
  readonly server: WebSocketServer;
}

export interface SocketOriginOptions extends ServerOptions {
  readonly tls?: boolean;
}

/** @param serve each connection */
export async function startSocketOrigin(
  serve: (socket: WebSocket, request: IncomingMessage) => unknown,
  { tls = false, ...options }: SocketOriginOptions = {},
): Promise<SocketOrigin> {
  const http = tls ? createTlsServer({ ...(await testCertificate()) }) : createServer();
  const server = new WebSocketServer({ server: http, ...options });
  server.on('connection', (socket, request) => {
    socket.on('error', () => undefined);
    void serve(socket, request);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return {
    port,
    url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}`,
    server,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A socket that CONNECT has been answered on, with TLS inside where `ca` is given. */
export async function tunnelTo(proxyPort: number, authority: string, ca?: string): Promise<Socket> {
  const socket = connect({ port: proxyPort, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error(head.toString('latin1'));
  if (ca === undefined) return socket;
  const secured = connectTls({ socket, ca, host: '127.0.0.1', checkServerIdentity: checkIdentity });
  await once(secured, 'secureConnect');
  return secured;
}

/** A WebSocket through the proxy, which is open. */
export async function openThrough(
  proxy: { readonly port: number; readonly ca: string },
  url: string,
  { protocols = [], ...options }: ClientOptions & { protocols?: string[] } = {},
): Promise<WebSocket> {
  const { host, protocol } = new URL(url);
  const socket = await tunnelTo(proxy.port, host, protocol === 'wss:' ? proxy.ca : undefined);
  const opened = new WebSocket(url, protocols, { createConnection: () => socket, ...options });
  // What comes at once is not for nobody: whoever waits for the opening listens before the next turn.
  opened.once('open', () => {
    opened.pause();
    setImmediate(() => opened.resume());
  });
  await once(opened, 'open');
  return opened;
}

/** A handshake as a client writes it. @param target absolute, or a path inside of a tunnel */
export function handshake(target: string, host: string, more = ''): string {
  const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n`;
  return `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}${more}\r\n`;
}

/** The answer to it. */
export function switching(more = ''): string {
  const fields = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n';
  return `HTTP/1.1 101 Switching Protocols\r\n${fields}${more}\r\n`;
}

export interface FrameOptions {
  readonly mask?: boolean | undefined;
  readonly fin?: boolean | undefined;
  /** the three reserved bits */
  readonly rsv?: number | undefined;
  /** bytes that say the length: as few as will do by default */
  readonly lengthBytes?: 1 | 2 | 8 | undefined;
}

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A frame as RFC 6455 §5.2 draws it, valid or not. */
export function rawFrame(opcode: number, payload: Buffer | string, options: FrameOptions = {}): Buffer {
  const { mask = false, fin = true, rsv = 0 } = options;
  const bytes = Buffer.from(payload);
  const { lengthBytes = bytes.length < 126 ? 1 : bytes.length < 65536 ? 2 : 8 } = options;
  const length = Buffer.alloc(lengthBytes === 1 ? 1 : 1 + lengthBytes);
  if (lengthBytes === 1) length[0] = bytes.length;
  else if (lengthBytes === 2) length.writeUInt16BE(bytes.length, 1);
  else length.writeBigUInt64BE(BigInt(bytes.length), 1);
  if (lengthBytes > 1) length[0] = lengthBytes === 2 ? 126 : 127;
  if (mask) length[0] = (length[0] ?? 0) | 0x80;
  const masked = mask ? Buffer.from(bytes.map((byte, at) => byte ^ (KEY[at % 4] ?? 0))) : bytes;
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]), length, mask ? KEY : Buffer.alloc(0), masked]);
}

/** The payload of a close frame. */
export function closing(code: number, reason = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

export interface LogLine {
  readonly ts: number;
  readonly type: string;
  readonly opcode?: number;
  readonly payloadData?: string;
  readonly mask?: boolean;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
  readonly by?: string;
  readonly error?: string;
  readonly encoding?: string;
}

export function logLines(record: Pick<TestRecord, 'block'> | undefined): LogLine[] {
  const text = record?.block.toString() ?? '';
  if (!text.endsWith('\n')) throw new Error(`no lines: ${text.slice(-200)}`);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as LogLine);
}

/** What was sent and received, in short. */
export function messagesIn(record: Pick<TestRecord, 'block'> | undefined): string[] {
  return logLines(record).map(({ type, opcode, payloadData, code, wasClean, by }) =>
    type === 'closed' ? `closed ${code} by ${by}${wasClean === true ? '' : ', not clean'}` : `${type} ${opcode} ${payloadData}`,
  );
}

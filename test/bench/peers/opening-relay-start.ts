/**
 * `node --import tsx opening-relay-start.ts PORT`: opens TLS on both sides, and passes on what is inside: bytes of HTTP/1, or streams of
 * HTTP/2 by Node's own objects for them, with nothing done for them that need not be.
 */
import { connect as connectSession, performServerHandshake } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { originCertificate } from '../certificate.ts';

interface Place {
  readonly host: string;
  readonly port: number;
}

const ALPN = ['h2', 'http/1.1'];
const quiet = () => undefined;
/** Node would add a date. */
const AS_IT_CAME: ServerStreamResponseOptions & { sendDate: boolean } = { sendDate: false };
const secureContext = createSecureContext(await originCertificate());

function open(client: Socket, place: Place): void {
  const inner = new TLSSocket(client, { isServer: true, secureContext, ALPNProtocols: ALPN });
  inner.on('error', quiet);
  inner.on('secure', () => (inner.alpnProtocol === 'h2' ? relayStreams : relayBytes)(inner, place));
}

function relayBytes(client: TLSSocket, place: Place): void {
  const origin = connect({ ...place, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  origin.on('error', quiet);
  client.pipe(origin).pipe(client);
}

function relayStreams(client: TLSSocket, place: Place): void {
  const origin = connect({ ...place, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  const session = connectSession('https://origin', { createConnection: () => origin });
  session.on('error', quiet);
  // As Node's own server does with its sockets.
  Reflect.set(client, 'secureConnecting', false);
  const streams = performServerHandshake(client, { settings: { maxConcurrentStreams: 1000 } });
  streams.on('error', quiet);
  streams.on('stream', (stream, headers) => relayStream(stream, headers, session));
}

function relayStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, session: ClientHttp2Session): void {
  const request = session.request(headers, { endStream: true });
  request.on('response', (answer: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
    stream.respond(answer, AS_IT_CAME);
    request.on('data', (piece: Buffer) => stream.write(piece));
    request.on('end', () => stream.end());
  });
  request.on('error', quiet);
  stream.on('error', quiet);
}

createServer({ noDelay: true }, (client) => {
  client.on('error', quiet);
  client.once('data', (bytes: Buffer) => {
    const [, host, port] = /^CONNECT ([^: ]+):(\d+) /.exec(bytes.toString('latin1')) ?? [];
    if (host === undefined) return void client.destroy();
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    open(client, { host, port: Number(port) });
  });
}).listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
process.once('SIGTERM', () => process.exit(0));

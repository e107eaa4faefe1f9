/**
 * What begins after CONNECT: TLS, which is opened with a certificate of ours, or plain HTTP/1.
 *
 * Source: spec/warcprox.md §2; RFC 8446 §5.1 (a TLS record of a handshake begins with 0x16).
 */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Authority } from '../http/authority.ts';
import type { Log } from '../util/log.ts';
import type { ClientTunnel } from '../http/sides.ts';
import { ifIdle, timeLimit } from '../util/after-reading.ts';
import { reasonOf } from '../util/thrown.ts';
import { readHello } from './hello.ts';
import type { TlsImitation } from '../tls/imitation.ts';
import { isTlsAlert, type TlsFailures } from './tls-failures.ts';

/** Certificates for the names that clients ask for; at once when it is known. */
export type SecureContexts = (host: string) => SecureContext | Promise<SecureContext>;

export interface TunnelServices {
  readonly secureContexts: SecureContexts;
  readonly socketTimeoutMs: number;
  /** of the whole TLS handshake */
  readonly headTimeoutMs: number;
  readonly log: Log;
  readonly failures: TlsFailures;
  /** what clients say first is read, for origins to hear the same */
  readonly imitate?: boolean | undefined;
  /** offers HTTP/2, once what serves it has been loaded */
  readonly http2?: (() => Promise<void>) | undefined;
  /** serves the requests inside */
  readonly serve: (socket: Socket, tunnel: ClientTunnel, first: Buffer) => void;
}

const TLS_HANDSHAKE = 0x16;
/**
 * In the order of preference. A client that offers others only would take our answers for something else: it is told by the alert
 * no_application_protocol (RFC 7301 §3.2). One that offers none speaks HTTP/1.
 */
const SPOKEN = ['http/1.1', 'http/1.0'];
const SPOKEN_WITH_HTTP2 = ['h2', ...SPOKEN];

/** @param first bytes that came right after the head of CONNECT */
export function openTunnel(services: TunnelServices, socket: Socket, authority: Authority, first: Buffer): void {
  const quiet = () => undefined;
  const stop = () => socket.destroy();
  const idle = () => ifIdle(socket, stop);
  socket.setTimeout(services.socketTimeoutMs, idle);
  socket.on('error', quiet);
  socket.on('end', stop);

  const begin = (bytes: Buffer) => {
    socket.removeListener('data', begin).removeListener('end', stop).removeListener('timeout', idle);
    socket.pause();
    if (bytes[0] === TLS_HANDSHAKE) {
      if (services.imitate !== true) return void openTls(services, socket, authority, bytes);
      readHello(socket, bytes, services.headTimeoutMs, (all, imitation) => void openTls(services, socket, authority, all, imitation));
    } else {
      socket.removeListener('error', quiet);
      services.serve(socket, { ...authority, scheme: 'http', servername: undefined }, bytes);
    }
  };
  if (first.length > 0) return begin(first);
  socket.on('data', begin);
  socket.resume();
}

async function openTls(
  services: TunnelServices,
  socket: Socket,
  authority: Authority,
  first: Buffer,
  imitation?: TlsImitation,
): Promise<void> {
  const { secureContexts, log, failures } = services;
  const client = socket.remoteAddress;
  let secureContext: SecureContext;
  try {
    const context = secureContexts(authority.host);
    secureContext = context instanceof Promise ? await context : context;
    // A session has to take its socket over before anything is read from it.
    await services.http2?.();
  } catch (error) {
    log.error({ host: authority.host, reason: reasonOf(error) }, 'no certificate could be made');
    return void socket.destroy();
  }
  // It may have left while its certificate was made.
  if (socket.destroyed || socket.readableEnded) return void socket.destroy();
  socket.unshift(first);
  socket.setTimeout(0);
  const tls = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: services.http2 !== undefined ? SPOKEN_WITH_HTTP2 : SPOKEN,
    SNICallback: (name, callback) => {
      // The one that the connection has. It may have left the cache since, and must not be handed out again.
      if (name === authority.host) return callback(null);
      Promise.resolve(secureContexts(name)).then(
        (context) => callback(null, context),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  let told = false;
  const failed = (error: Error) => {
    // Node tells of it by two events.
    if (!told) failures.tell({ client, host: authority.host, error });
    told = true;
    tls.destroy();
  };
  const stop = () => tls.destroy();
  tls.setTimeout(services.socketTimeoutMs);
  const inTime = timeLimit(services.headTimeoutMs, stop);
  const idle = () => ifIdle(tls, stop);
  socket.once('close', inTime);
  tls.on('error', failed);
  tls.on('_tlsError', failed);
  tls.on('timeout', idle);
  // The connection is half-open on purpose: who leaves within the handshake would stay until the time limit.
  tls.on('end', stop);
  tls.once('secure', () => {
    inTime();
    tls.removeListener('timeout', idle).removeListener('end', stop).removeListener('error', failed).removeListener('_tlsError', failed);
    // Some clients look at the certificate when the handshake is over.
    tls.on('error', (error: Error) => {
      if (isTlsAlert(error)) failures.tell({ client, host: authority.host, error });
    });
    const name: unknown = Reflect.get(tls, 'servername');
    const servername = typeof name === 'string' && name !== '' && name !== authority.host ? name.toLowerCase() : undefined;
    services.serve(tls, { ...authority, scheme: 'https', servername, imitation: imitation && { tls: imitation } }, Buffer.alloc(0));
  });
}

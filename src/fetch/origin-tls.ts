/**
 * TLS with origins, over connections that stand: what is asked for, what was shown, and sessions to go on with.
 *
 * Every certificate will do unless it is asked otherwise: an archive wants the page anyway. What speaks against it is noted.
 * Source: RFC 8446 §2.2 (resumption; no certificate is shown again), RFC 6066 §3 (server names).
 */
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, type SecureContext, type TLSSocket } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { FetchError } from '../http/fetch-error.ts';
import { certificatesOf, chainSize, type OriginCertificates } from '../tls/certificates.ts';
import { tlsFacts, type TlsFacts } from '../tls/facts.ts';
import type { TlsImitation } from '../tls/imitation.ts';
import { established } from './established.ts';
import type { Origin } from './origin.ts';

export interface OriginTlsOptions {
  readonly secureContext: SecureContext;
  /** what is said instead to an origin that is to hear a client's hello */
  readonly imitate?: (imitation: TlsImitation) => SecureContext;
  /** limit of a handshake; 0 is none */
  readonly timeoutMs: number;
  /** the certificates of origins are noted, for the archive */
  readonly evidence?: boolean;
  /** origins whose certificates are not to be trusted are not asked anything */
  readonly refuseUntrusted?: boolean;
}

export interface Secured {
  readonly socket: TLSSocket;
  readonly facts: TlsFacts;
}

interface Session {
  readonly ticket: Buffer;
  /** shown when it began */
  readonly certificates: OriginCertificates | undefined;
}

const MAX_SESSIONS = 1024;
/** An origin may send a chain of 100 kB. */
const MAX_SESSION_BYTES = 16 * 1024 * 1024;

export class OriginTls {
  readonly #options: OriginTlsOptions;
  readonly #sessions = new LRUCache<string, Session>({
    max: MAX_SESSIONS,
    maxSize: MAX_SESSION_BYTES,
    sizeCalculation: ({ ticket, certificates }) => ticket.length + (certificates === undefined ? 0 : chainSize(certificates)),
  });

  constructor(options: OriginTlsOptions) {
    this.#options = options;
  }

  /**
   * @param key of connections that are interchangeable with this one
   * @throws FetchError; the connection is closed then
   */
  async secure(tcp: Socket, origin: Origin, key: string): Promise<Secured> {
    const { imitate, timeoutMs } = this.#options;
    const imitation = origin.imitation?.tls;
    const secureContext = (imitation && imitate?.(imitation)) ?? this.#options.secureContext;
    const name = origin.servername ?? origin.host;
    const session = this.#sessions.get(key);
    const socket = connect({
      socket: tcp,
      servername: isIP(name) === 0 ? name : '',
      secureContext,
      rejectUnauthorized: false,
      checkServerIdentity: (_servername, certificate) => checkServerIdentity(name, certificate),
      ...alpnOf(origin.http2 === true && origin.onlyHttp1 !== true ? ['h2', 'http/1.1'] : ['http/1.1'], imitation),
      ...(session === undefined ? {} : { session: session.ticket }),
    });
    let early: Buffer | undefined;
    // In TLS 1.2 it comes before the handshake is over, and with it what was shown is known.
    const onEarly = (ticket: Buffer) => (early = ticket);
    socket.on('session', onEarly);
    await established(socket, { event: 'secureConnect', what: `TLS with ${origin.host}:${origin.port}`, code: 'tls-failed', timeoutMs });
    const certificates = this.#shown(socket, origin, session);
    this.#refuse(socket, origin, certificates);
    const keep = (ticket: Buffer) => this.#sessions.set(key, { ticket, certificates });
    if (early !== undefined) keep(early);
    socket.removeListener('session', onEarly).on('session', keep);
    return { socket, facts: tlsFacts(socket, this.#options.evidence === true ? certificates : undefined) };
  }

  #shown(socket: TLSSocket, origin: Origin, session: Session | undefined): OriginCertificates | undefined {
    const { evidence, refuseUntrusted } = this.#options;
    if (evidence !== true && refuseUntrusted !== true) return undefined;
    const earlier = session?.certificates;
    if (socket.isSessionReused()) return earlier;
    const host = origin.host.includes(':') ? `[${origin.host}]` : origin.host;
    const shown = certificatesOf(socket, `tls:${host}:${origin.port}`, origin.servername);
    // One for all connections that were shown the same.
    return earlier?.key === shown.key && earlier.error === shown.error ? earlier : shown;
  }

  #refuse(socket: TLSSocket, origin: Origin, certificates: OriginCertificates | undefined): void {
    if (this.#options.refuseUntrusted !== true || certificates?.error === undefined) return;
    socket.on('error', () => undefined);
    socket.destroy();
    const message = `the certificate of ${origin.host}:${origin.port} is not to be trusted: ${certificates.error}`;
    throw new FetchError('certificate-refused', `${message} (--origin-certificates of the proxy is refuse)`);
  }
}

/** Of what may be spoken with the origin as much as the client offers, in its order; one that offers nothing has nothing offered. */
function alpnOf(spoken: readonly string[], imitation: TlsImitation | undefined): { ALPNProtocols?: string[] } {
  if (imitation === undefined) return { ALPNProtocols: [...spoken] };
  const offered = imitation.alpn.filter((name) => spoken.includes(name));
  return offered.length === 0 ? {} : { ALPNProtocols: offered };
}

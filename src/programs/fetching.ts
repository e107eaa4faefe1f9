/**
 * The way to origins, from the options that say how they are reached.
 */
import type { AddressInfo } from 'node:net';
import { addressRules } from '../fetch/address-rules.ts';
import { Connector } from '../fetch/connector.ts';
import type { Connect, Origin } from '../fetch/origin.ts';
import { OriginPool } from '../fetch/pool.ts';
import { SessionSharing } from '../fetch/session-sharing.ts';
import type { Resolve } from '../fetch/resolver.ts';
import { imitatedContexts, originSecureContext } from '../fetch/tls-profiles.ts';
import type { HeadMemory } from '../http1/head-memory.ts';
import { BROWSER_MANNERS } from '../http2/manner.ts';
import type { ArchivedSlice } from '../options/rows/archived.ts';
import type { AddressSlice, OriginSlice } from '../options/rows/towards-origins.ts';
import type { Log } from '../util/log.ts';

export interface ConnectorParts {
  readonly options: OriginSlice & Pick<ArchivedSlice, 'tlsEvidence'>;
  /** of connecting, and of a connection on which nothing happens; 0 is none */
  readonly timeoutMs: number;
  readonly resolve: Resolve;
  /** never connected to */
  readonly listening: () => readonly AddressInfo[];
  /** where unfinished heads of origins find room */
  readonly heads: HeadMemory;
  /** told of each origin to which there is TLS now */
  readonly onSecured: (origin: Origin) => void;
  readonly log: Log;
}

/** By these rules of addresses: how to connect, and where connections to be used again are kept. */
export type WayToOrigins = (addresses: AddressSlice) => { readonly connect: Connect; readonly pool: OriginPool };

/** @param maxIdle connections that are kept without being used */
export function wayToOrigins(parts: ConnectorParts, maxIdle: number): WayToOrigins {
  return (addresses) => {
    const pool = new OriginPool(maxIdle);
    const sharing: SessionSharing = new SessionSharing({ connect: (origin) => connector.connect(origin), pool });
    const connector = connectorOf({ ...parts, options: { ...parts.options, ...addresses } }, (origin) => sharing.wantsHttp1(origin));
    return { connect: (origin) => sharing.connect(origin), pool };
  };
}

function connectorOf(
  { options, timeoutMs, resolve, listening, heads, onSecured, log }: ConnectorParts,
  onHttp1Wanted: (origin: Origin) => void,
): Connector {
  const { sslContext, unsafeLegacyRenegotiation } = options;
  const secureContext = originSecureContext(sslContext === 'mirror' ? undefined : sslContext, unsafeLegacyRenegotiation);
  const imitated = sslContext === 'mirror' ? imitatedContexts(secureContext, unsafeLegacyRenegotiation) : undefined;
  return new Connector({
    resolve,
    rules: addressRules({ ...options, listening }),
    secureContext,
    ...(imitated && { imitate: (imitation) => imitated.of(imitation) }),
    http2Manner: sslContext === undefined || sslContext === 'mirror' ? undefined : BROWSER_MANNERS[sslContext],
    evidence: options.tlsEvidence === 'chain',
    refuseUntrusted: options.originCertificates === 'refuse',
    socks: options.socksProxy && {
      ...options.socksProxy,
      username: options.socksProxyUsername,
      password: options.socksProxyPassword,
    },
    onionSocks: options.onionTorSocksProxy,
    timeoutMs,
    heads,
    onSecured,
    onHttp1Wanted,
    onFault: (error) => log.error({ err: error }, 'a fault in warctap: the connection to an origin was closed'),
  });
}

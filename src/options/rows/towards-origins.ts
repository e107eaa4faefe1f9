/** How origins are reached, and which of them may be. */
import { hostPort, listOf, network, onOff, oneOf, socksCredential } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** Roads to origins, and addresses that may be reached. */
export const ORIGIN_ROWS = group('Towards origins', {
  socksProxy: { argument: 'H:P', kind: hostPort, defaultText: 'none', summary: 'SOCKS5 proxy for all traffic' },
  socksProxyUsername: {
    argument: 'U',
    kind: socksCredential,
    defaultText: 'none',
    summary: 'user name for --socks-proxy',
  },
  socksProxyPassword: {
    argument: 'P',
    kind: socksCredential,
    secret: true,
    defaultText: 'none',
    summary: 'password for --socks-proxy; the environment hides it better than a flag',
  },
  onionTorSocksProxy: {
    argument: 'H:P',
    kind: hostPort,
    defaultText: 'none',
    summary: 'SOCKS5 proxy for .onion hosts only',
  },
  sslContext: {
    argument: 'B',
    kind: oneOf('chrome', 'firefox', 'mirror'),
    defaultText: 'none',
    summary: 'TLS and HTTP/2 as chrome or firefox speak them, or mirror: as each client does',
  },
  unsafeLegacyRenegotiation: {
    kind: onOff,
    default: false,
    hidden: true,
    summary: 'renegotiate TLS with origins that cannot do it securely (RFC 5746)',
  },
  originCertificates: {
    argument: 'WHICH',
    kind: oneOf('accept', 'refuse'),
    default: 'accept',
    summary: 'what becomes of origins whose certificate is not to be trusted: accept, or refuse with 502',
  },
  allowLocalhost: {
    kind: onOff,
    default: false,
    reloadable: true,
    summary: 'let clients reach loopback addresses through the proxy',
  },
  allow: {
    argument: 'CIDR',
    kind: listOf(network),
    default: [],
    defaultText: 'none',
    reloadable: true,
    summary: 'network that may be reached though a wider one may not; may be repeated',
  },
  deny: {
    argument: 'CIDR',
    kind: listOf(network),
    default: [],
    defaultText: 'none',
    reloadable: true,
    summary: 'network that may not be reached; the smallest network that fits decides; may be repeated',
  },
});

/** What a proxy adds to the requests of its clients. */
export const FORWARDING_ROWS = group('Towards origins', {
  via: { kind: onOff, default: false, summary: 'send a Via header to origins' },
  websocket: {
    argument: 'WHAT',
    kind: oneOf('archive', 'refuse'),
    default: 'archive',
    summary: 'what becomes of WebSockets: archive (passed on, and their messages kept) or refuse (answered 403)',
  },
});

export type OriginSlice = Resolved<typeof ORIGIN_ROWS>;
/** Which addresses may be reached. */
export type AddressSlice = Pick<OriginSlice, 'allowLocalhost' | 'allow' | 'deny'>;
export type ForwardingSlice = Resolved<typeof FORWARDING_ROWS>;

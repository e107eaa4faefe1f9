/** Where a proxy listens, and who may use it. */
import { isMetaSecret, META_SECRET } from '../../auth/meta-secret.ts';
import { host, listOf, oneOf, path, text, wholeNumber } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** Of a service that speaks HTTPS with a certificate that it is given. */
export const TLS_ROWS = group('Listening', {
  tlsCert: {
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    summary: 'speak HTTPS with the certificate in this PEM file, those that have signed it behind it; needs --tls-key',
  },
  tlsKey: { argument: 'FILE', kind: path, defaultText: 'none', summary: 'private key of --tls-cert, PEM' },
});

export type TlsSlice = Resolved<typeof TLS_ROWS>;

/** Where clients reach it. */
export const LISTENING_ROWS = group('Listening', {
  port: {
    short: 'p',
    argument: 'N',
    kind: wholeNumber(0, 65535),
    default: 8000,
    summary: 'port to listen on; 0 picks a free one',
  },
  address: {
    short: 'b',
    argument: 'A',
    kind: host,
    default: 'localhost',
    summary: 'host name or IP address to listen on',
  },
  proxyAuthFile: {
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    reloadable: true,
    summary: 'ask clients for a name and a password of this file, made by "warctap passwd"',
  },
  metaSecret: {
    argument: 'TEXT',
    kind: text(META_SECRET, isMetaSecret),
    defaultText: 'none',
    secret: true,
    summary: 'Warcprox-Meta counts only with this beside it, in Warcprox-Meta-Secret; see docs/access.md',
  },
  metaSecretFile: {
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    summary: 'the same, from the one line of a file',
  },
  http2: {
    argument: 'WHEN',
    kind: oneOf('auto', 'off'),
    default: 'auto',
    summary: 'HTTP/2 with clients that choose it, and with the origins that they reach: auto, or off',
  },
  http2Streams: {
    argument: 'N',
    kind: wholeNumber(1, 10_000),
    default: 100,
    summary: 'requests at once on one HTTP/2 connection of a client; it keeps further ones back',
  },
  pageHost: {
    argument: 'NAME',
    kind: listOf(host),
    default: [],
    defaultText: 'none',
    summary: 'a host name for own pages (/status), beside IP addresses, localhost and the names of this machine; may be repeated',
  },
});

export type ListeningSlice = Resolved<typeof LISTENING_ROWS>;

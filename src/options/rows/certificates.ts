/** The certificate authority, and the certificates it makes. */
import { path } from '../kinds.ts';
import { group, type Host, type Resolved } from '../row.ts';

/** What TLS with clients needs. */
export const CERTIFICATE_ROWS = group('Certificates', {
  cacert: {
    short: 'c',
    argument: 'FILE',
    kind: path,
    default: ({ hostname }: Host) => `./certs/${hostname}-warcprox-ca.pem`,
    defaultText: './certs/<hostname>-warcprox-ca.pem',
    summary: 'key and certificate of the certificate authority (CA), PEM; created if absent',
  },
  certsDir: {
    argument: 'DIR',
    kind: path,
    default: ({ hostname }: Host) => `./certs/${hostname}-warcprox-ca`,
    defaultText: './certs/<hostname>-warcprox-ca',
    summary: 'where certificates made for hosts are kept and reused',
  },
});

export type CertificateSlice = Resolved<typeof CERTIFICATE_ROWS>;

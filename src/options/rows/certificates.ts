/** The certificate authority, and the certificates it makes. */
import { path } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** What TLS with clients needs. */
export const CERTIFICATE_ROWS = group('Certificates', {
  cacert: {
    short: 'c',
    argument: 'FILE',
    kind: path,
    defaultText: './certs/*-warcprox-ca.pem',
    summary: 'key and certificate of the certificate authority (CA), PEM; made if there is none, with the machine in its name',
  },
  certsDir: {
    argument: 'DIR',
    kind: path,
    defaultText: './certs/*-warcprox-ca',
    summary: 'where certificates made for hosts are kept and reused',
  },
});

export type CertificateSlice = Resolved<typeof CERTIFICATE_ROWS>;

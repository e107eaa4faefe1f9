/**
 * Reads the TLS evidence of WARC files: chains of certificates in `metadata` records, with the verdict that stands beside each.
 *
 * Judges nothing by itself: what is said is what the writer has found at the time. Holds one chain at a time.
 * Source: RFC 8555 §9.1 (application/pem-certificate-chain).
 */
import { X509Certificate } from 'node:crypto';
import { derOf } from '../../tls/pem.ts';
import { readWarc, type ReadRecord } from '../read/reader.ts';

export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** in ISO 8601 */
  readonly validFrom: string;
  readonly validTo: string;
  /** of the subject, as `DNS:example.com`; none in most certificates of authorities */
  readonly names: readonly string[];
  /** SHA-256 of the DER, in hex */
  readonly sha256: string;
}

export interface TlsEvidence {
  readonly file: string;
  /** of the record with the chain */
  readonly offset: number;
  /** WARC-Target-URI: `tls:host:port` */
  readonly origin: string;
  /** WARC-Date */
  readonly date: string;
  /** values of WARC-Protocol */
  readonly protocols: readonly string[];
  readonly cipherSuite: string | undefined;
  /** undefined where nothing is said of it */
  readonly verified: boolean | undefined;
  /** what speaks against the chain, a code of OpenSSL */
  readonly error: string | undefined;
  /** what was asked for in TLS, where that was not the host */
  readonly serverName: string | undefined;
  /** as it was sent, the origin's own first; what is no certificate is left out */
  readonly chain: readonly Certificate[];
}

/** A chain, and the id of its record. */
interface Chain {
  readonly id: string;
  readonly evidence: TlsEvidence;
}

/** A chain takes some kilobytes; OpenSSL takes none of more than 100 kB. */
const MAX_BYTES = 1024 * 1024;

/** @throws WarcReadError where the file is not whole, after what stands before */
export async function* tlsEvidenceIn(file: string): AsyncGenerator<TlsEvidence, void> {
  let chain: Chain | undefined;
  for await (const record of readWarc(file)) {
    if (record.type !== 'metadata' || record.contentLength > MAX_BYTES) continue;
    if (isOf(record, 'application/pem-certificate-chain')) {
      if (chain !== undefined) yield told(chain, undefined);
      chain = await chainIn(record, file);
    } else if (chain !== undefined && isOf(record, 'application/warc-fields') && record.header('WARC-Refers-To') === chain.id) {
      yield told(chain, (await record.bytes()).toString());
      chain = undefined;
    }
  }
  if (chain !== undefined) yield told(chain, undefined);
}

function isOf(record: ReadRecord, type: string): boolean {
  return record.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase() === type;
}

async function chainIn(record: ReadRecord, file: string): Promise<Chain> {
  const protocols = record.headers.flatMap(([name, value]) => (name.toLowerCase() === 'warc-protocol' ? [value] : []));
  return {
    id: record.header('WARC-Record-ID') ?? '',
    evidence: {
      file,
      offset: record.offset,
      origin: record.header('WARC-Target-URI') ?? '',
      date: record.header('WARC-Date') ?? '',
      protocols,
      cipherSuite: record.header('WARC-Cipher-Suite'),
      verified: undefined,
      error: undefined,
      serverName: undefined,
      chain: derOf((await record.bytes()).toString('latin1')).flatMap(certificateIn),
    },
  };
}

function told({ evidence }: Chain, fields: string | undefined): TlsEvidence {
  const value = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\\r?$`, 'im').exec(fields ?? '')?.[1];
  const verified = value('tlsVerified');
  return {
    ...evidence,
    verified: verified === undefined ? undefined : verified === 'yes',
    error: value('tlsError'),
    serverName: value('tlsServerName'),
  };
}

function certificateIn(der: Buffer): readonly Certificate[] {
  try {
    const { subject, issuer, validFrom, validTo, subjectAltName, fingerprint256 } = new X509Certificate(der);
    return [
      {
        subject: oneLine(subject),
        issuer: oneLine(issuer),
        validFrom: new Date(validFrom).toISOString(),
        validTo: new Date(validTo).toISOString(),
        names: subjectAltName?.split(', ') ?? [],
        sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
      },
    ];
  } catch {
    // Origins may send what they like: bytes are not the reader's to judge.
    return [];
  }
}

/** A name as Node writes it, one part a line, the most general first. */
function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').filter(Boolean).join(', ');
}

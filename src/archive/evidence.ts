/**
 * TLS evidence: the certificates that an origin has shown, and whether they were to be trusted, as two `metadata` records.
 *
 * Written once for each origin, chain and file, beside the first response of that origin in it. The WARC file knows whether it has them.
 * Their URI is `tls:host:port`, as `dns:host` is that of look-ups: by that of the site, pywb shows the certificates instead of its home page.
 * Source: ISO 28500:2017 §6.5 (`metadata`); RFC 8555 §9.1 (application/pem-certificate-chain).
 */
import type { Capture, ExchangeCapture, WebSocketCapture } from '../capture/capture.ts';
import type { OriginCertificates } from '../tls/certificates.ts';
import { pemOf } from '../tls/pem.ts';
import { field, warcDate } from '../warc/fields.ts';
import type { NewRecord } from '../warc/record.ts';
import type { Once } from '../warc/write/pool.ts';
import { metadataRecord } from './metadata-record.ts';
import type { RecordOptions } from './records.ts';
import { spokenFields } from './spoken.ts';

type Connected = ExchangeCapture | WebSocketCapture;

/** Of a capture whose origin has shown certificates that are looked at; nothing is made yet. */
export function tlsEvidence(capture: Capture, options: RecordOptions): Once | undefined {
  if (capture.kind !== 'exchange' && capture.kind !== 'websocket') return undefined;
  const certificates = capture.tls?.certificates;
  if (certificates === undefined || certificates.chain.length === 0) return undefined;
  return { key: certificates.key, make: () => recordsOf(capture, certificates, options) };
}

function recordsOf(capture: Connected, certificates: OriginCertificates, options: RecordOptions): readonly NewRecord[] {
  const { name, chain, error } = certificates;
  const shown = metadata(capture, certificates, options, 'application/pem-certificate-chain', pemOf(chain), spokenFields(capture, options));
  const verdict = field('tlsVerified', error === undefined ? 'yes' : 'no') + field('tlsError', error) + field('tlsServerName', name);
  return [shown, metadata(capture, certificates, options, 'application/warc-fields', verdict, field('WARC-Refers-To', shown.id))];
}

function metadata(
  capture: Connected,
  { origin }: OriginCertificates,
  options: RecordOptions,
  contentType: string,
  text: string,
  more: string,
): NewRecord {
  const about = field('WARC-Concurrent-To', capture.recordId) + field('WARC-IP-Address', capture.ipAddress) + more;
  const date = warcDate(capture.startedAt, options.version);
  return metadataRecord({ id: options.newRecordId(), date, uri: origin, about, contentType, block: Buffer.from(text) }, options);
}

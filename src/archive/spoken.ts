/**
 * What was spoken with an origin, as fields of a record.
 *
 * Source: iipc/warc-specifications 42 (WARC-Protocol, one field for each layer) and 86 (WARC-Cipher-Suite).
 */
import type { FailedCapture, Spoken } from '../capture/capture.ts';
import { field, plainField } from '../warc/fields.ts';

/** @param wanted false leaves them out */
export function spokenFields(
  { protocol, tls }: Pick<Spoken | FailedCapture, 'protocol' | 'tls'>,
  { protocol: wanted }: { readonly protocol: boolean },
): string {
  if (!wanted) return '';
  const spoken = protocol === undefined ? '' : plainField('WARC-Protocol', protocol);
  if (tls === undefined) return spoken;
  return spoken + plainField('WARC-Protocol', tls.version) + field('WARC-Cipher-Suite', tls.cipherSuite);
}

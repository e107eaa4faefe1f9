/**
 * What was spoken with an origin, as fields of a record.
 *
 * Source: iipc/warc-specifications 42 (WARC-Protocol, one field for each layer) and 86 (WARC-Cipher-Suite).
 */
import type { FailedCapture, Spoken } from '../capture/capture.ts';
import { field } from '../warc/fields.ts';

/** Most origins are spoken with as the one before. */
let last: readonly (string | undefined)[] = [];
let lastFields = '';

/** @param wanted false leaves them out */
export function spokenFields(
  { protocol, tls }: Pick<Spoken | FailedCapture, 'protocol' | 'tls'>,
  { protocol: wanted }: { readonly protocol: boolean },
): string {
  if (!wanted) return '';
  const version = tls?.version;
  const cipherSuite = tls?.cipherSuite;
  if (protocol !== last[0] || version !== last[1] || cipherSuite !== last[2]) {
    last = [protocol, version, cipherSuite];
    lastFields = field('WARC-Protocol', protocol) + field('WARC-Protocol', version) + field('WARC-Cipher-Suite', cipherSuite);
  }
  return lastFields;
}

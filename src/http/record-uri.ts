/**
 * Records that clients write: the methods that ask for it, and the URI under which they are archived.
 *
 * Source: spec/warcprox.md §8; RFC 3986 §3.
 */
import { MessageError } from './errors.ts';
import { percentEncoded, withoutUserInfo } from './target.ts';

export const RECORD_METHOD = 'WARCPROX_WRITE_RECORD';
/** The older form, for metadata records only. */
export const METADATA_METHOD = 'PUTMETA';

export function isRecordMethod(method: string): boolean {
  return method === RECORD_METHOD || method === METADATA_METHOD;
}

/**
 * WARC-Target-URI of such a record: the request target, fragment included, percent-encoded as every URL is, without user info, and with the
 * path that an http URL always has, so that it is found by the same URL as a capture.
 *
 * @param target Latin-1
 * @throws MessageError for what has no scheme
 */
export function recordUri(target: string): string {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:./.test(target)) {
    throw new MessageError('syntax', 'request target is no URI, which WARC-Target-URI has to be', target);
  }
  return percentEncoded(withoutUserInfo(target).replace(/^(https?:\/\/[^/?#]+)(?=[?#]|$)/i, '$1/'));
}

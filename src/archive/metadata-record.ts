/**
 * A `metadata` record of our own: text about a capture, with its digest.
 *
 * Source: ISO 28500:2017 §6.5.
 */
import { Digester, type DigestFormat } from '../util/digest.ts';
import { field, targetUri, type WarcVersion } from '../warc/fields.ts';
import { bytesOf, recordOf, type NewRecord } from '../warc/record.ts';

export interface MetadataDraft {
  readonly id: string;
  /** of the capture, as records have it */
  readonly date: string;
  readonly uri: string;
  /** lines of further WARC fields */
  readonly about: string;
  readonly contentType?: string;
  readonly block: Buffer;
}

export function metadataRecord(
  { id, date, uri, about, contentType = 'application/warc-fields', block }: MetadataDraft,
  { digest, version }: { readonly digest: DigestFormat; readonly version: WarcVersion },
): NewRecord {
  const digester = new Digester(digest);
  digester.update(block);
  const fields = targetUri(uri) + about + field('Content-Type', contentType) + field('WARC-Block-Digest', digester.finish());
  return recordOf(id, 'metadata', date, fields, bytesOf(block), version);
}

/**
 * A fetch without an answer as records: what is known of it as `metadata`, and what was sent.
 *
 * Index tools and playback pass it over: it is `application/warc-fields`, and no `response` stands beside the request.
 * Source: ISO 28500:2017 §6.5 (`metadata`); the statuses are those of the crawl log.
 */
import type { FailedCapture } from '../capture/capture.ts';
import { field, targetUri, warcDate } from '../warc/fields.ts';
import { recordOf, type NewRecord } from '../warc/record.ts';
import { artificialStatus } from './crawl-log-line.ts';
import { metadataRecord } from './metadata-record.ts';
import type { RecordOptions } from './records.ts';
import { spokenFields } from './spoken.ts';

/** Its principal record first. */
export function failureRecords(capture: FailedCapture, options: RecordOptions): readonly NewRecord[] {
  const { recordId, url, startedAt, request } = capture;
  const { version, newRecordId } = options;
  const date = warcDate(startedAt, version);
  const about = field('WARC-IP-Address', capture.ipAddress);
  const metadata = metadataRecord({ id: recordId, date, uri: url, about, block: Buffer.from(told(capture)) }, options);
  // What could not be kept is not there to be read.
  if (request === undefined || request.bytes.error !== undefined) return [metadata];
  const requestFields =
    targetUri(url) +
    field('WARC-Concurrent-To', recordId) +
    spokenFields(capture, options) +
    field('Content-Type', 'application/http;msgtype=request') +
    field('WARC-Truncated', request.truncated) +
    field('WARC-Block-Digest', request.digest);
  return [metadata, recordOf(newRecordId(), 'request', date, requestFields, request.bytes, version)];
}

function told(capture: FailedCapture): string {
  const { error, ipAddress, durationMs } = capture;
  return (
    field('fetchStatus', String(artificialStatus(capture))) +
    field('fetchError', error.code) +
    field('fetchErrorMessage', error.message) +
    field('ip', ipAddress) +
    field('durationMs', String(durationMs))
  );
}

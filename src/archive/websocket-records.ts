/**
 * A WebSocket as WARC records, all concurrent to each other: its messages, the 101, and the handshake.
 *
 * All have its `ws` or `wss` URL: under the `http` one a 101 would stand in the way of whoever looks for the page.
 * Source: ISO 28500:2017 §5.7 (WARC-Concurrent-To), §6.4; iipc/warc-specifications 115 (messages), 96 (WARC-Resource-Type).
 */
import type { WebSocketCapture } from '../capture/capture.ts';
import { MESSAGES_TYPE } from '../capture/kinds.ts';
import { field, targetUri, warcDate } from '../warc/fields.ts';
import { recordOf, type NewRecord } from '../warc/record.ts';
import type { RecordOptions } from './records.ts';

/** @param spoken lines that say how the origin was spoken with */
export function webSocketRecords(capture: WebSocketCapture, spoken: string, { version, newRecordId }: RecordOptions): readonly NewRecord[] {
  const { messages, response, request, ipAddress } = capture;
  const [messagesId, responseId, requestId] = [capture.recordId, newRecordId(), newRecordId()];
  const date = warcDate(capture.startedAt, version);
  const about = (...others: readonly string[]) => targetUri(capture.url) + others.map((id) => field('WARC-Concurrent-To', id)).join('');
  const messagesFields =
    about(responseId, requestId) +
    field('WARC-IP-Address', ipAddress) +
    spoken +
    field('WARC-Resource-Type', 'websocket') +
    field('Content-Type', MESSAGES_TYPE) +
    field('WARC-Truncated', messages.truncated) +
    field('WARC-Block-Digest', messages.digest) +
    field('WARC-Payload-Digest', messages.digest);
  const responseFields =
    about(messagesId, requestId) +
    field('WARC-IP-Address', ipAddress) +
    spoken +
    field('Content-Type', 'application/http;msgtype=response') +
    field('WARC-Block-Digest', response.digest) +
    field('WARC-Payload-Digest', response.payloadDigest);
  // The response first: who pairs requests with responses looks no further.
  const requestFields =
    about(responseId, messagesId) +
    spoken +
    field('Content-Type', 'application/http;msgtype=request') +
    field('WARC-Block-Digest', request.digest);
  return [
    recordOf(messagesId, 'resource', date, messagesFields, messages.bytes, version),
    recordOf(responseId, 'response', date, responseFields, response.bytes, version, response.headSize),
    recordOf(requestId, 'request', date, requestFields, request.bytes, version),
  ];
}

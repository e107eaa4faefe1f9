/**
 * What was captured, as WARC records: principal record first, each with its header as text and its block as bytes.
 *
 * Opens no file and knows no offset. Never changes the bytes that came over the wire.
 * Source: ISO 28500:2017 §5 (fields), §6.3-6.7 (types); WARC 1.0 for `version` 1.0; the table of the specification's §3.
 */
import type { Capture, CustomRecordCapture, ExchangeCapture, RecordedRequest } from '../capture/capture.ts';
import { headerText } from '../meta/json.ts';
import { Digester, type DigestFormat } from '../util/digest.ts';
import type { Bytes } from '../util/spool.ts';
import { asciiUri, dateIn, field, targetUri, warcDate, type WarcVersion } from '../warc/fields.ts';
import { bytesOf, recordOf, type NewRecord } from '../warc/record.ts';
import { failureRecords } from './failures.ts';
import { metadataRecord } from './metadata-record.ts';
import { spokenFields } from './spoken.ts';
import { webSocketRecords } from './websocket-records.ts';

const REQUEST_TYPE = field('Content-Type', 'application/http;msgtype=request');
const RESPONSE_TYPE = field('Content-Type', 'application/http;msgtype=response');

export interface RecordOptions {
  readonly version: WarcVersion;
  /** for the block digest of revisit records, the only block that was not hashed when it came */
  readonly digest: DigestFormat;
  /** `<urn:uuid:…>`, a new one at each call */
  readonly newRecordId: () => string;
  /** whether WARC-Protocol and WARC-Cipher-Suite are written */
  readonly protocol: boolean;
}

/**
 * The records of each capture, in the captures' order.
 *
 * @throws the file system's error when the head of a revisit was spilled and cannot be read
 */
export async function buildRecords(captures: readonly Capture[], options: RecordOptions): Promise<readonly (readonly NewRecord[])[]> {
  const records: (readonly NewRecord[])[] = [];
  for (const capture of captures) {
    const built = recordsOf(capture, options);
    records.push(built instanceof Promise ? await built : built);
  }
  return records;
}

/** @returns a promise only when something has to be read from a file */
function recordsOf(capture: Capture, options: RecordOptions): readonly NewRecord[] | Promise<readonly NewRecord[]> {
  switch (capture.kind) {
    case 'failure':
      return failureRecords(capture, options);
    case 'custom':
      return [customRecord(capture, options)];
    case 'websocket':
      return webSocketRecords(capture, spokenFields(capture, options), options);
    case 'exchange':
      return exchangeRecords(capture, options);
  }
}

function exchangeRecords(capture: ExchangeCapture, options: RecordOptions): readonly NewRecord[] | Promise<readonly NewRecord[]> {
  const { duplicateOf } = capture.outcome;
  const target = targetUri(capture.url);
  if (duplicateOf === undefined) return withRequest(capture, target, responseRecord(capture, target, options), options);
  const revisit = (head: Buffer) =>
    withRequest(capture, target, revisitRecord(capture, duplicateOf, target, bytesOf(head), options), options);
  const head = responseHead(capture);
  return head instanceof Promise ? head.then(revisit) : revisit(head);
}

/** @param target the field of its URI, which all of them have */
function withRequest(capture: ExchangeCapture, target: string, principal: NewRecord, options: RecordOptions): readonly NewRecord[] {
  const { request, response } = capture;
  const about = `${target}WARC-Concurrent-To: ${principal.id}\r\n${spokenFields(capture, options)}`;
  const fields = `${about}${REQUEST_TYPE}WARC-Block-Digest: ${request.digest}\r\n`;
  const sent = recordOf(options.newRecordId(), 'request', principal.date, fields, request.bytes, options.version);
  if (request.trailers === undefined && response.trailers === undefined) return [principal, sent];
  return [principal, sent, ...trailersOf(capture, principal, response, options), ...trailersOf(capture, sent, request, options)];
}

/** Fields behind the body of a message, in their order: HTTP/1.1 has no place for them outside of chunks. */
function trailersOf(
  { url }: ExchangeCapture,
  message: NewRecord,
  { trailers = [] }: RecordedRequest,
  options: RecordOptions,
): readonly NewRecord[] {
  if (trailers.length === 0) return [];
  const block = Buffer.from(trailers.map(({ name, value }) => `trailer: ${name}: ${value}\r\n`).join(''), 'latin1');
  const about = field('WARC-Concurrent-To', message.id);
  return [metadataRecord({ id: options.newRecordId(), date: message.date, uri: url, about, block }, options)];
}

function responseRecord(capture: ExchangeCapture, target: string, options: RecordOptions): NewRecord {
  const { response } = capture;
  const about = target + field('WARC-IP-Address', capture.ipAddress) + spokenFields(capture, options) + RESPONSE_TYPE;
  const fields = about + field('WARC-Truncated', response.truncated) + digestFields(response.digest, response.payloadDigest);
  return recordOf(
    capture.recordId,
    'response',
    warcDate(capture.startedAt, options.version),
    fields,
    response.bytes,
    options.version,
    response.headSize,
  );
}

type Original = NonNullable<ExchangeCapture['outcome']['duplicateOf']>;

function revisitRecord(capture: ExchangeCapture, original: Original, target: string, head: Bytes, options: RecordOptions): NewRecord {
  const { version, digest } = options;
  const digester = new Digester(digest);
  for (const piece of head.memory ?? []) digester.update(piece);
  const fields =
    target +
    field('WARC-IP-Address', capture.ipAddress) +
    spokenFields(capture, options) +
    field('WARC-Profile', `http://netpreserve.org/warc/${version}/revisit/identical-payload-digest`) +
    // A CDX server knows the original's URL and date, not its id.
    field('WARC-Refers-To', original.recordId === '' ? undefined : original.recordId) +
    field('WARC-Refers-To-Target-URI', asciiUri(original.url)) +
    field('WARC-Refers-To-Date', dateIn(original.date, version)) +
    RESPONSE_TYPE +
    field('WARC-Truncated', 'length') +
    digestFields(digester.finish(), capture.response.payloadDigest);
  return recordOf(capture.recordId, 'revisit', warcDate(capture.startedAt, version), fields, head, version);
}

function customRecord(capture: CustomRecordCapture, options: RecordOptions): NewRecord {
  const { block } = capture;
  const type = field('Content-Type', headerText(capture.contentType));
  const fields = targetUri(capture.url) + type + digestFields(block.digest, block.digest);
  return recordOf(capture.recordId, capture.warcType, warcDate(capture.startedAt, options.version), fields, block.bytes, options.version);
}

/** Both are made by ourselves: there is nothing in them to look for. */
function digestFields(block: string, payload: string): string {
  return `WARC-Block-Digest: ${block}\r\nWARC-Payload-Digest: ${payload}\r\n`;
}

/** @returns a promise when it was spilled */
function responseHead({ response }: ExchangeCapture): Buffer | Promise<Buffer> {
  const head = response.bytes.slice(0, response.headSize);
  return head.memory === undefined ? joined(head) : Buffer.concat(head.memory);
}

async function joined(bytes: Bytes): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

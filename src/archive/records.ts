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
import { asciiUri, dateIn, field, plainField, warcDate, type WarcVersion } from '../warc/fields.ts';
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
    if (capture.kind === 'failure') records.push(failureRecords(capture, options));
    else if (capture.kind === 'custom') records.push([customRecord(capture, options)]);
    else if (capture.kind === 'websocket') records.push(webSocketRecords(capture, spokenFields(capture, options), options));
    else {
      const about = aboutOf(capture, options);
      const original = capture.outcome.duplicateOf;
      const principal =
        original === undefined ? responseRecord(capture, about, options) : await revisitRecord(capture, original, about, options);
      records.push(exchangeRecords(capture, principal, about, options));
    }
  }
  return records;
}

/** What the records of an exchange have in common. */
interface About {
  readonly date: string;
  /** lines of the header */
  readonly uri: string;
  readonly spoken: string;
}

function aboutOf(capture: ExchangeCapture, options: RecordOptions): About {
  return {
    date: warcDate(capture.startedAt, options.version),
    uri: plainField('WARC-Target-URI', asciiUri(capture.url)),
    spoken: spokenFields(capture, options),
  };
}

function exchangeRecords(
  capture: ExchangeCapture,
  principal: NewRecord,
  { date, uri, spoken }: About,
  options: RecordOptions,
): readonly NewRecord[] {
  const { request, response } = capture;
  const fields =
    uri + plainField('WARC-Concurrent-To', principal.id) + spoken + REQUEST_TYPE + plainField('WARC-Block-Digest', request.digest);
  const sent = recordOf(options.newRecordId(), 'request', date, fields, request.bytes, options.version);
  if (response.trailers === undefined && request.trailers === undefined) return [principal, sent];
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

function responseRecord(
  { recordId, ipAddress, response }: ExchangeCapture,
  { date, uri, spoken }: About,
  { version }: RecordOptions,
): NewRecord {
  const fields =
    uri +
    field('WARC-IP-Address', ipAddress) +
    spoken +
    RESPONSE_TYPE +
    field('WARC-Truncated', response.truncated) +
    plainField('WARC-Block-Digest', response.digest) +
    plainField('WARC-Payload-Digest', response.payloadDigest);
  return recordOf(recordId, 'response', date, fields, response.bytes, version, response.headSize);
}

type Original = NonNullable<ExchangeCapture['outcome']['duplicateOf']>;

async function revisitRecord(
  { recordId, ipAddress, response }: ExchangeCapture,
  original: Original,
  { date, uri, spoken }: About,
  { version, digest }: RecordOptions,
): Promise<NewRecord> {
  const head = await joined(response.bytes.slice(0, response.headSize));
  const digester = new Digester(digest);
  digester.update(head);
  const fields =
    uri +
    field('WARC-IP-Address', ipAddress) +
    spoken +
    field('WARC-Profile', `http://netpreserve.org/warc/${version}/revisit/identical-payload-digest`) +
    // A CDX server knows the original's URL and date, not its id.
    field('WARC-Refers-To', original.recordId === '' ? undefined : original.recordId) +
    field('WARC-Refers-To-Target-URI', asciiUri(original.url)) +
    field('WARC-Refers-To-Date', dateIn(original.date, version)) +
    RESPONSE_TYPE +
    field('WARC-Truncated', 'length') +
    plainField('WARC-Block-Digest', digester.finish()) +
    plainField('WARC-Payload-Digest', response.payloadDigest);
  return recordOf(recordId, 'revisit', date, fields, bytesOf(head), version);
}

function customRecord(capture: CustomRecordCapture, options: RecordOptions): NewRecord {
  const { block } = capture;
  const fields =
    field('WARC-Target-URI', asciiUri(capture.url)) +
    field('Content-Type', headerText(capture.contentType)) +
    field('WARC-Block-Digest', block.digest) +
    field('WARC-Payload-Digest', block.digest);
  return recordOf(capture.recordId, capture.warcType, warcDate(capture.startedAt, options.version), fields, block.bytes, options.version);
}

async function joined(bytes: Bytes): Promise<Buffer> {
  if (bytes.memory !== undefined) return Buffer.concat(bytes.memory);
  const pieces: Buffer[] = [];
  for await (const piece of bytes.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

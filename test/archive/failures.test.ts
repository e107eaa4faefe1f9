/** A fetch without an answer as records, to the byte; and when the writer writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capture, Truncation } from '../../src/capture/capture.ts';
import { buildRecords } from '../../src/archive/records.ts';
import { warcWriter, type WarcWriterOptions } from '../../src/archive/warc-writer.ts';
import { silentLog } from '../../src/util/log.ts';
import type { RecordBytes } from '../../src/warc/record.ts';
import { exchange, failure, recordOptions, sha1, spoolOf } from '../warc/support.ts';

const PRINCIPAL = '<urn:uuid:22222222-2222-4222-8222-222222222222>';
const SENT = 'POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhe';
const sent = (truncated: Truncation | undefined) => ({
  bytes: spoolOf(SENT),
  digest: sha1(SENT),
  truncated,
});

async function text(record: RecordBytes | undefined): Promise<string> {
  let all = '';
  for await (const piece of record!.block.read()) all += piece.toString();
  return all;
}

test('what is known stands in metadata, what was sent in a request record concurrent to it', async () => {
  const error = Object.assign(new Error('no answer: read ECONNRESET'), { code: 'empty-response' });
  const tls = { version: 'tls/1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' };
  const capture = {
    ...failure(),
    recordId: PRINCIPAL,
    error,
    ipAddress: '93.184.216.34',
    protocol: 'http/1.1',
    tls,
    request: sent('disconnect'),
  };
  const [records] = await buildRecords([capture], recordOptions());
  const [metadata, request, ...rest] = records!;
  assert.deepEqual(rest, []);
  const block =
    'fetchStatus: -404\r\nfetchError: empty-response\r\nfetchErrorMessage: no answer: read ECONNRESET\r\nip: 93.184.216.34\r\ndurationMs: 12\r\n';
  assert.equal(await text(metadata), block);
  assert.equal(
    metadata!.head,
    `WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: ${PRINCIPAL}\r\nWARC-Date: 2024-02-03T04:05:06.789Z\r\n` +
      'WARC-Target-URI: http://example.com/\r\nWARC-IP-Address: 93.184.216.34\r\nContent-Type: application/warc-fields\r\n' +
      `WARC-Block-Digest: ${sha1(block)}\r\nContent-Length: ${block.length}\r\n\r\n`,
  );
  assert.equal(await text(request), SENT);
  assert.equal(
    request!.head,
    'WARC/1.1\r\nWARC-Type: request\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n' +
      `WARC-Date: 2024-02-03T04:05:06.789Z\r\nWARC-Target-URI: http://example.com/\r\nWARC-Concurrent-To: ${PRINCIPAL}\r\n` +
      'WARC-Protocol: http/1.1\r\nWARC-Protocol: tls/1.3\r\nWARC-Cipher-Suite: TLS_AES_128_GCM_SHA256\r\n' +
      'Content-Type: application/http;msgtype=request\r\nWARC-Truncated: disconnect\r\n' +
      `WARC-Block-Digest: ${sha1(SENT)}\r\nContent-Length: ${SENT.length}\r\n\r\n`,
  );
});

test('each reason has the status of the crawl log, and a message stays one line', async () => {
  const statuses = { 'not-resolved': -6, 'not-connected': -2, 'connect-timeout': -2, 'response-timeout': -2, 'tls-failed': -404 };
  for (const [code, status] of Object.entries(statuses)) {
    const error = Object.assign(new Error('one\r\nWARC-Injected: two'), { code });
    const [records] = await buildRecords([{ ...failure(), error }], recordOptions());
    assert.equal(records!.length, 1);
    const expected = `fetchStatus: ${status}\r\nfetchError: ${code}\r\nfetchErrorMessage: one WARC-Injected: two\r\ndurationMs: 12\r\n`;
    assert.equal(await text(records![0]), expected);
  }
});

/** What a writer with these options writes of captures: types of the records of each. */
async function written(captures: readonly Capture[], options: Partial<WarcWriterOptions>): Promise<string[]> {
  const types: string[] = [];
  const pool = {
    write: (batch: Parameters<WarcWriterOptions['pool']['write']>[0]) => {
      for (const { records } of batch) types.push(records.map(({ type }) => type).join());
      return Promise.resolve(batch.map(() => []));
    },
    close: () => Promise.resolve(),
  };
  const writer = warcWriter({ pool, records: recordOptions(), methods: [], log: silentLog, ...options });
  await writer.process(captures);
  return types;
}

test('failures are written where that is asked for, by the rules of everything else, and are not archived all the same', async () => {
  const failed = { ...failure(), request: sent(undefined) };
  assert.deepEqual(await written([failed, exchange()], {}), ['response,request']);
  assert.deepEqual(await written([failed, exchange()], { recordFailures: true }), ['metadata,request', 'response,request']);
  assert.equal(failed.outcome.archive, false);
  assert.deepEqual(await written([{ ...failed, warcPrefix: '-' }], { recordFailures: true }), []);
  assert.deepEqual(await written([failed], { recordFailures: true, methods: ['POST'] }), []);
  assert.deepEqual(await written([failed], { recordFailures: true, methods: ['GET'] }), ['metadata,request']);
});

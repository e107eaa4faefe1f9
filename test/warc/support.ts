/**
 * What the tests of the WARC room share: captures made of text, reproducible ids and clocks, pools in a temporary folder.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CustomRecordCapture, ExchangeCapture, FailedCapture, Truncation } from '../../src/capture/capture.ts';
import { nameTemplate } from '../../src/warc/write/filename.ts';
import { inlineCompressor } from '../../src/warc/codec/gzip/compressor.ts';
import { gzipEncoder } from '../../src/warc/codec/gzip/encoder.ts';
import { plainEncoder } from '../../src/warc/codec/none/encoder.ts';
import { Names } from '../../src/warc/write/names.ts';
import { createExclusively, type OutputOptions } from '../../src/warc/write/output.ts';
import { WriterPool, type PoolOptions } from '../../src/warc/write/pool.ts';
import type { Original } from '../../src/store/dedup.ts';
import type { RecordBytes } from '../../src/warc/record.ts';
import { buildRecords, type RecordOptions } from '../../src/archive/records.ts';
import { readWarc, type ReadRecord } from '../../src/warc/read/reader.ts';
import { silentLog } from '../../src/util/log.ts';
import { NO_META } from '../../src/meta/meta.ts';
import type { TlsFacts } from '../../src/tls/facts.ts';
import { Spool } from '../../src/util/spool.ts';

export const STARTED = new Date('2024-02-03T04:05:06.789Z');

export function tempDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-warc-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function sha1(data: string | Buffer): string {
  return `sha1:${createHash('sha1').update(data).digest('hex')}`;
}

export function spoolOf(data: string | Buffer, maxMemoryBytes = 1024 * 1024): Spool {
  const spool = new Spool({ maxMemoryBytes, dir: tmpdir() });
  spool.append(Buffer.from(data));
  return spool;
}

/** Record ids that count: `<urn:uuid:00000000-0000-4000-8000-000000000001>` … */
export function countingIds(): () => string {
  let count = 0;
  return () => `<urn:uuid:00000000-0000-4000-8000-${String((count += 1)).padStart(12, '0')}>`;
}

export function recordOptions(version: RecordOptions['version'] = '1.1'): RecordOptions {
  return { version, digest: { algorithm: 'sha1', base32: false }, newRecordId: countingIds(), protocol: true };
}

export interface ExchangeParts {
  recordId?: string;
  url?: string;
  method?: string;
  request?: string;
  head?: string;
  body?: string | Buffer;
  /** the body without transfer-coding, where that differs */
  payload?: string | Buffer;
  truncated?: Truncation;
  duplicateOf?: Original;
  status?: number;
  location?: string;
  ipAddress?: string | undefined;
  protocol?: string;
  tls?: TlsFacts;
  maxMemoryBytes?: number;
}

export function exchange(parts: ExchangeParts = {}): ExchangeCapture {
  const { url = 'http://example.com/', method = 'GET', maxMemoryBytes, truncated, duplicateOf, location } = parts;
  const request = parts.request ?? `${method} / HTTP/1.1\r\nHost: example.com\r\n\r\n`;
  const body = Buffer.from(parts.body ?? 'hello');
  const head = Buffer.from(parts.head ?? `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n`);
  const status = parts.status ?? Number(/^HTTP\/\S+ (\d{3})/.exec(head.toString('latin1'))?.[1] ?? 200);
  const payload = Buffer.from(parts.payload ?? body);
  const wire = Buffer.concat([head, body]);
  return {
    kind: 'exchange',
    recordId: parts.recordId ?? `<urn:uuid:${randomUUID()}>`,
    meta: NO_META,
    url,
    method,
    startedAt: STARTED,
    durationMs: 12,
    referer: undefined,
    warcPrefix: 'WARCPROX',
    ipAddress: 'ipAddress' in parts ? parts.ipAddress : '93.184.216.34',
    protocol: parts.protocol ?? 'http/1.1',
    tls: parts.tls,
    outcome: { archive: true, ...(duplicateOf === undefined ? {} : { duplicateOf }) },
    request: { bytes: spoolOf(request), digest: sha1(request) },
    response: {
      bytes: spoolOf(wire, maxMemoryBytes),
      digest: sha1(wire),
      status,
      location,
      contentType: 'text/plain',
      headSize: head.length,
      payloadSize: payload.length,
      payloadDigest: sha1(payload),
      truncated,
    },
  };
}

export function custom(warcType: string, contentType: string, data: string, url = 'urn:example:thing'): CustomRecordCapture {
  return {
    kind: 'custom',
    recordId: `<urn:uuid:${randomUUID()}>`,
    meta: NO_META,
    url,
    method: 'WARCPROX_WRITE_RECORD',
    startedAt: STARTED,
    durationMs: 0,
    referer: undefined,
    warcPrefix: 'WARCPROX',
    outcome: { archive: true },
    warcType,
    contentType,
    block: { bytes: spoolOf(data), digest: sha1(data) },
  };
}

export function failure(): FailedCapture {
  const { recordId, meta, url, method, startedAt, durationMs, referer, warcPrefix, outcome } = exchange();
  return {
    kind: 'failure',
    recordId,
    meta,
    url,
    method,
    startedAt,
    durationMs,
    referer,
    warcPrefix,
    outcome,
    error: Object.assign(new Error('no such host'), { code: 'not-resolved' }),
    status: 502,
    request: undefined,
    ipAddress: undefined,
    protocol: undefined,
    tls: undefined,
  };
}

export async function recordsOf(parts: ExchangeParts = {}, options = recordOptions()): Promise<readonly RecordBytes[]> {
  const [records] = await buildRecords([exchange(parts)], options);
  return records!;
}

export const output: OutputOptions = { openSuffix: true, lock: () => true, fsync: 'close', create: createExclusively };

export function pool(dir: string, changes: Partial<PoolOptions> & { template?: string; gzip?: boolean } = {}): WriterPool {
  const { template = '{prefix}-{serialno}', gzip = false, ...rest } = changes;
  const encoder = rest.encoder ?? (gzip ? gzipEncoder(inlineCompressor) : plainEncoder);
  const now = rest.now ?? (() => STARTED);
  return new WriterPool({
    dir,
    subdirPrefix: false,
    names: new Names({
      template: nameTemplate(template, encoder.suffix, 'host'),
      hostname: 'host',
      port: () => 8000,
      now,
      newRandomToken: () => 'abcd1234',
    }),
    encoder,
    version: '1.1',
    info: { software: 'warctap 0.1.0', hostname: 'host.example', ip: '10.0.0.1' },
    output,
    maxBytes: 1_000_000_000,
    idleMs: undefined,
    maxOpenFiles: 256,
    now,
    nowMs: () => now().getTime(),
    newRecordId: countingIds(),
    log: silentLog,
    ...rest,
  });
}

/** All records of a file with their blocks. */
export async function readAll(file: string): Promise<(ReadRecord & { block: Buffer; bytesInFile: number })[]> {
  const all: (ReadRecord & { block: Buffer; bytesInFile: number })[] = [];
  for await (const record of readWarc(file)) all.push({ ...record, block: await record.bytes(), bytesInFile: await record.length() });
  return all;
}

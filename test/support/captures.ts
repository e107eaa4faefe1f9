/** Captures without an exchange. */
import type { FailedCapture, ExchangeCapture } from '../../src/capture/capture.ts';
import { BlockRecorder, ResponseRecorder, type RecordingOptions } from '../../src/capture/recorder.ts';
import { NO_META } from '../../src/meta/meta.ts';
import { tmpdir } from 'node:os';

export const RECORDING: RecordingOptions = { digest: { algorithm: 'sha1', base32: false }, spool: { maxMemoryBytes: 1000, dir: tmpdir() } };

const base = (url: string) => ({
  recordId: `<urn:uuid:${url}>`,
  url,
  method: 'GET',
  startedAt: new Date(0),
  durationMs: 1,
  referer: undefined,
  meta: NO_META,
  warcPrefix: 'P',
});

export function exchangeCapture(url: string): ExchangeCapture {
  const request = new BlockRecorder(RECORDING);
  request.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  const response = new ResponseRecorder(RECORDING);
  response.head(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'));
  return {
    ...base(url),
    kind: 'exchange',
    ipAddress: undefined,
    protocol: 'http/1.1',
    tls: undefined,
    request: request.finish(),
    response: response.finish({ status: 204, contentType: undefined, location: undefined }, undefined),
    outcome: { archive: true },
  };
}

export function failedCapture(url: string): FailedCapture {
  const error = Object.assign(new Error('failed'), { code: 'not-connected' });
  const unsent = { request: undefined, ipAddress: undefined, protocol: undefined, tls: undefined };
  return { ...base(url), kind: 'failure', ...unsent, error, status: 502, outcome: { archive: false } };
}

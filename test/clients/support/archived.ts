/** What the archive must hold of an exchange: the origin's bytes, what the origin received, and the digests of both. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestRecord } from '../../support/proxy.ts';

export interface Expected {
  readonly url: string;
  /** everything that the origin sent, but interim answers */
  readonly response: Buffer;
  /** everything that the origin received */
  readonly request: Buffer;
  /** body without transfer-coding; by default what follows the response's head */
  readonly payload?: Buffer | string;
}

/** @param all of the proxy, in order; exactly those that are expected, but for what tells of certificates (test/e2e/tls-evidence.test.ts) */
export function assertArchived(all: readonly TestRecord[], expected: readonly Expected[]): void {
  const records = all.filter(({ type, url }) => !(type === 'metadata' && url.startsWith('tls:')));
  assert.deepEqual(
    records.map(({ type, url }) => `${type} ${url}`),
    expected.flatMap(({ url }) => [`response ${url}`, `request ${url}`]),
  );
  for (const [index, { response, request, payload = response.subarray(response.indexOf('\r\n\r\n') + 4) }] of expected.entries()) {
    const [archived, asked] = [records[2 * index]!, records[2 * index + 1]!];
    assertSame(archived.block, response);
    assertSame(asked.block, request);
    assert.equal(archived.fields.get('warc-block-digest'), sha1(response));
    assert.equal(archived.fields.get('warc-payload-digest'), sha1(payload));
    assert.equal(archived.fields.get('warc-truncated'), undefined);
    assert.equal(asked.fields.get('warc-block-digest'), sha1(request));
    assert.equal(asked.fields.get('warc-concurrent-to'), archived.fields.get('warc-record-id'));
  }
}

export function sha1(bytes: Buffer | string): string {
  return `sha1:${createHash('sha1').update(bytes).digest('hex')}`;
}

/** Without printing megabytes when they differ. */
export function assertSame(actual: Buffer, expected: Buffer): void {
  if (actual.equals(expected)) return;
  assert.equal(actual.length, expected.length);
  assert.equal(actual.toString('latin1', 0, 2000), expected.toString('latin1', 0, 2000));
  assert.fail('the bytes differ after the first 2000');
}

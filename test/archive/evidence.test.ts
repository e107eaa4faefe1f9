/** TLS evidence as records, to the byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsEvidence } from '../../src/archive/evidence.ts';
import type { RecordBytes } from '../../src/warc/record.ts';
import { custom, exchange, failure, recordOptions, sha1 } from '../warc/support.ts';

const CERTIFICATES = {
  origin: 'tls:example.com:443',
  key: 'k',
  name: undefined,
  chain: [Buffer.from('first'), Buffer.from('second')],
  error: undefined,
};
const TLS = { version: 'tls/1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' };
const PRINCIPAL = '<urn:uuid:22222222-2222-4222-8222-222222222222>';

async function text(record: RecordBytes | undefined): Promise<string> {
  let all = '';
  for await (const piece of record!.block.read()) all += piece.toString();
  return all;
}

test('the chain and the verdict are metadata records of the response', async () => {
  const capture = exchange({ recordId: PRINCIPAL, tls: { ...TLS, certificates: CERTIFICATES } });
  const evidence = tlsEvidence(capture, recordOptions());
  assert.equal(evidence?.key, 'k');
  const [chain, verdict] = evidence.make();
  const pem =
    '-----BEGIN CERTIFICATE-----\nZmlyc3Q=\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nc2Vjb25k\n-----END CERTIFICATE-----\n';
  const start = (nth: number) =>
    `WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-00000000000${nth}>\r\n` +
    'WARC-Date: 2024-02-03T04:05:06.789Z\r\nWARC-Target-URI: tls:example.com:443\r\n' +
    `WARC-Concurrent-To: ${PRINCIPAL}\r\nWARC-IP-Address: 93.184.216.34\r\n`;
  assert.equal(await text(chain), pem);
  assert.equal(
    chain!.head,
    `${start(1)}WARC-Protocol: http/1.1\r\nWARC-Protocol: tls/1.3\r\nWARC-Cipher-Suite: TLS_AES_128_GCM_SHA256\r\n` +
      `Content-Type: application/pem-certificate-chain\r\nWARC-Block-Digest: ${sha1(pem)}\r\nContent-Length: ${pem.length}\r\n\r\n`,
  );
  assert.equal(await text(verdict), 'tlsVerified: yes\r\n');
  assert.equal(
    verdict!.head,
    `${start(2)}WARC-Refers-To: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n` +
      `Content-Type: application/warc-fields\r\nWARC-Block-Digest: ${sha1('tlsVerified: yes\r\n')}\r\nContent-Length: 18\r\n\r\n`,
  );
});

test('what speaks against a chain is named, and what was asked for instead of the host', async () => {
  const certificates = { ...CERTIFICATES, error: 'HOSTNAME_MISMATCH', name: 'b.example' };
  const [, verdict] = tlsEvidence(exchange({ tls: { ...TLS, certificates } }), recordOptions('1.0'))!.make();
  assert.equal(await text(verdict), 'tlsVerified: no\r\ntlsError: HOSTNAME_MISMATCH\r\ntlsServerName: b.example\r\n');
  assert.match(verdict!.head, /^WARC\/1\.0\r\n[^]*\r\nWARC-Date: 2024-02-03T04:05:06Z\r\n/);
});

test('there is none without TLS, without certificates, and of what is no exchange', () => {
  const without = [exchange(), exchange({ tls: TLS }), exchange({ tls: { ...TLS, certificates: { ...CERTIFICATES, chain: [] } } })];
  for (const capture of [...without, custom('resource', 'text/plain', 'x'), failure()])
    assert.equal(tlsEvidence(capture, recordOptions()), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warcinfoRecord, type RecordBytes } from '../../src/warc/record.ts';
import { buildRecords } from '../../src/archive/records.ts';
import { custom, exchange, failure, recordOptions, recordsOf, sha1, STARTED } from '../warc/support.ts';

/** The capture's own id; those of the other records count. */
const PRINCIPAL = '<urn:uuid:22222222-2222-4222-8222-222222222222>';
const ID = (n: number) => `<urn:uuid:00000000-0000-4000-8000-00000000000${n}>`;
const ORIGINAL = {
  recordId: '<urn:uuid:11111111-1111-4111-8111-111111111111>',
  url: 'http://example.com/first',
  date: '2024-01-01T00:00:00.500Z',
};

function names(record: RecordBytes): string[] {
  return record.head
    .trimEnd()
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')));
}

function value(record: RecordBytes, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, 'm').exec(record.head)?.[1];
}

async function text(record: RecordBytes): Promise<string> {
  let all = '';
  for await (const piece of record.block.read()) all += piece.toString();
  return all;
}

test('an exchange becomes a response and its request, to the byte', async () => {
  const [response, request] = await recordsOf({ recordId: PRINCIPAL });
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n';
  assert.equal(
    response!.head,
    'WARC/1.1\r\n' +
      'WARC-Type: response\r\n' +
      `WARC-Record-ID: ${PRINCIPAL}\r\n` +
      'WARC-Date: 2024-02-03T04:05:06.789Z\r\n' +
      'WARC-Target-URI: http://example.com/\r\n' +
      'WARC-IP-Address: 93.184.216.34\r\n' +
      'WARC-Protocol: http/1.1\r\n' +
      'Content-Type: application/http;msgtype=response\r\n' +
      `WARC-Block-Digest: ${sha1(`${head}hello`)}\r\n` +
      `WARC-Payload-Digest: ${sha1('hello')}\r\n` +
      `Content-Length: ${head.length + 5}\r\n\r\n`,
  );
  assert.equal(await text(response!), `${head}hello`);
  assert.equal(
    request!.head,
    'WARC/1.1\r\n' +
      'WARC-Type: request\r\n' +
      `WARC-Record-ID: ${ID(1)}\r\n` +
      'WARC-Date: 2024-02-03T04:05:06.789Z\r\n' +
      'WARC-Target-URI: http://example.com/\r\n' +
      `WARC-Concurrent-To: ${PRINCIPAL}\r\n` +
      'WARC-Protocol: http/1.1\r\n' +
      'Content-Type: application/http;msgtype=request\r\n' +
      `WARC-Block-Digest: ${sha1('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')}\r\n` +
      'Content-Length: 37\r\n\r\n',
  );
  assert.deepEqual([response!.id, response!.type, response!.date], [PRINCIPAL, 'response', '2024-02-03T04:05:06.789Z']);
});

test('all records of an exchange say what was spoken, each layer in a field of its own, unless that is left out', async () => {
  const parts = { protocol: 'http/1.0', tls: { version: 'tls/1.2', cipherSuite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' } };
  const spoken = ['WARC-Protocol: http/1.0', 'WARC-Protocol: tls/1.2', 'WARC-Cipher-Suite: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'];
  const said = (record: RecordBytes) => record.head.split('\r\n').filter((line) => /^WARC-(?:Protocol|Cipher)/.test(line));
  const records = [...(await recordsOf(parts)), ...(await recordsOf({ ...parts, duplicateOf: ORIGINAL }))];
  assert.deepEqual(
    records.map(({ type }) => type),
    ['response', 'request', 'revisit', 'request'],
  );
  for (const record of records) assert.deepEqual(said(record), spoken);
  for (const record of await recordsOf(parts, { ...recordOptions(), protocol: false })) assert.deepEqual(said(record), []);
});

test('version 1.0 writes whole seconds and its own version line', async () => {
  const [response] = await recordsOf({}, recordOptions('1.0'));
  assert.match(response!.head, /^WARC\/1\.0\r\n/);
  assert.equal(value(response!, 'WARC-Date'), '2024-02-03T04:05:06Z');
  assert.equal(response!.date, '2024-02-03T04:05:06Z');
});

test('behind a proxy there is no address, and a truncated response says why', async () => {
  const [response, request] = await recordsOf({ ipAddress: undefined, truncated: 'disconnect' });
  assert.equal(value(response!, 'WARC-IP-Address'), undefined);
  assert.equal(value(response!, 'WARC-Truncated'), 'disconnect');
  assert.equal(names(response!).indexOf('WARC-Truncated'), names(response!).indexOf('Content-Type') + 1);
  assert.equal(value(request!, 'WARC-Truncated'), undefined);
});

for (const maxMemoryBytes of [1024, 1]) {
  const where = maxMemoryBytes === 1 ? 'on disk' : 'in memory';
  test(`a revisit has only the head as its block, and the digest of the payload it does not have (body ${where})`, async () => {
    const [revisit, request] = await recordsOf({ recordId: PRINCIPAL, duplicateOf: ORIGINAL, maxMemoryBytes });
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n';
    assert.equal(
      revisit!.head,
      'WARC/1.1\r\n' +
        'WARC-Type: revisit\r\n' +
        `WARC-Record-ID: ${PRINCIPAL}\r\n` +
        'WARC-Date: 2024-02-03T04:05:06.789Z\r\n' +
        'WARC-Target-URI: http://example.com/\r\n' +
        'WARC-IP-Address: 93.184.216.34\r\n' +
        'WARC-Protocol: http/1.1\r\n' +
        'WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\n' +
        `WARC-Refers-To: ${ORIGINAL.recordId}\r\n` +
        'WARC-Refers-To-Target-URI: http://example.com/first\r\n' +
        'WARC-Refers-To-Date: 2024-01-01T00:00:00.500Z\r\n' +
        'Content-Type: application/http;msgtype=response\r\n' +
        'WARC-Truncated: length\r\n' +
        `WARC-Block-Digest: ${sha1(head)}\r\n` +
        `WARC-Payload-Digest: ${sha1('hello')}\r\n` +
        `Content-Length: ${head.length}\r\n\r\n`,
    );
    assert.equal(await text(revisit!), head);
    assert.equal(value(request!, 'WARC-Concurrent-To'), revisit!.id);
  });
}

test('a revisit of version 1.0 has the profile of 1.0, and no id where the index knows none', async () => {
  const [revisit] = await recordsOf({ recordId: PRINCIPAL, duplicateOf: { ...ORIGINAL, recordId: '' } }, recordOptions('1.0'));
  assert.equal(value(revisit!, 'WARC-Profile'), 'http://netpreserve.org/warc/1.0/revisit/identical-payload-digest');
  assert.equal(value(revisit!, 'WARC-Refers-To'), undefined);
  assert.equal(value(revisit!, 'WARC-Refers-To-Date'), '2024-01-01T00:00:00Z');
});

test('a custom record is one record with the type and content type of the client', async () => {
  const [records] = await buildRecords([{ ...custom('metadata', 'text/plain', 'note'), recordId: PRINCIPAL }], recordOptions());
  assert.equal(records!.length, 1);
  assert.equal(
    records![0]!.head,
    'WARC/1.1\r\n' +
      'WARC-Type: metadata\r\n' +
      `WARC-Record-ID: ${PRINCIPAL}\r\n` +
      'WARC-Date: 2024-02-03T04:05:06.789Z\r\n' +
      'WARC-Target-URI: urn:example:thing\r\n' +
      'Content-Type: text/plain\r\n' +
      `WARC-Block-Digest: ${sha1('note')}\r\n` +
      `WARC-Payload-Digest: ${sha1('note')}\r\n` +
      'Content-Length: 4\r\n\r\n',
  );
});

test('the order of captures is kept', async () => {
  const records = await buildRecords([failure(), exchange(), custom('resource', 'a/b', '')], recordOptions());
  assert.deepEqual(
    records.map((each) => each.map(({ type }) => type)),
    [['metadata'], ['response', 'request'], ['resource']],
  );
});

test('a warcinfo names program, host and format', async () => {
  const info = { software: 'warctap 0.1.0', hostname: 'h.example', ip: '10.0.0.1' };
  const record = warcinfoRecord('a.warc', STARTED, info, recordOptions());
  assert.equal(
    record.head,
    'WARC/1.1\r\nWARC-Type: warcinfo\r\n' +
      `WARC-Record-ID: ${ID(1)}\r\n` +
      'WARC-Date: 2024-02-03T04:05:06.789Z\r\nContent-Type: application/warc-fields\r\nWARC-Filename: a.warc\r\n' +
      `Content-Length: ${record.block.size}\r\n\r\n`,
  );
  assert.equal(
    await text(record),
    'software: warctap 0.1.0\r\nhostname: h.example\r\nip: 10.0.0.1\r\nformat: WARC File Format 1.1\r\n' +
      'conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n',
  );
  const old = warcinfoRecord('a.warc', STARTED, { ...info, ip: undefined }, recordOptions('1.0'));
  assert.equal(await text(old), 'software: warctap 0.1.0\r\nhostname: h.example\r\nformat: WARC File Format 1.0\r\n');
});

const BREAKERS = ['\r\n', '\n', '\r', '\0', '\u0085', '\u2028', '\u2029', '\u001f'];

test('no value can begin another line of the header', async () => {
  for (const breaker of BREAKERS) {
    const evil = `x${breaker}WARC-Injected: yes${breaker}${breaker}end`;
    const capture = {
      ...exchange({ url: evil, ipAddress: evil }),
      outcome: { archive: true, duplicateOf: { recordId: evil, url: evil, date: evil } },
    };
    const all = await buildRecords([capture, exchange({ url: evil }), custom(evil, evil, 'body', evil)], recordOptions());
    const warcinfo = warcinfoRecord(evil, STARTED, { software: evil, hostname: evil, ip: evil }, recordOptions());
    for (const record of [...all.flat(), warcinfo]) {
      const lines = record.head.split(/[\r\n\0\u0085\u2028\u2029\u001f]+/);
      assert.ok(!lines.some((line) => line.startsWith('WARC-Injected')), JSON.stringify(record.head));
      assert.equal(record.head.indexOf('\r\n\r\n'), record.head.length - 4);
    }
    assert.equal((await text(warcinfo)).split('\r\n').length, 6);
  }
});

test('a target URI is printable ASCII', async () => {
  const [response] = await recordsOf({ url: 'http://example.com/ü?a b=\u{1F600}&c=%41\ud800' });
  assert.equal(value(response!, 'WARC-Target-URI'), 'http://example.com/%C3%BC?a%20b=%F0%9F%98%80&c=%41%EF%BF%BD');
});

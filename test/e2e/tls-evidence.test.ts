/** TLS evidence from end to end: what stands in the files, what tools make of it, and origins that are refused. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { X509Certificate } from 'node:crypto';
import { silentLog } from '../../src/util/log.ts';
import { rebuild } from '../../src/programs/rebuild.ts';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { tlsEvidenceIn, type TlsEvidence } from '../../src/warc/tools/tls.ts';
import { runToEnd } from '../cli/child.ts';
import { startApi, type Api } from '../support/api.ts';
import { testCertificate } from '../support/certificate.ts';
import type { TestRecord } from '../support/proxy.ts';

const TUNNEL = 'in a TLS tunnel';

/** The WARC files, once the proxy has closed them. */
async function files({ proxy }: Api): Promise<string[]> {
  await proxy.proxy.close();
  const dir = join(proxy.dir, 'warcs');
  return (await readdir(dir)).sort().map((name) => join(dir, name));
}

const short = ({ type, url, fields }: TestRecord) => `${type} ${url} ${fields.get('content-type')}`;

test('the certificates of an origin stand beside its first response, the verdict beside them, and that once', async () => {
  await using api = await startApi(TUNNEL, { tlsEvidence: 'chain', dedupDbFile: '/dev/null' });
  for (const path of ['/1', '/2', '/3']) assert.equal((await api.ask(path)).status, 200);
  const records = await api.proxy.records();
  const tls = `tls:127.0.0.1:${api.origin.port}`;
  assert.deepEqual(records.slice(0, 5).map(short), [
    `response ${api.url('/1')} application/http;msgtype=response`,
    `request ${api.url('/1')} application/http;msgtype=request`,
    `metadata ${tls} application/pem-certificate-chain`,
    `metadata ${tls} application/warc-fields`,
    `response ${api.url('/2')} application/http;msgtype=response`,
  ]);
  assert.equal(records.filter(({ type }) => type === 'metadata').length, 2);
  const [response, , chain, verdict] = records as [TestRecord, TestRecord, TestRecord, TestRecord];
  const id = response.fields.get('warc-record-id');
  assert.deepEqual([chain.fields.get('warc-concurrent-to'), verdict.fields.get('warc-concurrent-to')], [id, id]);
  assert.equal(verdict.fields.get('warc-refers-to'), chain.fields.get('warc-record-id'));
  assert.equal(chain.fields.get('warc-ip-address'), '127.0.0.1');
  assert.equal(chain.fields.get('warc-date'), response.fields.get('warc-date'));
  const sent = new X509Certificate((await testCertificate()).cert);
  assert.deepEqual(new X509Certificate(chain.block).raw, sent.raw);
  // The certificate of an authority, which no server may show.
  assert.equal(verdict.block.toString(), 'tlsVerified: no\r\ntlsError: INVALID_PURPOSE\r\n');
});

test('the next file of an origin has them again, and a revisit may be what they stand beside', async () => {
  await using api = await startApi(TUNNEL, {
    tlsEvidence: 'chain',
    answer: ({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsame'),
  });
  assert.equal((await api.ask('/1')).status, 200);
  await api.restart();
  assert.equal((await api.ask('/2')).status, 200);
  const found: TlsEvidence[][] = [];
  for (const file of await files(api)) {
    const inFile: TlsEvidence[] = [];
    for await (const evidence of tlsEvidenceIn(file)) inFile.push(evidence);
    found.push(inFile);
  }
  assert.deepEqual(
    found.map((each) => each.length),
    [1, 1],
  );
  const records = await api.proxy.records();
  assert.deepEqual(
    records.filter(({ url }) => !url.startsWith('tls:')).map(({ type }) => type),
    ['response', 'request', 'revisit', 'request'],
  );
  const revisit = records.find(({ type }) => type === 'revisit');
  assert.equal(records.at(-1)?.fields.get('warc-concurrent-to'), revisit?.fields.get('warc-record-id'));
});

test('tools read them: tls shows them, verify finds nothing wrong, indexes made again take no notice', async () => {
  await using api = await startApi(TUNNEL, { tlsEvidence: 'chain' });
  assert.equal((await api.ask('/page')).status, 200);
  assert.equal((await api.write('urn:x:note', 'a note', { method: 'PUTMETA', more: 'Content-Type: text/plain\r\n' })).status, 204);
  const [file] = (await files(api)) as [string];
  const { subject } = new X509Certificate((await testCertificate()).cert);
  const json = await runToEnd(['tls', '--json', file]);
  const told = JSON.parse(json.stdout) as TlsEvidence;
  assert.deepEqual(
    { ...told, offset: 0, date: '', chain: told.chain.map((each) => each.subject) },
    {
      file,
      offset: 0,
      origin: `tls:127.0.0.1:${api.origin.port}`,
      date: '',
      protocols: ['http/1.1', 'tls/1.3'],
      cipherSuite: 'TLS_AES_256_GCM_SHA384',
      verified: false,
      error: 'INVALID_PURPOSE',
      chain: [subject.split('\n').join(', ')],
    },
  );
  const { code, stdout, stderr } = await runToEnd(['tls', join(file, '..')]);
  assert.deepEqual([code, stderr], [0, '']);
  const [first = '', second = '', ...rest] = stdout.split('\n');
  assert.match(
    first,
    /^tls:127\.0\.0\.1:\d+ {2}2\d{3}-\S+Z {2}http\/1\.1 tls\/1\.3 TLS_AES_256_GCM_SHA384 {2}not verified: INVALID_PURPOSE$/,
  );
  assert.match(second, /^ {2}O=warctap.*, by O=warctap.*, valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d$/);
  assert.deepEqual(rest, ['']);

  const faults: unknown[] = [];
  const [report] = await verifyFiles([file], { allowUnresolved: false, onFault: (fault) => faults.push(fault) });
  assert.deepEqual([faults, report?.records], [[], 6]);

  const again = { folder: join(api.proxy.dir, 'again'), from: join(file, '..'), bucket: '', log: silentLog };
  const added = await rebuild({ ...again, onFault: (_file, problem) => assert.fail(problem) });
  // The page and the note of a client, and neither the chain nor the verdict.
  assert.deepEqual([added.playback, added.dedup], [2, 1]);
});

test('a file without any, and one that cannot be read, are told', async () => {
  await using api = await startApi('over HTTP', { tlsEvidence: 'chain' });
  assert.equal((await api.ask('/')).status, 200);
  const [file] = (await files(api)) as [string];
  assert.deepEqual(await runToEnd(['tls', file]), { code: 0, stdout: `${file}: no TLS evidence\n`, stderr: '' });
  const { code, stderr } = await runToEnd(['tls', `${file}.none`]);
  assert.equal(code, 1);
  assert.match(stderr, /^\S.*\.none: not read to its end: .*\n$/);
});

test('--tls-evidence off writes none', async () => {
  await using api = await startApi(TUNNEL, { tlsEvidence: 'off' });
  assert.equal((await api.ask('/')).status, 200);
  assert.deepEqual(
    (await api.proxy.records()).map(({ type }) => type),
    ['response', 'request'],
  );
});

test('with --origin-certificates refuse an origin that is not to be trusted is not asked: 502 says why, and nothing is archived', async () => {
  await using api = await startApi(TUNNEL, { originCertificates: 'refuse', tlsEvidence: 'chain' });
  const { status, body } = await api.ask('/');
  assert.equal(status, 502);
  const why = `the certificate of 127.0.0.1:${api.origin.port} is not to be trusted: INVALID_PURPOSE (--origin-certificates of the proxy is refuse)`;
  assert.ok(body.includes(why), body);
  assert.equal(body.trim().split('\n').length, 1);
  assert.equal(api.origin.requests.length, 0);
  assert.deepEqual(await api.proxy.records(), []);
});

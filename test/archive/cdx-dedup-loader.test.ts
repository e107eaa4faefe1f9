import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { base32 } from '@scure/base';
import type { ExchangeCapture } from '../../src/capture/capture.ts';
import { cdxDedupLoader, type CdxDedupLoaderOptions } from '../../src/archive/cdx-dedup-loader.ts';
import { warcWriter } from '../../src/archive/warc-writer.ts';
import { silentLog } from '../../src/util/log.ts';
import { pool, readAll, recordOptions } from '../warc/support.ts';
import { custom, exchange, failure, RULES, tempDir, type CaptureParts } from './dedup-support.ts';

/** The SHA-1 of a capture's payload as a CDX server has it. */
function cdxDigest({ response }: ExchangeCapture): string {
  return base32.encode(Buffer.from(response.payloadDigest.replace('sha1:', ''), 'hex'));
}

/** A CDX server that answers as it is told, and a loader that asks it. */
async function cdxServer(
  t: TestContext,
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  changes: Partial<CdxDedupLoaderOptions> & { path?: string } = {},
) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { path = '/cdx/search', ...options } = changes;
  const loader = cdxDedupLoader({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    cookies: undefined,
    maxRequests: 50,
    rules: RULES,
    methods: [],
    log: silentLog,
    ...options,
  });
  t.after(async () => {
    await loader.close?.();
    server.closeAllConnections();
    server.close();
  });
  return { loader, requests };
}

/** Captures of URLs that no two share. */
function captures(count: number, parts: CaptureParts = {}): ExchangeCapture[] {
  return Array.from({ length: count }, (_, nth) => exchange({ ...parts, url: `http://a.example/${nth}` }));
}

test('a hit makes a revisit of that URL and the date of the timestamp, without a record id', async (t) => {
  const dir = tempDir(t);
  const capture = exchange({ url: 'http://a.example/x?a=b,c&d=é' });
  const { loader, requests } = await cdxServer(t, (response) => response.end(`20230506070809 ${cdxDigest(capture)}\n`));
  await loader.process([capture]);
  assert.deepEqual(capture.outcome.duplicateOf, { recordId: '', url: capture.url, date: '2023-05-06T07:08:09Z' });
  assert.equal(requests.length, 1);
  const asked = new URL(requests[0]!.url!, 'http://x');
  assert.equal(asked.pathname, '/cdx/search');
  assert.deepEqual(Object.fromEntries(asked.searchParams), {
    url: capture.url,
    fl: 'timestamp,digest',
    filter: '!mimetype:warc/revisit',
    limit: '-1',
  });
  assert.equal(requests[0]!.method, 'GET');
  assert.equal(requests[0]!.headers['user-agent'], 'warcprox');
  assert.equal(requests[0]!.headers.cookie, undefined);

  const writers = pool(dir);
  await warcWriter({ pool: writers, records: recordOptions(), methods: [], log: silentLog }).process([capture]);
  await writers.close();
  const revisit = (await readAll(`${dir}/P-00000.warc`)).find(({ type }) => type === 'revisit');
  assert.ok(revisit);
  assert.equal(revisit.header('WARC-Refers-To'), undefined);
  assert.equal(revisit.header('WARC-Refers-To-Date'), '2023-05-06T07:08:09Z');
  assert.equal(revisit.header('WARC-Refers-To-Target-URI'), 'http://a.example/x?a=b,c&d=%C3%A9');
});

test('cookies are sent, and a query of the URL is kept', async (t) => {
  const changes = { cookies: 'cdx-auth-token=secret', path: '/cdx?collection=one' };
  const { loader, requests } = await cdxServer(t, (response) => response.end(), changes);
  await loader.process([exchange()]);
  assert.equal(requests[0]!.headers.cookie, 'cdx-auth-token=secret');
  assert.match(requests[0]!.url!, /^\/cdx\?collection=one&url=http%3A%2F%2Fexample\.com%2F&/);
  assert.equal(loader.errors, 0);
});

/** What is a hit: `D` stands for our digest. */
const ANSWERS: readonly [answer: string, result: 'hit' | 'no hit' | 'failure'][] = [
  ['20230506070809 D', 'hit'],
  ['20230506070809 D\r\n', 'hit'],
  ['20230506070809 sha1:D', 'hit'],
  ['', 'no hit'],
  ['\n', 'no hit'],
  ['20230506070809 B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A', 'no hit'],
  ['20230506070809', 'failure'],
  ['20230506070809 D D', 'failure'],
  ['20230506070809 D\n20230506070810 D', 'failure'],
  ['2023050607080 D', 'failure'],
  ['20230231000000 D', 'failure'],
  ['20231306070809 D', 'failure'],
  ['<html><body>Too many requests, please wait.</body></html>', 'failure'],
];
for (const [answer, result] of ANSWERS) {
  test(`the answer ${JSON.stringify(answer)} is a ${result}`, async (t) => {
    const capture = exchange();
    const { loader } = await cdxServer(t, (response) => response.end(answer.replaceAll('D', cdxDigest(capture))));
    await loader.process([capture]);
    assert.equal(capture.outcome.duplicateOf !== undefined, result === 'hit');
    assert.equal(loader.errors, result === 'failure' ? 1 : 0);
  });
}

test('a digest in Base32 is compared as it is, one of another hash only with its label', async (t) => {
  const hex = exchange();
  const inBase32 = { ...hex, outcome: { archive: true }, response: { ...hex.response, payloadDigest: `sha1:${cdxDigest(hex)}` } };
  const sha256 = { ...inBase32, outcome: { archive: true }, response: { ...hex.response, payloadDigest: `sha256:${cdxDigest(hex)}` } };
  const { loader } = await cdxServer(t, (response) => response.end(`20230506070809 ${cdxDigest(hex)}`));
  await loader.process([inBase32, sha256]);
  assert.notEqual((inBase32 as ExchangeCapture).outcome.duplicateOf, undefined);
  assert.equal((sha256 as ExchangeCapture).outcome.duplicateOf, undefined);
});

test('a status other than 200, a redirect and a closed connection are failures', async (t) => {
  const endings: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(503).end('20230506070809 X'),
    (response) => response.writeHead(302, { Location: '/elsewhere' }).end(),
    (response) => response.destroy(),
    (response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('2023', () => response.destroy());
    },
  ];
  let nth = 0;
  const { loader, requests } = await cdxServer(t, (response) => endings[nth++]!(response), { maxRequests: 1 });
  const batch = captures(endings.length);
  await loader.process(batch);
  assert.equal(loader.errors, endings.length);
  assert.equal(requests.length, endings.length);
  assert.ok(batch.every(({ outcome }) => outcome.archive && outcome.duplicateOf === undefined));
});

test('a server that cannot be reached is a failure, logged once as a warning until it answers again', async (t) => {
  const lines: string[] = [];
  const log = {
    ...silentLog,
    warn: (_: object, message: string) => lines.push(`warn ${message}`),
    info: (_: object, message: string) => lines.push(`info ${message}`),
  };
  let up = false;
  const { loader } = await cdxServer(t, (response) => (up ? response.end() : response.destroy()), { log });
  await loader.process(captures(3));
  await loader.process(captures(3));
  assert.equal(loader.errors, 6);
  up = true;
  await loader.process(captures(3));
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^warn the CDX server cannot be asked, so no duplicates are found: /);
  assert.equal(lines[1], 'info the CDX server answers again');
});

test('an answer that does not come, or does not end, is given up after the time-out', async (t) => {
  const endings: ((response: ServerResponse) => void)[] = [() => undefined, (response) => response.write('20230506070809 ')];
  let nth = 0;
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
  const { loader } = await cdxServer(t, (response) => endings[nth++]!(response), { timeoutMs: 30, log });
  await loader.process(captures(2));
  assert.equal(loader.errors, 2);
  assert.match(warnings[0]!, /no answer within 30 ms$/);
});

test('a server that has let it wait in vain keeps nobody waiting, until it answers again', async (t) => {
  let hangs = true;
  const seen = { answers: false };
  const log = { ...silentLog, info: (_: object, message: string) => void (seen.answers = message === 'the CDX server answers again') };
  const capture = exchange();
  const { loader, requests } = await cdxServer(
    t,
    (response) => {
      if (!hangs) response.end(`20230506070809 ${cdxDigest(capture)}`);
    },
    {
      timeoutMs: 30,
      log,
    },
  );
  await loader.process(captures(1));
  // Nothing to wait for, and one question at a time.
  for (let batch = 0; batch < 3; batch++) assert.equal(loader.process(captures(100)), undefined);
  assert.equal(loader.errors, 301);
  hangs = false;
  while (!seen.answers) {
    void loader.process(captures(1));
    await new Promise(setImmediate);
  }
  assert.ok(requests.length < 301, `${requests.length} questions`);
  await loader.process([capture]);
  assert.equal(capture.outcome.duplicateOf?.date, '2023-05-06T07:08:09Z');
});

test('an answer that is too large is a failure and not kept', async (t) => {
  let closed: Promise<unknown> | undefined;
  const { loader } = await cdxServer(t, (response) => {
    closed = once(response, 'close');
    const more = () => {
      while (response.write(Buffer.alloc(16_384, 'x')));
    };
    response.on('drain', more);
    more();
  });
  await loader.process([exchange()]);
  assert.equal(loader.errors, 1);
  await closed;
});

test('URLs with a session, cut responses, small and empty payloads and what is not archived are not asked for', async (t) => {
  const rules = { ...RULES, minTextSize: 4 };
  const { loader, requests } = await cdxServer(t, (response) => response.end(), { rules, methods: ['GET'] });
  const notArchived = exchange();
  notArchived.outcome.archive = false;
  await loader.process([
    exchange({ url: 'http://a.example/x;JSESSIONID=1' }),
    exchange({ url: 'http://a.example/x?session=1' }),
    exchange({ url: 'http://a.example/x?phpsess=1' }),
    exchange({ truncated: 'length' }),
    exchange({ body: 'four' }),
    exchange({ body: '' }),
    exchange({ warcPrefix: '-' }),
    exchange({ method: 'POST' }),
    notArchived,
    custom('text/plain', 'hello'),
    failure(),
  ]);
  assert.deepEqual(requests, []);
  await loader.process([exchange()]);
  assert.equal(requests.length, 1);
});

test('an answer is asked for once, and failures are asked again', async (t) => {
  let fails = true;
  const capture = exchange();
  const { loader, requests } = await cdxServer(t, (response) => {
    if (fails) response.writeHead(500).end();
    else response.end(`20230506070809 ${cdxDigest(capture)}`);
  });
  const equal = [capture, exchange(), exchange()];
  await loader.process(equal);
  assert.deepEqual([requests.length, loader.errors], [1, 3]);
  fails = false;
  await loader.process(equal);
  assert.equal(requests.length, 2);
  const later = exchange();
  assert.equal(loader.process([later]), undefined);
  for (const { outcome } of [...equal, later]) assert.equal(outcome.duplicateOf?.date, '2023-05-06T07:08:09Z');
  // Another payload of the same URL is another question.
  await loader.process([exchange({ body: 'other' })]);
  assert.equal(requests.length, 3);
});

test('no more than so many questions are open at once', async (t) => {
  let open = 0;
  let most = 0;
  const { loader, requests } = await cdxServer(
    t,
    (response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        response.end();
      });
    },
    { maxRequests: 7 },
  );
  await loader.process(captures(100));
  assert.equal(requests.length, 100);
  assert.ok(most <= 7 && most > 1, String(most));
  assert.ok(new Set(requests.map(({ socket }) => socket)).size <= 7);
});

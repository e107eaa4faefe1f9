/** The way in: log-in, paths, frames, and one response for each request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { CrawlClient } from '../../../src/crawl/client.ts';
import { RequestSchema } from '../../../src/crawl/proto/starbelly_pb.ts';
import { testCaFile } from '../../support/certificate.ts';
import { crawlServer } from '../support/server.ts';

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

/** @returns the head of the answer to an upgrade */
async function upgrade(url: string, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const asked = httpRequest(`${url}${path}`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16, 1).toString('base64'),
      ...headers,
    },
  });
  asked.end();
  const [response] = (await Promise.race([once(asked, 'response'), once(asked, 'upgrade')])) as [IncomingMessage];
  response.socket.destroy();
  return response;
}

test('only with credentials, and only at /ws/', async (t) => {
  const { program } = await crawlServer(t);
  const without = await upgrade(program.url, '/ws/', {});
  assert.equal(without.statusCode, 401);
  assert.equal(without.headers['www-authenticate'], 'Basic realm="Crawler"');
  assert.equal((await upgrade(program.url, '/ws/', basic('admin:wrong'))).statusCode, 401);
  for (const path of ['/ws/', '/ws', '/ws/?x'])
    assert.equal((await upgrade(program.url, path, basic('admin:a password'))).statusCode, 101, path);
  assert.equal((await upgrade(program.url, '/other', basic('admin:a password'))).statusCode, 404);
  assert.equal((await upgrade(program.url, '/ws/', { ...basic('admin:a password'), 'sec-websocket-key': 'short' })).statusCode, 400);
});

test('with a certificate it speaks TLS, and nothing else', async (t) => {
  const pem = await testCaFile();
  const { program } = await crawlServer(t, undefined, { given: { tlsCert: pem, tlsKey: pem } });
  assert.match(program.url, /^https:/);
  const connect = (url: string) => CrawlClient.connect({ url, username: 'admin', password: 'a password', rejectUnauthorized: false });
  await using client = await connect(program.url);
  assert.equal((await client.get({ case: 'listPolicies', value: {} }, 'listPolicies')).total, 2);
  await assert.rejects(connect(program.url.replace('https', 'http')), /the answer is 400/);
});

test('what is no request ends the connection, without a message', async (t) => {
  const { client } = await crawlServer(t);
  for (const [bytes, code] of [
    [Buffer.from('foo'), 1007],
    [Buffer.alloc(0), 1007],
    ['foo', 1003],
  ] as const) {
    const asking = await client();
    asking.socket.send(bytes);
    const [closed] = (await once(asking.socket, 'close')) as [number];
    assert.equal(closed, code);
    assert.deepEqual(asking.messages, []);
  }
});

test('a request above the bound ends the connection, one of a mebibyte does not', async (t) => {
  const { client } = await crawlServer(t, undefined, { given: { maxRequest: '2M' } });
  const asking = await client();
  const large = (length: number) => ({ case: 'listJobs', value: { tag: 'x'.repeat(length) } }) as const;
  assert.equal((await asking.get(large(1_048_576), 'listJobs')).total, 0);
  asking.send(large(3_000_000));
  const [code] = (await once(asking.socket, 'close')) as [number];
  assert.equal(code, 1009);
});

test('a command that is absent, unknown or incomplete is a failure, and the connection goes on', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  asking.socket.send(toBinary(RequestSchema, create(RequestSchema, { requestId: 7 })));
  const absent = await asking.until(() => asking.responses[0]);
  assert.deepEqual([absent.requestId, absent.isSuccess, absent.errorMessage], [7, false, 'No command specified']);
  // request_id: 8, and field 99, an empty message
  asking.socket.send(Buffer.from([0x08, 8, 0x9a, 0x06, 0]));
  const unknown = await asking.until(() => asking.responses[1]);
  assert.deepEqual([unknown.requestId, unknown.errorMessage], [8, 'No command specified']);
  // request_id: 9, get_job {}
  asking.socket.send(Buffer.from([0x08, 9, 0x32, 0]));
  const incomplete = await asking.until(() => asking.responses[2]);
  assert.deepEqual([incomplete.requestId, incomplete.errorMessage], [9, 'Missing required field: get_job.job_id']);
  assert.equal(await asking.refused({ case: 'getJob', value: { jobId: new Uint8Array(3) } }), 'Invalid ID');
  assert.ok(asking.open);
});

test('fifty requests at once have fifty responses, each its own', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const ids = Array.from({ length: 50 }, () => asking.send({ case: 'listPolicies', value: {} }));
  const responses = await asking.until(() => (asking.responses.length >= 50 ? asking.responses : undefined));
  assert.deepEqual(
    responses.map(({ requestId }) => requestId).sort((a, b) => a - b),
    ids,
  );
  assert.ok(responses.every(({ isSuccess }) => isSuccess));
});

test('what takes long holds up nothing else, and one profile runs at a time', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const long = asking.send({ case: 'performanceProfile', value: { duration: 0.5, topN: 5 } });
  assert.equal(await asking.refused({ case: 'performanceProfile', value: { sortBy: 'colour' } }), 'Invalid sort key: colour');
  assert.equal(await asking.refused({ case: 'performanceProfile', value: {} }), 'A profile is already running');
  assert.ok((await asking.ask({ case: 'listJobs', value: {} })).isSuccess);
  assert.ok(asking.responses.every(({ requestId }) => requestId !== long));
  const { Body: body } = await asking.until(() => asking.responses.find(({ requestId }) => requestId === long));
  assert.ok(body.case === 'performanceProfile');
  assert.ok(body.value.functions.length > 0 && body.value.functions.length <= 5);
  assert.ok(body.value.totalTime > 0);
  const times = body.value.functions.map(({ totalTime }) => totalTime);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => b - a),
  );
});

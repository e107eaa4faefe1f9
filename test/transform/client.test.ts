/** The client library against the service, as a program uses it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AccessDenied, Client, ClientException, TimeoutException, type Job } from '../../src/transform/client.ts';
import { membersOf, runCommand, startService, Workplace, type Service } from './support.ts';

const place = new Workplace();
const file = place.write('a.txt', 'text of a');
const credentials = join(place.dir, 'credentials.json');
let service: Service;
let client: Client;

before(async () => {
  await runCommand(place, ['make-api-access', '--out', credentials]);
  service = await startService(place, ['run'], { CIRCE_USE_AUTH: '1' });
  const { uuid, secret } = JSON.parse(readFileSync(credentials, 'utf8')) as { uuid: string; secret: string };
  client = new Client({ apiEndpoint: service.url, applicationUuid: uuid, secretKey: secret });
});
after(async () => {
  await service[Symbol.asyncDispose]();
});

async function contents(job: Job): Promise<string[]> {
  const found: string[] = [];
  for await (const [name, stream] of job.result?.documents ?? []) {
    let text = '';
    for await (const piece of stream.setEncoding('utf8') as AsyncIterable<string>) text += piece;
    found.push(`${name}: ${text}`);
  }
  return found;
}

test('an archive has job.json first, indented, with both keys', async () => {
  await using job = client.newJob().addFile(file).addTransformation('donothing', { a: 1 }).setNotifyHook('http://x/');
  const archive = await job.makeArchive();
  const members = await membersOf(readFileSync(archive));
  assert.deepEqual([...members.keys()], ['job.json', 'a.txt']);
  assert.equal(
    members.get('job.json')?.content,
    JSON.stringify({ transformations: [{ name: 'donothing', options: { a: 1 } }], notify_hook: 'http://x/' }, null, 4),
  );
});

test('transformations are listed', async () => {
  assert.deepEqual(await client.availableTransformations(), ['donothing']);
});

describe('a job', () => {
  test('is sent and waited for; it has no uuid then', async () => {
    await using job = client.newJob().addFile(file, 'b.txt').addTransformation('donothing');
    await client.send(job, true);
    assert.equal(job.uuid, undefined);
    assert.deepEqual(await contents(job), ['b.txt: text of a']);
    const levels: unknown[] = [];
    for await (const { level, message } of job.result?.log ?? []) levels.push([level, message]);
    assert.deepEqual(levels, [['INFO', 'Executing transformation donothing']]);
  });

  test('is sent, looked after and fetched, into a file of the own choice', async () => {
    const to = join(place.dir, 'result.tar.gz');
    await using job = client.newJob().addFile(file).addTransformation('donothing');
    await client.poll(job, to, 60, 0.1);
    assert.match(job.uuid ?? '', /^[0-9a-f-]{36}$/);
    assert.equal((await client.status(job)).state, 'done');
    assert.deepEqual(await contents(job), ['a.txt: text of a']);
    await client.fetch(job, to);
    assert.ok(existsSync(to));
  });

  test('temporary files go with it', async () => {
    const job = client.newJob().addFile(file);
    await client.send(job, true);
    const result = job.result?.file ?? '';
    assert.ok(existsSync(result));
    await job.dispose();
    assert.ok(!existsSync(result));
  });
});

test('what is wrong is thrown by its name', async () => {
  assert.throws(() => new Client({ apiEndpoint: 'http://x' }), new ClientException('Missing parameters'));
  assert.throws(() => new Client({ credentialsFilePath: credentials }), ClientException);
  const stranger = new Client({ apiEndpoint: service.url, applicationUuid: client.applicationUuid, secretKey: 'wrong' });
  for (const wait of [true, false]) await assert.rejects(stranger.send(stranger.newJob(), wait), AccessDenied);
  const job = client.newJob();
  job.uuid = '11111111-1111-4111-8111-111111111111';
  await assert.rejects(client.poll(job), /Unsupported server status: 404/);
  await client.fetch(job);
  assert.equal(job.result, undefined);
});

test('a service that never ends a job: TimeoutException, once the whole seconds exceed the time', async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(request.method === 'POST' ? 200 : 202).end('x'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const slow = new Client({
    apiEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    applicationUuid: 'x',
    secretKey: 'y',
  });
  const startedMs = performance.now();
  await assert.rejects(slow.poll(slow.newJob(), undefined, 0, 0.1), TimeoutException);
  assert.ok(performance.now() - startedMs >= 1000);
  server.close();
  server.closeAllConnections();
});

test('credentials come from the environment or a file', () => {
  writeFileSync(credentials, JSON.stringify({ uuid: 'u', secret: 's', endpoint: 'http://h/base' }));
  assert.equal(new Client({ credentialsFilePath: credentials }).endpoint, 'http://h/base/');
});

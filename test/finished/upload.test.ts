/** Uploads to a real server of S3 (moto, from PyPI): what is there is the file, bit for bit, whatever comes between. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { uploadStep, type UploadOptions } from '../../src/finished/upload.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { tempDir } from '../warc/support.ts';
import { fileIn, freePort, moto, openFinished, startS3, tellingLog, until } from './support.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' };
Object.assign(process.env, KEYS, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
const PART = 5 * 1024 * 1024;

async function bucketAt(endpoint: string): Promise<S3Client> {
  const client = new S3Client({ endpoint, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
  return client;
}

async function objectIn(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

const uploading = (endpoint: string, more: Partial<UploadOptions> = {}) =>
  uploadStep({ bucket: 'bucket', prefix: 'a/b', endpoint, region: undefined, partBytes: PART, ...more });

/** Stands in front of a server, and may do something else instead. */
async function startFront(
  t: TestContext,
  url: string,
  instead: (message: IncomingMessage, response: ServerResponse) => boolean,
): Promise<string> {
  const front = createServer((message, response) => {
    if (instead(message, response)) return;
    const { hostname, port } = new URL(url);
    const onward = request({ hostname, port, path: message.url, method: message.method, headers: message.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    message.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.after(() => {
    front.close();
    front.closeAllConnections();
  });
  return `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
}

describe('uploads', { skip: moto.skip, concurrency: 1 }, () => {
  test('a small file and one of several parts arrive bit for bit, under the prefix', async (t) => {
    const [dir, endpoint] = [tempDir(t), await startS3(t)];
    const client = await bucketAt(endpoint);
    const finished = await openFinished(dir, [uploading(endpoint)]);
    const [small, large] = [randomBytes(1000), randomBytes(2 * PART + 77)];
    finished.add(fileIn(dir, 'ü 1.warc', small), undefined);
    finished.add(fileIn(dir, 'large.warc.gz', large), undefined);
    finished.add(fileIn(dir, 'empty.warc', ''), undefined);
    await finished.close();
    assert.ok((await objectIn(client, 'a/b/ü 1.warc')).equals(small));
    assert.ok((await objectIn(client, 'a/b/large.warc.gz')).equals(large));
    assert.equal((await objectIn(client, 'a/b/empty.warc')).length, 0);
    client.destroy();
  });

  test('an upload that was cut goes on with the parts that are there', async (t) => {
    const [dir, endpoint] = [tempDir(t), await startS3(t)];
    const client = await bucketAt(endpoint);
    const bytes = randomBytes(3 * PART);
    let sent: string[] = [];
    let broken = true;
    const front = await startFront(t, endpoint, (message) => {
      const part = /partNumber=(\d)/.exec(message.url ?? '')?.[1];
      if (part !== undefined && message.method === 'PUT') sent.push(part);
      const isCut = broken && part === '3';
      if (isCut) message.socket.destroy();
      return isCut;
    });
    const before = await openFinished(dir, [uploading(front)]);
    before.add(fileIn(dir, 'a.warc', bytes), undefined);
    await until(() => before.state.steps[0]?.failed === 1);
    await before.close();
    [sent, broken] = [[], false];
    await (await openFinished(dir, [uploading(front)])).close();
    assert.deepEqual(sent, ['3']);
    assert.ok((await objectIn(client, 'a/b/a.warc')).equals(bytes));
    assert.deepEqual((await client.send(new ListMultipartUploadsCommand({ Bucket: 'bucket' }))).Uploads ?? [], []);
    client.destroy();
  });

  test('parts of another file under the same name are not taken for its own', async (t) => {
    const [dir, endpoint] = [tempDir(t), await startS3(t)];
    const client = await bucketAt(endpoint);
    let broken = true;
    const front = await startFront(t, endpoint, (message) => {
      const isCut = broken && (message.url ?? '').includes('partNumber=2');
      if (isCut) message.socket.destroy();
      return isCut;
    });
    const before = await openFinished(dir, [uploading(front)]);
    before.add(fileIn(dir, 'a.warc', randomBytes(2 * PART)), undefined);
    await until(() => before.state.steps[0]?.failed === 1);
    await before.close();
    broken = false;
    const bytes = randomBytes(2 * PART);
    fileIn(dir, 'a.warc', bytes);
    await (await openFinished(dir, [uploading(front)])).close();
    assert.ok((await objectIn(client, 'a/b/a.warc')).equals(bytes));
    client.destroy();
  });

  test('a server that is away, or full, is tried until it takes the file; the file stays till then', async (t) => {
    const [dir, endpoint] = [tempDir(t), await startS3(t)];
    const client = await bucketAt(endpoint);
    let mode: 'away' | 'full' | 'well' = 'away';
    const front = await startFront(t, endpoint, (message, response) => {
      if (mode === 'well') return false;
      if (mode === 'away') message.socket.destroy();
      else if (message.method === 'PUT') {
        message.resume().on('end', () => {
          response.writeHead(507, { 'content-type': 'application/xml' });
          response.end(
            '<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its minimum free drive threshold.</Message></Error>',
          );
        });
      } else return false;
      return true;
    });
    const { log, told } = tellingLog();
    const drop = {
      name: 'delete',
      atOnce: 1,
      tries: 5,
      run: ({ file: path }: { file: string }) => import('node:fs/promises').then(({ rm }) => rm(path)),
    };
    const finished = await openFinished(dir, [uploading(front), drop], log);
    const file = fileIn(dir, 'a.warc', 'bytes');
    finished.add(file, undefined);
    await until(() => told.some(({ message }) => message.startsWith('upload of a finished WARC file has failed: ')));
    assert.ok(existsSync(file));
    mode = 'full';
    await until(() => told.some(({ message }) => /failed: bucket bucket: XMinioStorageFull: .* \(507\)$/.test(message)));
    assert.ok(existsSync(file));
    mode = 'well';
    await until(() => finished.state.waiting === 0);
    await finished.close();
    assert.equal((await objectIn(client, 'a/b/a.warc')).toString(), 'bytes');
    assert.ok(!existsSync(file));
    client.destroy();
  });

  test('a key that the server does not know, and a bucket that is not there, are told in one line', async (t) => {
    const [dir, endpoint] = [tempDir(t), await startS3(t, true)];
    const client = new S3Client({ endpoint, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    // It lets four requests pass before it asks who comes.
    for (let nth = 0; nth < 3; nth++) await client.send(new ListMultipartUploadsCommand({ Bucket: 'bucket' }));
    client.destroy();
    const { log, told } = tellingLog();
    const finished = await openFinished(dir, [uploading(endpoint)], log);
    finished.add(fileIn(dir, 'a.warc'), undefined);
    await until(() => told.length > 0);
    await finished.close();
    assert.match(told[0]?.message ?? '', /^upload of a finished WARC file has failed: bucket bucket: .*\(403\)$/);
    const other = tempDir(t);
    const missing = await openFinished(other, [uploading(await startS3(t), { bucket: 'nowhere' })], log);
    missing.add(fileIn(other, 'a.warc'), undefined);
    await until(() => told.some(({ message }) => /bucket nowhere: NoSuchBucket: .*\(404\)$/.test(message)));
    await missing.close();
    assert.ok(!JSON.stringify(told).includes(KEYS.AWS_SECRET_ACCESS_KEY));
  });

  test('after kill -9 the next start uploads everything that was archived, and deletes what is there', { timeout: 120_000 }, async (t) => {
    const [dir, endpoint] = [tempDir(t), await startS3(t)];
    const client = await bucketAt(endpoint);
    await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path.repeat(3000))));
    const folder = join(dir, 'warcs');
    const names = () => readdirSync(folder).filter((name) => name.endsWith('.warc'));
    const args = (url: string) => ['--size', '9000', '--upload', 's3://bucket/x', '--upload-endpoint', url];
    const away = `http://127.0.0.1:${await freePort()}`;
    {
      await using program = await startProgram(dir, args(away), { variables: KEYS });
      using asking = await RawClient.connect(program.port);
      for (let nth = 0; nth < 5; nth++) {
        asking.send(get(`${origin.url}/${nth}`));
        await asking.response();
      }
      while (names().length < 2) await passed(20);
      program.child.kill('SIGKILL');
      await program.ended;
    }
    {
      await using program = await startProgram(dir, [...args(endpoint)], { variables: KEYS });
      const local = new Map(names().map((name) => [name, readFileSync(join(folder, name))]));
      assert.ok(local.size >= 2);
      while ((program.stderr().match(/upload of a finished WARC file is done/g) ?? []).length < local.size) await passed(20);
      for (const [name, bytes] of local) assert.ok((await objectIn(client, `x/${name}`)).equals(bytes), name);
      assert.equal(names().length, local.size);
      program.child.kill('SIGTERM');
      assert.deepEqual(await program.ended, [0, null]);
    }
    await using program = await startProgram(dir, [...args(endpoint), '--upload-delete'], { variables: KEYS });
    using asking = await RawClient.connect(program.port);
    const before = new Set(names());
    asking.send(get(`${origin.url}/last`));
    await asking.response();
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, [0, null]);
    // Those that were there before are not its to delete; the new one has been uploaded and is gone.
    assert.deepEqual(new Set(names()), before);
    assert.match(program.stderr(), /delete of a finished WARC file is done/);
    client.destroy();
  });
});

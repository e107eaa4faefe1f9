/**
 * The folder of temporary files full, or gone: whoever needs one fails and is told, everybody else goes on.
 *
 * Source: docs/reliability.md.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog, type Log } from '../../src/util/log.ts';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';

/** More than the disk holds and may wait for it together. */
const TOO_LARGE = 6 * 1024 * 1024;
/** Goes to a temporary file, and three of them fit. */
const LARGE = 1024 * 1024;

interface Folder extends AsyncDisposable {
  readonly dir: string;
  readonly code: string;
  fail(): Promise<void>;
  recover(): Promise<void>;
}

const FOLDERS: readonly { readonly what: string; readonly skip: string | false; readonly make: () => Promise<Folder> }[] = [
  {
    what: 'full',
    skip: noSmallDisk,
    make: () => {
      const disk = makeSmallDisk(4);
      const nothing = () => Promise.resolve();
      return Promise.resolve({
        dir: disk.dir,
        code: 'ENOSPC',
        fail: nothing,
        recover: nothing,
        [Symbol.asyncDispose]: () => Promise.resolve(disk[Symbol.dispose]()),
      });
    },
  },
  {
    what: 'gone',
    skip: false,
    make: async () => {
      const dir = await mkdtemp(join(tmpdir(), 'warctap-spools-'));
      const remove = () => rm(dir, { recursive: true, force: true });
      return { dir, code: 'ENOENT', fail: remove, recover: () => mkdir(dir).then(() => undefined), [Symbol.asyncDispose]: remove };
    },
  },
];

/** With its temporary files in `spools`, and all others where they always are. */
async function startProxyWithSpoolsIn(spools: string, log: Log): Promise<TestProxy> {
  await testCaFile();
  const folder = await mkdtemp(join(tmpdir(), 'warctap-test-'));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = spools;
  try {
    // Without gzip an answer needs none.
    return await startProxy({ log, maxSpool: 0, gzip: true }, folder);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

function record(url: string, body: string): string {
  const head = `WARCPROX_WRITE_RECORD ${url} HTTP/1.1\r\nWARC-Type: resource\r\nContent-Type: text/plain\r\n`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

for (const { what, skip, make } of FOLDERS) {
  test(`temporary folder ${what}: answer, upload and record that need it fail, the others do not`, { skip, timeout: 60_000 }, async () => {
    await using folder = await make();
    const errors: string[] = [];
    const log = { ...silentLog, error: (_: object, message: string) => errors.push(message) };
    await using origin = await startOrigin(({ path, socket }) =>
      socket.write(ok('x'.repeat(Number(path.slice(path.lastIndexOf('-') + 1))))),
    );
    await using proxy = await startProxyWithSpoolsIn(folder.dir, log);
    await folder.fail();

    using small = await RawClient.connect(proxy.port);
    const smallGoesOn = async (url: string) => {
      small.send(get(url));
      const { status, body } = await small.response();
      assert.deepEqual([status, body.toString()], [200, 'xxx']);
    };
    await smallGoesOn(`${origin.url}/before-3`);

    const lost = [`${origin.url}/answer-${TOO_LARGE}`, `${origin.url}/upload-3`, 'urn:test:record'] as const;
    using answered = await RawClient.connect(proxy.port);
    answered.send(get(lost[0]));
    const received = await answered.rest();
    assert.ok(received.length < TOO_LARGE, String(received.length));

    using uploading = await RawClient.connect(proxy.port);
    uploading.send(`POST ${lost[1]} HTTP/1.1\r\nHost: a\r\nContent-Length: ${TOO_LARGE}\r\n\r\n${'x'.repeat(TOO_LARGE)}`);
    const refused = await uploading.response();
    assert.equal(refused.status, 500);
    assert.match(refused.body.toString(), new RegExp(`^temporary file failed: ${folder.code}`));

    using recording = await RawClient.connect(proxy.port);
    recording.send(record(lost[2], 'x'.repeat(TOO_LARGE)));
    const { status, body } = await recording.response();
    assert.deepEqual([status, body.toString()], [503, 'record not written: see the log of the proxy\n']);
    await smallGoesOn(`${origin.url}/meanwhile-3`);
    for (const url of lost.slice(0, 2)) {
      const capture = await proxy.captureOf(url);
      assert.ok(capture.kind === 'failure' && capture.error.code === 'recording-failed');
    }
    assert.deepEqual(
      errors.map((message) => message.replace(/:.*/, '')),
      lost.map(() => 'not archived, because its temporary file failed'),
    );

    await folder.recover();
    const again = [`${origin.url}/answer-${LARGE}`, `${origin.url}/again-3`, 'urn:test:again'] as const;
    using client = await RawClient.connect(proxy.port);
    client.send(get(again[0]));
    assert.equal((await client.response()).body.length, LARGE);
    client.send(`POST ${again[1]} HTTP/1.1\r\nHost: a\r\nContent-Length: ${LARGE}\r\n\r\n${'x'.repeat(LARGE)}`);
    assert.equal((await client.response()).status, 200);
    client.send(record(again[2], 'x'.repeat(LARGE)));
    assert.equal((await client.response()).status, 204);

    const records = await proxy.records();
    const sizes = (url: string) => records.filter((each) => each.url === url).map(({ block }) => block.length);
    for (const url of lost) assert.deepEqual(sizes(url), []);
    assert.equal(sizes(`${origin.url}/before-3`).length, 2);
    assert.equal(sizes(`${origin.url}/meanwhile-3`).length, 2);
    assert.ok(sizes(again[0])[0]! > LARGE);
    assert.ok(sizes(again[1])[1]! > LARGE);
    assert.deepEqual(sizes(again[2]), [LARGE]);
    assert.equal(errors.length, lost.length);
    const faults: string[] = [];
    const warcs = join(proxy.dir, 'warcs');
    await verifyFiles(
      (await readdir(warcs)).map((name) => join(warcs, name)),
      { allowUnresolved: false, onFault: ({ problem }) => faults.push(problem) },
    );
    assert.deepEqual(faults, []);
  });
}

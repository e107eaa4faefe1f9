/** The WARC folder deleted while the real program works: a record that is answered 204 is there, and so is everything before it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram, type Program } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';

/** @returns the status that a record with this URI is answered */
async function record(program: Program, uri: string): Promise<number> {
  using client = await RawClient.connect(program.port);
  client.send(`WARCPROX_WRITE_RECORD ${uri} HTTP/1.1\r\nWARC-Type: resource\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx`);
  return (await client.response()).status;
}

const GONE = 'a WARC file was gone, moved or deleted while it was written to: everything that was in it is there again';

test('the folder deleted: it is made again, with all that was answered', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-gone-'));
  const warcs = join(dir, 'warcs');
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using program = await startProgram(dir);
  using client = await RawClient.connect(program.port);
  const fetched = async (path: string) => {
    client.send(get(`${origin.url}/${path}`));
    assert.equal((await client.response()).status, 200);
    return `${origin.url}/${path}`;
  };
  const urls = [await fetched('before')];
  assert.equal(await record(program, 'urn:before'), 204);
  await rm(warcs, { recursive: true });
  assert.equal(await record(program, 'urn:at-once'), 204);
  const [name = ''] = await readdir(warcs);
  await rm(join(warcs, name));
  urls.push(await fetched('after'));
  // Nobody waits for that one: it is found out all the same.
  while (program.stderr().split(GONE).length < 3) await new Promise((resolve) => program.child.stderr?.once('data', resolve));
  assert.equal(await record(program, 'urn:later'), 204);
  program.child.kill('SIGTERM');
  assert.deepEqual(await program.ended, [0, null], program.stderr());
  const archived = (await readFolder(warcs)).filter(({ type }) => type !== 'request').map(({ url }) => url);
  assert.deepEqual(archived.sort(), [...urls, 'urn:before', 'urn:at-once', 'urn:later'].sort());
  await rm(dir, { recursive: true });
});

test('the folder deleted, and none can be made: the record is refused, exit code 3', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-gone-'));
  const warcs = join(dir, 'warcs');
  await using program = await startProgram(dir);
  assert.equal(await record(program, 'urn:before'), 204);
  await rm(warcs, { recursive: true });
  await writeFile(warcs, 'no folder');
  assert.equal(await record(program, 'urn:after'), 503);
  assert.deepEqual(await program.ended, [3, null]);
  assert.match(program.stderr(), /a WARC file is gone, and what was in it is lost: /);
  await rm(dir, { recursive: true });
});

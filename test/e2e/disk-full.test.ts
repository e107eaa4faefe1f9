/**
 * The disk of the WARC files full while the real program works: what is in the files is right, and everybody is told why it ends.
 *
 * Source: docs/reliability.md.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { assertAcceptedByOthers } from '../interop/validators.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';

const CLIENTS = 12;
const RECORD_CLIENTS = 2;
const STUCK_CLIENTS = 5;
const REASON = /^nothing can be archived any more: ENOSPC: no space left on device, \w+\n$/;

/** Every second one is the payload of an earlier exchange; gzip makes none of them small. */
function bodyOf(number: number): string {
  const key = number % 2 === 1 ? number : Math.floor(number / 2) | 1;
  return createHash('shake256', { outputLength: 100 + ((key * 37) % 6000) })
    .update(String(key))
    .digest('base64');
}

for (const kind of ['plain', 'gzip'] as const) {
  test(
    `a full disk: whole files, the reason told to all clients and logged once, exit code 3 (${kind})`,
    { skip: noSmallDisk, timeout: 60_000 },
    async (t) => {
      using disk = makeSmallDisk(2);
      const dir = await mkdtemp(join(tmpdir(), 'warctap-full-'));
      t.after(() => rm(dir, { recursive: true, force: true }));
      await using origin = await startOrigin(({ path, socket }) => {
        if (!path.startsWith('/stuck')) socket.write(ok(bodyOf(Number(path.slice(path.lastIndexOf('-') + 1)))));
      });
      const args = ['--dir', disk.dir, '--min-free-space', '0', '--size', '400000', ...(kind === 'gzip' ? ['--gzip'] : [])];
      // One of the clients is always waiting for its turn.
      const maxThreads = ['--max-threads', String(STUCK_CLIENTS + CLIENTS - 1)];
      await using program = await startProgram(dir, [...args, ...maxThreads]);

      const refused: string[] = [];
      let cut = 0;
      /** @returns false when the client was refused or cut off */
      const ask = async (client: RawClient, request: string): Promise<boolean> => {
        client.send(request);
        const answer = await client.response().catch(() => undefined);
        if (answer === undefined) cut += 1;
        else if (answer.status === 503) refused.push(answer.body.toString());
        else return true;
        return false;
      };
      const stuck = Array.from({ length: STUCK_CLIENTS }, async (_, index) => {
        using client = await RawClient.connect(program.port);
        assert.equal(await ask(client, get(`${origin.url}/stuck-${index}`)), false);
      });
      await origin.requested(STUCK_CLIENTS);
      let number = 0;
      const load = Array.from({ length: CLIENTS }, async () => {
        using client = await RawClient.connect(program.port);
        const answered: string[] = [];
        for (;;) {
          const url = `${origin.url}/load-${(number += 1)}`;
          if (!(await ask(client, get(url)))) return answered;
          answered.push(url);
        }
      });
      const records = Array.from({ length: RECORD_CLIENTS }, async (_, index) => {
        using client = await RawClient.connect(program.port);
        const written: string[] = [];
        for (let count = 0; ; count += 1) {
          const url = `urn:test:${index}-${count}`;
          const head = `WARCPROX_WRITE_RECORD ${url} HTTP/1.1\r\nWARC-Type: resource\r\nContent-Type: text/plain\r\n`;
          if (!(await ask(client, `${head}Content-Length: ${url.length}\r\n\r\n${url}`))) return written;
          written.push(url);
        }
      });

      assert.deepEqual(await program.ended, [3, null], program.stderr());
      const [answered, written] = await Promise.all([Promise.all(load), Promise.all(records), Promise.all(stuck)]);
      assert.equal(refused.length + cut, CLIENTS + RECORD_CLIENTS + STUCK_CLIENTS);
      // Those whose origin had not answered could be told, and were.
      assert.ok(refused.length >= STUCK_CLIENTS, String(refused.length));
      const waited = 'record not written: the archive cannot be written any more\n';
      assert.deepEqual(
        refused.filter((line) => !REASON.test(line) && line !== waited),
        [],
      );
      const errors = program.log().filter(({ level }) => level === 'error');
      assert.deepEqual(
        errors.map(({ msg }) => msg.includes('ENOSPC: no space left on device')),
        [true],
        program.stderr(),
      );

      const files = (await readdir(disk.dir)).sort().map((name) => join(disk.dir, name));
      assert.deepEqual(
        files.filter((file) => !/\.warc(\.gz)?$/.test(file)),
        [],
      );
      const archived = new Set<string>();
      const types = new Set<string>();
      for (const { type, url, block } of await readFolder(disk.dir)) {
        types.add(type);
        archived.add(url);
        const path = url.slice(url.lastIndexOf('/'));
        if (type === 'response') assert.equal(block.toString('latin1'), ok(bodyOf(Number(url.slice(url.lastIndexOf('-') + 1)))));
        else if (type === 'revisit') assert.equal(`${block.toString('latin1').split('\r\n')[0]}`, 'HTTP/1.1 200 OK');
        else if (type === 'request') assert.ok(block.toString('latin1').startsWith(`GET ${path} HTTP/1.1\r\n`));
        else assert.equal(block.toString(), url);
      }
      assert.deepEqual([...types].sort(), ['request', 'resource', 'response', 'revisit']);
      // What a client was told is written, is written; of what it was answered only the last may be missing.
      assert.deepEqual(
        written.flat().filter((url) => !archived.has(url)),
        [],
      );
      for (const urls of answered) {
        const missing = urls.findIndex((url) => !archived.has(url));
        if (missing !== -1)
          assert.deepEqual(
            urls.slice(missing).filter((url) => archived.has(url)),
            [],
          );
      }
      await assertWhole(files);
      assertAcceptedByOthers(t, files);

      // With room again it goes on where it was: nothing to repair, and what it knows of earlier payloads is in the files.
      disk.resize(8);
      await using again = await startProgram(dir, args);
      assert.doesNotMatch(again.stderr(), /of an earlier run|dropped/);
      using client = await RawClient.connect(again.port);
      for (let index = 1; index <= 50; index += 1) assert.ok(await ask(client, get(`${origin.url}/again-${index}`)));
      again.child.kill('SIGTERM');
      assert.deepEqual(await again.ended, [0, null]);
      await assertWhole((await readdir(disk.dir)).map((name) => join(disk.dir, name)));
      t.diagnostic(
        `${answered.flat().length} exchanges and ${written.flat().length} records, then ${refused.length} refused and ${cut} cut`,
      );
    },
  );
}

/** Structure, digests, and no revisit of what is in none of the files. */
async function assertWhole(files: readonly string[]): Promise<void> {
  const faults: string[] = [];
  await verifyFiles(files, {
    allowUnresolved: false,
    onFault: ({ file, offset, problem }) => faults.push(`${file} ${offset} ${problem}`),
  });
  assert.deepEqual(faults, []);
}

/**
 * Bodies without an end on a small disk, that of the WARC files and of temporary files: they end, the proxy lives, nothing whole is lost.
 *
 * Source: docs/reliability.md.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startProgram } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(MIB, 'endless ');
const DISK_MIB = 96;
const LEFT_MIB = 16;

const sockets = new Set<Socket>();
let download: Promise<unknown> | undefined;
/** `/endless` is answered without an end; what else is asked for, at once, whatever is still sent. */
const origin = createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  socket.on('data', (bytes) => {
    const head = bytes.toString('latin1');
    if (head.startsWith('GET /endless')) {
      download = new Promise((resolve) => socket.once('close', resolve));
      endless(socket, 'HTTP/1.1 200 OK\r\n\r\n');
    } else if (head.startsWith('GET ')) socket.write(ok('small'));
  });
});

before(async () => {
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
});
after(() => {
  for (const socket of sockets) socket.destroy();
  origin.close();
});

function url(path: string): string {
  return `http://127.0.0.1:${(origin.address() as AddressInfo).port}/${path}`;
}

/** Send for as long as the other side takes it. */
function endless(socket: Socket, head: string): void {
  socket.write(head, 'latin1');
  const more = () => {
    while (!socket.destroyed && socket.writable) if (!socket.write(PIECE)) return;
  };
  socket.on('drain', more);
  more();
}

for (const { what, args, largest } of [
  { what: 'the space left on the disk', args: ['--max-spool', '0'], largest: DISK_MIB - LEFT_MIB },
  { what: 'what temporary files may take', args: [], largest: DISK_MIB / 10 },
]) {
  test(
    `endless bodies end by ${what}: the largest first, everything whole is archived`,
    { skip: noSmallDisk, timeout: 60_000 },
    async () => {
      using disk = makeSmallDisk(DISK_MIB);
      const dir = await mkdtemp(join(tmpdir(), 'warctap-spool-space-'));
      const warcs = ['--dir', disk.dir, '--min-free-space', String(LEFT_MIB * MIB), '--finish-abandoned', 'always'];
      await using program = await startProgram(dir, [...warcs, ...args], { variables: { TMPDIR: disk.dir } });

      using leaving = await RawClient.connect(program.port);
      leaving.send(get(url('endless')));
      await leaving.head();
      leaving.socket.resetAndDestroy();

      const refusal = async (head: string) => {
        using client = await RawClient.connect(program.port);
        endless(client.socket, head);
        const { status, body } = await client.response();
        return `${status} ${body.toString()}`;
      };
      const length = `Content-Length: ${2 ** 40}\r\n\r\n`;
      const refusals = [
        refusal(`POST ${url('upload')} HTTP/1.1\r\nHost: a\r\n${length}`),
        refusal(`WARCPROX_WRITE_RECORD urn:endless HTTP/1.1\r\nWARC-Type: resource\r\nContent-Type: a/b\r\n${length}`),
      ];
      const answered: string[] = [];
      const ask = async (path: string) => {
        using client = await RawClient.connect(program.port);
        client.send(get(url(path)));
        const { status } = await client.response();
        assert.ok(status === 200 || status === 503, String(status));
        if (status === 200) answered.push(url(path));
      };
      for (let asked = 0, done = false; !done; asked++) {
        await ask(`small-${asked}`);
        done = await Promise.race([Promise.all(refusals).then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
      }
      for (const line of await Promise.all(refusals)) {
        assert.match(
          line,
          /^(413 .*larger than temporary files may be \(--max-spool\)|503 .*too little space is left for temporary files)\n$/,
        );
      }
      await download;
      program.child.kill('SIGTERM');
      assert.deepEqual(await program.ended, [0, null], program.stderr());

      const records = await readFolder(disk.dir);
      const [cut] = records.filter(({ type, url: of }) => type === 'response' && of === url('endless'));
      assert.equal(cut?.fields.get('warc-truncated'), 'length');
      assert.ok(cut.block.length > MIB && cut.block.length < largest * MIB * 1.1, String(cut.block.length));
      const archived = new Set(records.map(({ url: of }) => of));
      assert.deepEqual(
        answered.filter((of) => !archived.has(of)),
        [],
      );
      assert.ok(!archived.has('urn:endless') && !archived.has(url('upload')));
      const faults: string[] = [];
      const files = (await readdir(disk.dir)).filter((name) => name.includes('.warc')).map((name) => join(disk.dir, name));
      await verifyFiles(files, { allowUnresolved: false, onFault: ({ problem }) => faults.push(problem) });
      assert.deepEqual(faults, []);
      await rm(dir, { recursive: true, force: true });
    },
  );
}

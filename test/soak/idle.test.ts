/**
 * Thousands of clients that keep their connections after a request: each costs the proxy little, and can ask again.
 *
 * WARCTAP_IDLE_CONNECTIONS sets their number; a fifth of them are tunnels with TLS.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { start } from '../clients/support/program.ts';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { handles, rssBytes } from './watch.ts';

const CONNECTIONS = Number(process.env.WARCTAP_IDLE_CONNECTIONS ?? 5000);
const TUNNELS = Math.floor(CONNECTIONS / 5);
const HOSTS = 50;
const OPENED_AT_ONCE = 50;
const MAX_RSS_BYTES = 300_000_000;
/** The origin is in this process, too: of its connections some hundreds are kept. */
const HANDLES = CONNECTIONS + 1_000;

const limit = process.platform === 'linux' ? await openFilesLimit() : 0;
const skip =
  process.platform !== 'linux'
    ? 'reads memory from /proc'
    : limit < HANDLES && `${HANDLES} open files are needed, the limit (ulimit -n) is ${limit}`;

test(
  `${CONNECTIONS} idle connections, ${TUNNELS} of them with TLS, take less than ${MAX_RSS_BYTES / 1e6} MB`,
  { skip, timeout: 120_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'warctap-idle-'));
    const clients: RawClient[] = [];
    t.after(async () => {
      for (const client of clients.filter(Boolean)) client[Symbol.dispose]();
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    });
    await using plain = await startOrigin(({ path, socket }) => socket.write(ok(path)));
    await using tls = await startOrigin(({ path, socket }) => socket.write(ok(path)), { tls: true });
    const folders = ['--dir', join(dir, 'warcs'), '--certs-dir', join(dir, 'certs'), '--cacert', await testCaFile()];
    const databases = ['--dedup-db-file', join(dir, 'db'), '--stats-db-file', join(dir, 'db')];
    await using program = await start(
      ['--port', '0', '--allow-localhost', '--socket-timeout', '600', '--min-free-space', '0', ...folders, ...databases],
      dir,
    );
    const ca = await readFile(program.caFile, 'utf8');
    const before = rssBytes(program.pid);

    const ask = async (client: RawClient, index: number, path: string) => {
      const host = `h${index % HOSTS}.localhost:${tls.port}`;
      client.send(index < TUNNELS ? `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n` : get(`${plain.url}${path}`));
      assert.equal((await client.response()).body.toString(), path);
    };
    // The first ones are tunnels.
    let next = 0;
    const opening = async () => {
      while (next < CONNECTIONS) {
        const index = next++;
        const client = await (index < TUNNELS
          ? RawClient.tunnel(program.port, `h${index % HOSTS}.localhost:${tls.port}`, { ca })
          : RawClient.connect(program.port));
        clients[index] = client;
        await ask(client, index, `/${index}`);
      }
    };
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, opening));

    assert.ok(handles(program.pid).sockets >= CONNECTIONS, 'some were closed');
    const idle = rssBytes(program.pid);
    t.diagnostic(`memory: ${mb(before)} before, ${mb(idle)} with ${CONNECTIONS} idle connections`);
    for (let index = 0; index < CONNECTIONS; index += 25) await ask(clients[index]!, index, `/${index}/again`);
    const { code, stderr } = await program.stop();
    assert.equal(code, 0, stderr);
    assert.ok(idle < MAX_RSS_BYTES, mb(idle));
  },
);

async function openFilesLimit(): Promise<number> {
  return Number(/^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1]);
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

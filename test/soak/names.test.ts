/**
 * Many names, each once through CONNECT: certificates, look-ups and connections to origins must not make the proxy grow or stall.
 *
 * WARCTAP_NAMES sets their number. How long the event loop pauses is told and not judged: other processes of the machine count in.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testCaFile } from '../support/certificate.ts';
import { RawClient } from '../support/client.ts';
import { ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { readFolder } from '../support/proxy.ts';
import { Probe, rssBytes } from './watch.ts';

const NAMES = Number(process.env.WARCTAP_NAMES ?? 500);
const CLIENTS = 8;
const SAMPLES = 5;
/** With the TLS contexts of a thousand names and as many idle TLS connections to origins, which are all that is kept. */
const MAX_RSS_BYTES = 300_000_000;
/** From here on all caches are full. */
const WARM_NAMES = 4000;
const MAX_GROWTH = 1.15;

const skip = process.platform !== 'linux' && 'reads memory from /proc';

test(`${NAMES} names through CONNECT, each with its own certificate`, { skip, timeout: 60_000 + NAMES * 60 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-names-'));
  const child = fork(fileURLToPath(new URL('names-proxy.js', import.meta.url)), [dir, await testCaFile()], { execArgv: [] });
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  t.after(async () => {
    if (child.connected) child.disconnect();
    await exited;
    process.removeListener('exit', orphaned);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  });
  const gone = exited.then(([code, signal]) => Promise.reject(new Error(`the proxy ended with ${code ?? signal}`)));
  const [{ port, ca }] = (await Promise.race([once(child, 'message'), gone])) as [{ port: number; ca: string }];
  gone.catch(() => undefined);
  const probe = new Probe(join(dir, 'probe.jsonl'));
  await using origin = await startOrigin(({ bytes, socket }) => socket.write(ok(/^host: *(.*)\r$/im.exec(bytes.toString())?.[1] ?? '')), {
    tls: true,
  });

  const samples: { readonly names: number; readonly rss: number }[] = [];
  let next = 0;
  for (let part = 1; part <= SAMPLES; part++) {
    const end = Math.floor((NAMES * part) / SAMPLES);
    const visiting = async () => {
      while (next < end) {
        const authority = `www.site${next++}.test:${origin.port}`;
        using client = await RawClient.tunnel(port, authority, { ca });
        client.send(`GET / HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
        assert.equal((await client.response()).body.toString(), authority);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, visiting));
    const rss = rssBytes(child.pid ?? 0);
    samples.push({ names: end, rss });
    const { pauseMs, busyMs } = probe.read();
    t.diagnostic(`${end} names: ${mb(rss)}, longest pause of the event loop ${pauseMs.toFixed(1)} ms (busy ${busyMs.toFixed(1)} ms)`);
  }
  child.disconnect();
  const [code] = await exited;
  assert.equal(code, 0);

  const urls = (await readFolder(join(dir, 'warcs'))).flatMap(({ type, url }) => (type === 'response' ? [url] : []));
  const expected = Array.from({ length: NAMES }, (_, index) => `https://www.site${index}.test:${origin.port}/`);
  assert.deepEqual(urls.sort(), expected.sort());
  const last = samples.at(-1)!;
  assert.ok(last.rss < MAX_RSS_BYTES, mb(last.rss));
  const warm = samples.find(({ names }) => names >= WARM_NAMES);
  if (warm !== undefined) assert.ok(last.rss < MAX_GROWTH * warm.rss, `${mb(warm.rss)}, then ${mb(last.rss)}`);
});

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

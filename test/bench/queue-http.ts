/**
 * URLs loaded, handed out and reported in a second over HTTP, by one caller and by eight.
 *
 *   npm run build && node --import tsx test/bench/queue-http.ts [URLS]
 *
 * The manager is a process of its own. Callers fetch nothing: each takes a hundred URLs, reports them in one array, and takes the next.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ADMIN = 'admin:for-this-measurement';
const AT_ONCE = 100;
const URLS_OF_A_HOST = 100;
const LAUNCHER = fileURLToPath(new URL('../../bin/warctap.js', import.meta.url));

async function measure(urls: number, callers: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-queue-http-'));
  const manager = spawn(process.execPath, [LAUNCHER, 'queue', 'serve', '-p', '0', '-q', '--db', join(folder, 'db')], {
    env: { PATH: process.env.PATH, HEROSHI_ADMIN_KEY: ADMIN },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let base = '';
    for await (const line of createInterface(manager.stdout)) {
      base = /listens on (\S+)/.exec(line)?.[1] ?? '';
      if (base !== '') break;
    }
    const call = async (path: string, method: string, body: string): Promise<unknown> => {
      const response = await fetch(`${base}${path}`, {
        method,
        body,
        headers: { 'X-Heroshi-Auth': ADMIN, 'Content-Type': 'application/json' },
      });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    };
    const hosts = Math.ceil(urls / URLS_OF_A_HOST);
    const list = Array.from({ length: urls }, (_, number) => `http://host-${number % hosts}.example/page/${number}`);
    const loading = performance.now();
    for (let at = 0; at < urls; at += 10_000) await call('/temp-new-links', 'POST', JSON.stringify(list.slice(at, at + 10_000)));
    const loaded = performance.now() - loading;
    const working = performance.now();
    const work = async () => {
      for (;;) {
        const items = (await call('/crawl-queue', 'POST', JSON.stringify({ limit: AT_ONCE }))) as { url: string }[];
        if (items.length === 0) return;
        const reports = items.map(({ url }) => ({ url, status_code: 200, result: 'OK', headers: { ETag: '"1"' }, content_length: 1024 }));
        await call('/report', 'PUT', JSON.stringify(reports));
      }
    };
    await Promise.all(Array.from({ length: callers }, work));
    const worked = performance.now() - working;
    const rate = (ms: number) => Math.round(urls / (ms / 1000)).toLocaleString('en');
    return `| ${callers} | ${rate(loaded)} | ${rate(worked)} |`;
  } finally {
    manager.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

const urls = Number(process.argv[2] ?? 200_000);
console.log('| callers | loaded a second | handed out and reported a second |');
console.log('| ------- | --------------- | -------------------------------- |');
for (const callers of [1, 8]) console.log(await measure(urls, callers));

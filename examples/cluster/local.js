/**
 * What compose.yaml describes, on one machine and without containers: a Valkey (or Redis), two proxies that share it, and an origin.
 *
 *   node examples/cluster/local.js
 *
 * Asks for the same page through both, kills the server of the store and asks again, brings it back, and prints what each proxy has written.
 * Leaves nothing behind.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { createProxy } from '../../dist/index.js';

const program = ['valkey-server', 'redis-server'].find((name) => spawnSync(name, ['--version']).status === 0);
if (program === undefined) {
  console.log('there is no valkey-server or redis-server here');
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'warctap-cluster-'));
const socket = join(folder, 'store');
let server = await startStore();
const origin = createServer(({ url }, response) => response.end(`the page ${url}, the same for all\n`)).listen(0, '127.0.0.1');
await once(origin, 'listening');
const site = `http://127.0.0.1:${origin.address().port}`;
const proxies = [];
for (const name of ['one', 'two']) {
  const dir = join(folder, name);
  const proxy = await createProxy({
    store: `unix://${socket}`,
    port: 0,
    dir: join(dir, 'warcs'),
    cacert: join(folder, 'ca.pem'),
    certsDir: join(dir, 'certs'),
    dedupDbFile: join(dir, 'db'),
    statsDbFile: join(dir, 'db'),
    minFreeSpace: 0,
    allowLocalhost: true,
  });
  proxies.push({ name, proxy });
}

for (const each of proxies) await ask(each, '/first');
await stopStore();
for (const each of proxies) await ask(each, '/without-the-store');
server = await startStore();
for (const each of proxies) await delivered(each);
for (const each of proxies) await ask(each, '/afterwards');

for (const { proxy } of proxies) await proxy.close();
await stopStore();
origin.close();
rmSync(folder, { recursive: true, force: true });

async function startStore() {
  const settings = ['--appendonly', 'yes', '--appendfsync', 'always', '--hash-max-listpack-value', '512'];
  const child = spawn(program, ['--port', '0', '--unixsocket', socket, '--save', '', ...settings], { cwd: folder });
  for await (const piece of child.stdout) if (String(piece).includes('eady to accept connections')) break;
  return child;
}

async function stopStore() {
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
}

/** Until the store is in use again, and has what waited for it. */
async function delivered({ proxy }) {
  for (;;) {
    const { databases } = await (await fetch(`${proxy.url}/status`)).json();
    if (databases.every((each) => each.problem === null && each.entries_waiting === 0)) return;
    await pass(50);
  }
}

/** Fetch it through a proxy, and print what became of it. */
async function ask({ name, proxy }, path) {
  const written = new Promise((resolve) => {
    proxy.on('capture', function look(capture) {
      if (!capture.url.endsWith(path)) return;
      proxy.off('capture', look);
      resolve(capture.outcome.records?.[0]?.type ?? 'nothing');
    });
  });
  const asked = request({ host: '127.0.0.1', port: proxy.port, path: `${site}${path}` }).end();
  const [answer] = await once(asked, 'response');
  await once(answer.resume(), 'end');
  console.log(`${name.padEnd(4)} ${path.padEnd(20)} ${String(answer.statusCode)} ${await written}`);
}

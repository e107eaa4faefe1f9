/**
 * The proxy inside of a program: start it, hear of each capture, stop it.
 *
 *   node examples/library.js
 *
 * Where the language has it (TypeScript, Node 24), `await using proxy = await createProxy({ … })` closes the proxy at the end of the
 * block, and no `finally` is needed.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProxy } from 'warctap';

const folder = await mkdtemp(join(tmpdir(), 'warctap-library-'));

// The options of the command line, in camelCase. Nothing is read from the environment, and nothing is logged unless a `log` is given.
const proxy = await createProxy({
  port: 0,
  dir: join(folder, 'warcs'),
  cacert: join(folder, 'ca.pem'),
  certsDir: join(folder, 'certs'),
  dedupDbFile: join(folder, 'warctap.db'),
  statsDbFile: join(folder, 'warctap.db'),
  allowLocalhost: true,
});

// Told of each capture once it is in the WARC file. Its bytes are let go of afterwards.
proxy.on('capture', (capture) => {
  if (capture.kind === 'exchange') {
    const [principal] = capture.outcome.records ?? [];
    console.log(`${capture.method} ${capture.url} ${capture.response.status}, ${capture.response.payloadDigest}`);
    console.log(`  ${principal.type} record of ${principal.length} bytes at ${principal.offset} in ${principal.filename}`);
  } else if (capture.kind === 'failure') {
    console.log(`${capture.method} ${capture.url} failed: ${capture.error.message}`);
  }
});

// The disk is full, for example: requests are refused from now on.
proxy.on('fatal', (error) => console.error(`nothing more can be archived: ${error.message}`));

const site = http.createServer((request, response) => response.end(`You asked for ${request.url}\n`)).listen(0, '127.0.0.1');
await once(site, 'listening');

try {
  // Any client that can use a proxy will do; this one asks for the whole URL.
  const path = `http://localhost:${site.address().port}/page?n=1`;
  const [response] = await once(http.get({ host: proxy.address, port: proxy.port, path }), 'response');
  for await (const piece of response) process.stdout.write(piece);
} finally {
  await proxy.close();
  site.closeAllConnections();
  site.close();
  await rm(folder, { recursive: true });
}

/**
 * A core without a proxy: URLs are fetched into WARC files by this very process.
 *
 *   node examples/fetch.js
 *
 * What is fetched goes the same road as the requests of a proxy's clients: limits and blocks of `meta`, deduplication, statistics, crawl log.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCore } from 'warctap';

const folder = await mkdtemp(join(tmpdir(), 'warctap-fetch-'));
const site = http
  .createServer((request, response) => {
    response.writeHead(request.url === '/gone' ? 404 : 200, { 'content-type': 'text/html' });
    response.end('<title>A page</title><p>'.padEnd(300, 'The same text each time. '));
  })
  .listen(0, '127.0.0.1');
await once(site, 'listening');
const home = `http://localhost:${site.address().port}`;

// The options of the proxy, without those of its clients.
const core = await createCore({
  dir: join(folder, 'warcs'),
  dedupDbFile: join(folder, 'warctap.db'),
  statsDbFile: join(folder, 'warctap.db'),
  gzip: true,
  allowLocalhost: true,
});

try {
  for (const path of ['/', '/copy', '/gone']) {
    const response = await core.fetch(`${home}${path}`, { meta: { 'warc-prefix': 'EXAMPLE' } });
    // The body holds the origin back until it is read.
    const body = await response.bytes();
    console.log(`${response.status} ${response.url}: ${body.length} bytes of ${response.header('content-type')}`);
    // Settled once the records are in their file.
    const { records = [] } = await response.archived;
    for (const { type, path: file, offset } of records) console.log(`  ${type} at byte ${offset} of ${file}`);
  }
  // What limits and blocks keep back is told by an error, and nothing of it reaches the site or the archive.
  await core.fetch(home, { meta: { blocks: [{ domain: 'localhost' }] } }).catch((error) => console.log(`${error.code} ${error.status}`));
} finally {
  await core.close();
  site.closeAllConnections();
  site.close();
  await rm(folder, { recursive: true });
}

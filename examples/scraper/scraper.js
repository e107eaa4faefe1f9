/**
 * A scraper that crawls a site through the proxy, so that every page is in a WARC file, and reports what it found through the helper.
 *
 *   node examples/scraper/scraper.js
 *
 * Site and RT-CV server are made here, for the example's sake; a real one names them in its credentials.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createProxy } from 'warctap';

const folder = await mkdtemp(join(tmpdir(), 'warctap-scraper-'));
const site = await serve((request, response) => {
  const [, person] = /^\/people\/(\w+)$/.exec(request.url) ?? [];
  response.setHeader('content-type', 'text/html');
  response.end(person ? `<h1>${person}</h1>` : '<a href="/people/ada">Ada</a> <a href="/people/grace">Grace</a>');
});
const rtcv = await serve(async (request, response) => {
  const answers = {
    '/api/v1/health': { status: true },
    '/api/v1/auth/keyinfo': { roles: [{ role: 1 }] },
    '/api/v1/scraper/scannedReferenceNrs/since/days/30': ['grace'],
  };
  if (request.url === '/api/v1/scraper/scanCV') console.log(`RT-CV got ${await text(request)}`);
  response.end(JSON.stringify(answers[request.url] ?? { hasMatches: true }));
});
const proxy = await createProxy({
  port: 0,
  dir: join(folder, 'warcs'),
  cacert: join(folder, 'ca.pem'),
  certsDir: join(folder, 'certs'),
  dedupDbFile: false,
  statsDbFile: false,
  allowLocalhost: true,
});

// The helper: a line of JSON in, a line of JSON out.
const helper = spawn(process.execPath, [fileURLToPath(new URL('../../bin/rtcv_scraper_client.js', import.meta.url))], {
  cwd: folder,
  stdio: ['pipe', 'pipe', 'inherit'],
});
const lines = createInterface({ input: helper.stdout })[Symbol.asyncIterator]();
await lines.next(); // it is ready
async function ask(type, content) {
  helper.stdin.write(`${JSON.stringify({ type, content })}\n`);
  const answer = JSON.parse((await lines.next()).value);
  if (answer.type === 'error') throw new Error(answer.content);
  return answer.content;
}

try {
  await ask('set_credentials', { server_location: rtcv.url, api_key_id: '1'.repeat(24), api_key: 'ddd' });
  const list = await get(`${site.url}/people`);
  for (const [, path, referenceNumber] of list.matchAll(/href="(\/people\/(\w+))"/g)) {
    if (await ask('has_cached_reference', referenceNumber)) {
      console.log(`${referenceNumber}: known`);
      continue;
    }
    const [, name] = /<h1>(.*)<\/h1>/.exec(await get(site.url + path));
    console.log(`${referenceNumber}: ${(await ask('send_cv', { referenceNumber, name })) ? 'matched' : 'no match'}`);
  }
} finally {
  helper.stdin.end();
  await once(helper, 'close');
  await proxy.close();
  for (const { server } of [site, rtcv]) server.close();
  await rm(folder, { recursive: true });
}

/** A page, by way of the proxy. */
async function get(url) {
  const { hostname, port } = new URL(proxy.url);
  const request = http.get({ host: hostname, port, path: url, headers: { host: new URL(url).host }, agent: false });
  const [response] = await once(request, 'response');
  return text(response);
}

async function serve(answer) {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

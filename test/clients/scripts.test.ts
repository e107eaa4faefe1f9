/**
 * Python and Node through the program, set up as the README says.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { startOrigin } from '../support/origin.ts';
import { findTool, tool } from '../support/tools.ts';
import { assertArchived } from './support/archived.ts';
import { start, Workplace } from './support/program.ts';
import { testReaders } from './support/readers.ts';
import { run } from './support/run.ts';

const BODY = 'said to a script\n';
const ANSWER = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);

const URLLIB = `
import sys, urllib.request
for url in sys.argv[1:]:
    sys.stdout.write(urllib.request.urlopen(url, timeout=30).read().decode())
`;

const REQUESTS = `
import requests, sys
for url in sys.argv[1:]:
    sys.stdout.write(requests.get(url, timeout=30).text)
`;

/** As brozzler writes its screenshots and the metadata of videos. */
const WRITE_RECORD = `
import sys, urllib.request
proxy, meta, *urls = sys.argv[1:]
for url in urls:
    headers = {'Host': 'N/A', 'WARC-Type': 'resource', 'Content-Type': 'image/jpeg', 'Warcprox-Meta': meta}
    request = urllib.request.Request(url, method='WARCPROX_WRITE_RECORD', data=b'picture', headers=headers)
    request.type = 'http'
    request.set_proxy(proxy, 'http')
    print(urllib.request.urlopen(request, timeout=30).status)
`;

const NODE = `
import { request } from 'node:http';
import { get } from 'node:https';
const [proxy, url] = process.argv.slice(1).map((text) => new URL(text));
request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: url.host }).on('connect', (answer, socket) => {
  get(url, { socket, agent: false }, (response) => response.pipe(process.stdout));
}).end();
`;

const place = new Workplace();

const CLIENTS = [
  { name: "Python's urllib", script: URLLIB, authority: 'SSL_CERT_FILE', python: tool('python3') },
  {
    name: "Python's requests",
    script: REQUESTS,
    authority: 'REQUESTS_CA_BUNDLE',
    python: findTool({
      commands: ['python3'],
      ask: ['-c', 'import requests; print("requests", requests.__version__)'],
      says: /^requests \d/m,
      needs: 'a python3 on PATH that has requests',
    }),
  },
];

for (const { name, script, authority, python } of CLIENTS) {
  test(`${name} over HTTP and HTTPS`, { skip: python.skip }, async () => {
    await using plain = await startOrigin(({ socket }) => socket.write(ANSWER));
    await using secure = await startOrigin(({ socket }) => socket.write(ANSWER), { tls: true });
    await using program = await place.start();
    const urls = [`${plain.url}/a`, `${secure.url}/b`];
    const env = { HTTP_PROXY: program.url, HTTPS_PROXY: program.url, [authority]: program.caFile };
    const { code, stdout, stderr } = await run(python.command, ['-c', script, ...urls], { env });
    assert.equal(code, 0, stderr);
    assert.equal(stdout.toString(), BODY + BODY);
    assertArchived(
      await program.records(),
      [plain, secure].map((origin, i) => ({ url: urls[i]!, response: ANSWER, request: origin.requests[0]!.bytes })),
    );
  });
}

test("Python's urllib with user, password and fragment in the URL", { skip: CLIENTS[0]!.python.skip }, async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ANSWER));
  await using program = await place.start();
  const written = `${origin.url.replace('//', '//user:secret@')}?q#fragment`;
  const { code, stdout, stderr } = await run('python3', ['-c', URLLIB, written], { env: { HTTP_PROXY: program.url } });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString(), BODY);
  const request = origin.requests[0]!.bytes;
  assert.match(request.toString(), new RegExp(`^GET /\\?q HTTP/1\\.1\\r\\n[^]*Host: 127\\.0\\.0\\.1:${origin.port}\\r\\n`));
  assert.doesNotMatch(request.toString(), /user|secret|Authorization|fragment/);
  assertArchived(await program.records(), [{ url: `${origin.url}/?q`, response: ANSWER, request }]);
});

test("records of pages with quotes in their query, written by Python's urllib", { skip: CLIENTS[0]!.python.skip }, async () => {
  await using program = await place.start();
  const { host } = new URL(program.url);
  const write = (meta: string, ...urls: string[]) => run('python3', ['-c', WRITE_RECORD, host, meta, ...urls]);
  const urls = ['screenshot:https://example.com/?q="exact"', 'thumbnail:https://example.com/<a>#b'];
  const written = await write('{"warc-prefix": null, "dedup-buckets": {"b": ""}}', ...urls);
  assert.equal(written.stdout.toString(), '204\n204\n', written.stderr);
  const rejected = await write('{"mime-type-filters": [{"type": "REJECT", "regex": "image/"}]}', 'screenshot:x');
  assert.equal(rejected.stdout.toString(), '204\n', rejected.stderr);
  assert.deepEqual(
    (await program.records()).map(({ type, url, block }) => `${type} ${url} ${block.toString()}`),
    ['resource screenshot:https://example.com/?q=%22exact%22 picture', 'resource thumbnail:https://example.com/%3Ca%3E#b picture'],
  );
});

test("Node's https with NODE_EXTRA_CA_CERTS", async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ANSWER), { tls: true });
  await using program = await place.start();
  const env = { NODE_EXTRA_CA_CERTS: program.caFile };
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', NODE, '--', program.url, `${origin.url}/n`], {
    env,
  });
  assert.equal(stdout.toString(), BODY, stderr);
  assertArchived(await program.records(), [{ url: `${origin.url}/n`, response: ANSWER, request: origin.requests[0]!.bytes }]);
});

test('without options: authority and WARC folder come to be in the current folder, and loopback is refused', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ANSWER));
  await using program = await start(['--port', '0'], place.dir);
  assert.equal(program.caFile, join(place.dir, 'certs', `${hostname()}-warcprox-ca.pem`));
  assert.equal(program.warcDir, join(place.dir, 'warcs'));
  assert.match(readFileSync(program.caFile, 'utf8'), /BEGIN CERTIFICATE/);
  using client = await RawClient.connect(program.port);
  client.send(`GET ${origin.url}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  assert.equal((await client.response()).status, 400);
  assert.equal((await program.stop()).code, 0);
  assert.equal(origin.connections, 0);
});

testReaders(place);

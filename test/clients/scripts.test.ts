/**
 * Python, Node, wget, Go and PHP through the program, set up as docs/clients.md says.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { startOrigin } from '../support/origin.ts';
import { findTool, tool, type Tool } from '../support/tools.ts';
import { assertArchived } from './support/archived.ts';
import { start, Workplace, type Program } from './support/program.ts';
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

const AIOHTTP = `
import aiohttp, asyncio, sys
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        for url in sys.argv[1:]:
            async with session.get(url) as answer:
                sys.stdout.write(await answer.text())
asyncio.run(main())
`;

const GO = `package main

import ("io"; "net/http"; "os")

func main() {
	for _, url := range os.Args[1:] {
		answer, err := http.Get(url)
		if err != nil { panic(err) }
		io.Copy(os.Stdout, answer.Body)
	}
}
`;

const PHP = `
[, $proxy, $authority] = $argv;
$context = stream_context_create([
    'http' => ['proxy' => $proxy, 'request_fulluri' => true],
    'ssl' => ['cafile' => $authority],
]);
foreach (array_slice($argv, 3) as $url) echo file_get_contents($url, false, $context);
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

interface Client {
  readonly name: string;
  readonly tool: Tool;
  /** a host of this machine, where the client goes past every proxy for `127.0.0.1` */
  readonly host?: string;
  readonly args: (program: Program, urls: readonly string[]) => readonly string[];
  readonly env: (program: Program) => Readonly<Record<string, string>>;
}

const proxies = ({ url }: Program) => ({ HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url });
const trusting = (program: Program) => ({ ...proxies(program), SSL_CERT_FILE: program.caFile });

/** The packages of Python that test/clients/install.sh installs. */
const PYTHON = process.env.WARCTAP_CLIENTS_PYTHON ?? join(import.meta.dirname, '../../tmp/clients/venv/bin/python');

function python(module: string): Tool {
  return findTool({
    commands: ['python3', PYTHON],
    ask: ['-c', `import ${module}; print("has", "${module}")`],
    says: new RegExp(`^has ${module}$`, 'm'),
    needs: `a python3 that has ${module}`,
  });
}

const CLIENTS: readonly Client[] = [
  { name: "Python's urllib", tool: tool('python3'), args: (_, urls) => ['-c', URLLIB, ...urls], env: trusting },
  {
    name: "Python's requests",
    tool: python('requests'),
    args: (_, urls) => ['-c', REQUESTS, ...urls],
    env: (program) => ({ ...proxies(program), REQUESTS_CA_BUNDLE: program.caFile }),
  },
  { name: "Python's aiohttp", tool: python('aiohttp'), args: (_, urls) => ['-c', AIOHTTP, ...urls], env: trusting },
  {
    name: 'wget',
    tool: findTool({ commands: ['wget'], ask: ['--version'], says: /^GNU Wget \d/m }),
    args: ({ caFile }, urls) => ['--quiet', '--output-document=-', `--ca-certificate=${caFile}`, ...urls],
    env: proxies,
  },
  {
    name: 'Go',
    tool: findTool({ commands: ['go'], ask: ['version'], says: /^go version go\d/m }),
    host: 'go.localhost',
    args: (_, urls) => ['run', goProgram(), ...urls],
    env: trusting,
  },
  {
    name: 'PHP',
    tool: findTool({ commands: ['php'], ask: ['-r', 'echo PHP_SAPI, " ", extension_loaded("openssl");'], says: /^cli 1$/m }),
    args: ({ port, caFile }, urls) => ['-r', PHP, '--', `tcp://127.0.0.1:${port}`, caFile, ...urls],
    env: () => ({}),
  },
];

for (const { name, tool, host = '127.0.0.1', args, env } of CLIENTS) {
  test(`${name} over HTTP and HTTPS`, { skip: tool.skip }, async () => {
    await using plain = await startOrigin(({ socket }) => socket.write(ANSWER));
    await using secure = await startOrigin(({ socket }) => socket.write(ANSWER), { tls: true });
    await using program = await place.start();
    const urls = [`http://${host}:${plain.port}/a`, `https://${host}:${secure.port}/b`];
    const { code, stdout, stderr } = await run(tool.command, args(program, urls), { env: env(program) });
    assert.equal(code, 0, stderr);
    assert.equal(stdout.toString(), BODY + BODY);
    assertArchived(
      await program.records(),
      [plain, secure].map((origin, i) => ({ url: urls[i]!, response: ANSWER, request: origin.requests[0]!.bytes })),
    );
  });
}

test("Python's urllib with user, password and fragment in the URL", { skip: CLIENTS[0]!.tool.skip }, async () => {
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

test("records of pages with quotes in their query, written by Python's urllib", { skip: CLIENTS[0]!.tool.skip }, async () => {
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

function goProgram(): string {
  const file = join(place.dir, 'get.go');
  writeFileSync(file, GO);
  return file;
}

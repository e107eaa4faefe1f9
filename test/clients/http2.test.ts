/** Other people's clients and origins of HTTP/2 through the proxy: curl, nghttp, h2load, Chromium, Java, Go, Python; nginx. */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { testCertificate } from '../support/certificate.ts';
import { http2Client, startHttp2Origin } from '../support/http2.ts';
import { startProxy } from '../support/proxy.ts';
import { browserTool, findTool, tool, type Tool } from '../support/tools.ts';

const run = promisify(execFile);
const curl = tool('curl');
const nghttp = findTool({ commands: ['nghttp'], ask: ['--version'], says: /^nghttp nghttp2\// });
const h2load = findTool({ commands: ['h2load'], ask: ['--version'], says: /^h2load nghttp2\// });
const browser = browserTool();
const nginx = findTool({ commands: ['nginx', '/usr/sbin/nginx'], ask: ['-V'], says: /--with-http_v2_module/, needs: 'nginx with HTTP/2' });
const java = tool('java');
/** The packages of Python that test/clients/install.sh installs. */
const PYTHON = process.env.WARCTAP_CLIENTS_PYTHON ?? join(import.meta.dirname, '../../tmp/clients/venv/bin/python');
const RESOURCES = 100;

/** Whoever connects to it is in a tunnel through the proxy, for clients that know none. */
async function tunnelPort(proxyPort: number, authority: string): Promise<Server & AsyncDisposable> {
  const server = createServer((client) => {
    const proxy = connect(proxyPort, '127.0.0.1', () => proxy.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`));
    for (const [one, other] of [
      [client, proxy],
      [proxy, client],
    ] as const)
      one.on('error', () => undefined).on('close', () => other.destroy());
    // Nothing comes behind the answer to CONNECT before the client has spoken.
    proxy.once('data', () => client.pipe(proxy).pipe(client));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when something listens there. */
async function reachable(port: number, by: ChildProcess): Promise<void> {
  while (by.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
  }
  throw new Error(`it has ended with ${by.exitCode}`);
}

const startSmall = () =>
  startHttp2Origin((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end('x'.repeat(1000));
  });

test('curl --http2', { skip: curl.skip }, async () => {
  await using origin = await startSmall();
  await using proxy = await startProxy();
  const dir = await mkdtemp(join(tmpdir(), 'warctap-test-'));
  const ca = join(dir, 'ca.pem');
  await writeFile(ca, proxy.ca);
  const asked = ['-sS', '--http2', '--cacert', ca, '-x', `http://127.0.0.1:${proxy.port}`, '-o', join(dir, 'out')];
  const { stdout } = await run(curl.command, [...asked, '-w', '%{http_version} %{http_code} %{size_download}', `${origin.url}/curl`]);
  await rm(dir, { recursive: true });
  assert.equal(stdout, '2 200 1000');
  await proxy.captured(1);
  assert.equal(origin.asked.length, 1);
});

test('nghttp', { skip: nghttp.skip }, async () => {
  await using origin = await startSmall();
  await using proxy = await startProxy();
  await using tunnel = await tunnelPort(proxy.port, `127.0.0.1:${origin.port}`);
  const { port } = tunnel.address() as AddressInfo;
  const { stdout } = await run(nghttp.command, ['-v', '-n', '--no-verify-peer', `https://127.0.0.1:${port}/nghttp`]);
  assert.match(stdout, /:status: 200/);
});

test('h2load: 16 and 100 streams on one connection', { skip: h2load.skip }, async () => {
  await using origin = await startSmall();
  await using proxy = await startProxy();
  await using tunnel = await tunnelPort(proxy.port, `127.0.0.1:${origin.port}`);
  const { port } = tunnel.address() as AddressInfo;
  for (const streams of ['16', '100']) {
    const { stdout } = await run(h2load.command, ['-n', '300', '-c', '1', '-m', streams, `https://127.0.0.1:${port}/h2load`]);
    assert.match(stdout, /300 succeeded, 0 failed, 0 errored, 0 timeout/);
  }
  await proxy.captured(600);
});

test('nginx as the origin', { skip: nginx.skip }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-test-'));
  const { key, cert } = await testCertificate();
  await writeFile(join(dir, 'key.pem'), key);
  await writeFile(join(dir, 'cert.pem'), cert.slice(cert.indexOf('-----BEGIN CERTIFICATE-----')));
  await writeFile(join(dir, 'large.bin'), Buffer.alloc(1_000_000, 'n'));
  const port = await freePort();
  await writeFile(
    join(dir, 'nginx.conf'),
    `daemon off; master_process off; pid nginx.pid; error_log error.log; events {}
http { access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
server { listen 127.0.0.1:${port} ssl http2; ssl_certificate cert.pem; ssl_certificate_key key.pem; root .; } }`,
  );
  const running = spawn(nginx.command, ['-p', `${dir}/`, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'ignore' });
  try {
    await reachable(port, running);
    await using proxy = await startProxy();
    using client = await http2Client(proxy.port, `127.0.0.1:${port}`, proxy.ca);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/large.bin')));
    for (const { status, body } of answers) assert.deepEqual([status, body.length], [200, 1_000_000]);
    assert.equal((await client.get('/missing')).status, 404);
    await proxy.captured(21);
    const response = (await proxy.records()).find(({ type }) => type === 'response');
    assert.match(response?.fields.get('warc-protocol') ?? '', /h2/);
  } finally {
    running.kill();
    if (running.exitCode === null) await once(running, 'exit');
    await rm(dir, { recursive: true });
  }
});

const JAVA = `
import java.net.*; import java.net.http.*; import javax.net.ssl.*; import java.security.cert.X509Certificate;
class Ask { public static void main(String[] a) throws Exception {
  TrustManager all = new X509ExtendedTrustManager() {
    public void checkClientTrusted(X509Certificate[] c, String t) {} public void checkServerTrusted(X509Certificate[] c, String t) {}
    public void checkClientTrusted(X509Certificate[] c, String t, Socket s) {} public void checkServerTrusted(X509Certificate[] c, String t, Socket s) {}
    public void checkClientTrusted(X509Certificate[] c, String t, SSLEngine e) {} public void checkServerTrusted(X509Certificate[] c, String t, SSLEngine e) {}
    public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; } };
  SSLContext tls = SSLContext.getInstance("TLS"); tls.init(null, new TrustManager[] { all }, null);
  HttpClient client = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_2).proxy(ProxySelector.of(new InetSocketAddress("127.0.0.1", Integer.parseInt(a[0])))).build();
  HttpResponse<String> answer = client.send(HttpRequest.newBuilder(URI.create(a[1])).POST(HttpRequest.BodyPublishers.ofString("posted")).build(), HttpResponse.BodyHandlers.ofString());
  System.out.println(answer.version() + " " + answer.statusCode() + " " + answer.body().length());
} }`;

test("Java's HttpClient", { skip: java.skip }, async () => {
  await using origin = await startSmall();
  await using proxy = await startProxy();
  const dir = await mkdtemp(join(tmpdir(), 'warctap-test-'));
  await writeFile(join(dir, 'Ask.java'), JAVA);
  try {
    const { stdout } = await run(java.command, [join(dir, 'Ask.java'), String(proxy.port), `${origin.url}/java`]);
    assert.equal(stdout.trim(), 'HTTP_2 200 1000');
  } finally {
    await rm(dir, { recursive: true });
  }
});

const GO = `package main

import ("bytes"; "crypto/tls"; "crypto/x509"; "fmt"; "io"; "net/http"; "net/url"; "os")

func check(err error) { if err != nil { panic(err) } }

func main() {
	proxy, err := url.Parse(os.Args[1]); check(err)
	pem, err := os.ReadFile(os.Args[2]); check(err)
	roots := x509.NewCertPool(); roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(proxy), ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	ask := func(n int) string {
		answer, err := client.Post(fmt.Sprintf("%s/%d", os.Args[3], n), "text/plain", bytes.NewReader(make([]byte, 100000)))
		check(err)
		body, err := io.ReadAll(answer.Body); check(err)
		return fmt.Sprintf("%s %d %s %s", answer.Proto, answer.StatusCode, body, answer.Trailer.Get("X-Sum"))
	}
	fmt.Println(ask(0))
	told := make(chan string)
	for n := 1; n < 20; n++ { go func() { told <- ask(n) }() }
	for n := 1; n < 20; n++ { fmt.Println(<-told) }
}
`;

const HTTPX = `
import asyncio, httpx, ssl, sys
proxy, authority, url = sys.argv[1:]
async def main():
    trusted = ssl.create_default_context(cafile=authority)
    async with httpx.AsyncClient(http2=True, proxy=proxy, verify=trusted, trust_env=False) as client:
        async def ask(n):
            answer = await client.post(f'{url}/{n}', content=bytes(100000))
            print(answer.http_version, answer.status_code, answer.text)
        await ask(0)
        await asyncio.gather(*(ask(n) for n in range(1, 20)))
asyncio.run(main())
`;

/** Whoever uploads to it is told how much has come, and has a trailer behind it. */
const startCounting = () =>
  startHttp2Origin((stream) => {
    let received = 0;
    stream.on('data', (piece: Buffer) => (received += piece.length));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': String(received) }));
      stream.end(String(received));
    });
  });

interface Uploader {
  readonly name: string;
  readonly tool: Tool;
  /** the file that the program stands in, and how it is run */
  readonly file: string;
  readonly program: string;
  readonly args: (file: string) => readonly string[];
  /** what it prints of each of its 20 uploads */
  readonly says: string;
}

const UPLOADERS: readonly Uploader[] = [
  {
    name: "Go's net/http",
    tool: findTool({ commands: ['go'], ask: ['version'], says: /^go version go\d/m }),
    file: 'ask.go',
    program: GO,
    args: (file) => ['run', file],
    says: 'HTTP/2.0 200 100000 100000',
  },
  {
    name: "Python's httpx",
    tool: findTool({
      commands: ['python3', PYTHON],
      ask: ['-c', 'import httpx, h2; print("has", "both")'],
      says: /^has both$/m,
      needs: 'a python3 that has httpx[http2]',
    }),
    file: 'ask.py',
    program: HTTPX,
    args: (file) => [file],
    says: 'HTTP/2 200 100000',
  },
];

for (const { name, tool, file, program, args, says } of UPLOADERS) {
  test(`${name}: 20 uploads on one connection`, { skip: tool.skip }, async () => {
    await using origin = await startCounting();
    await using proxy = await startProxy();
    const dir = await mkdtemp(join(tmpdir(), 'warctap-test-'));
    try {
      await writeFile(join(dir, file), program);
      await writeFile(join(dir, 'ca.pem'), proxy.ca);
      // Both ask 127.0.0.1 past a proxy of the environment, but not past one that they are told.
      const told = [`http://127.0.0.1:${proxy.port}`, join(dir, 'ca.pem'), origin.url];
      const { stdout } = await run(tool.command, [...args(join(dir, file)), ...told]);
      assert.deepEqual(
        stdout.trim().split(/\r?\n/),
        Array.from({ length: 20 }, () => says),
      );
    } finally {
      await rm(dir, { recursive: true });
    }
    await proxy.captured(20);
    assert.equal(origin.sessions.length, 1);
    const records = await proxy.records();
    assert.equal(records.filter(({ type }) => type === 'metadata').length, 20);
    const requests = records.filter(({ type }) => type === 'request');
    assert.equal(requests.length, 20);
    for (const { block, fields } of requests) {
      assert.match(fields.get('warc-protocol') ?? '', /h2/);
      assert.ok(block.subarray(-100_000).equals(Buffer.alloc(100_000)));
    }
  });
}

test('Chromium: a page with 100 resources at once, an upload, an event stream, all by h2', { skip: browser.skip }, async () => {
  await using origin = await startHttp2Origin((stream, headers) => {
    const path = headers[':path'] ?? '';
    const answer = (type: string, body: string) => {
      stream.respond({ ':status': 200, 'content-type': type });
      stream.end(body);
    };
    if (path === '/') {
      stream.additionalHeaders({ ':status': 103, link: '</0.js>; rel=preload; as=script' });
      const scripts = Array.from({ length: RESOURCES }, (_, n) => `<script async src="/${n}.js"></script>`);
      return answer('text/html', `<!doctype html><script>loaded = 0</script>${scripts.join('')}`);
    }
    if (path === '/upload') {
      let received = 0;
      stream.on('data', (piece: Buffer) => (received += piece.length));
      stream.on('end', () => answer('text/plain', String(received)));
      return;
    }
    if (path === '/events') return answer('text/event-stream', 'data: first\n\ndata: second\n\n');
    answer('text/javascript', 'loaded++');
  });
  await using proxy = await startProxy();
  const running = await chromium.launch({
    executablePath: browser.command,
    proxy: { server: `http://127.0.0.1:${proxy.port}`, bypass: '<-loopback>' },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  try {
    const page = await (await running.newContext({ ignoreHTTPSErrors: true })).newPage();
    await page.goto(`${origin.url}/`);
    await page.waitForFunction(`loaded === ${RESOURCES}`);
    const protocols = await page.evaluate<string[]>(
      `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter(({ name }) => !name.endsWith('.ico')).map((each) => each.nextHopProtocol)`,
    );
    assert.equal(protocols.length, RESOURCES + 1);
    assert.deepEqual(new Set(protocols), new Set(['h2']));
    const size = 300_000;
    const upload = `fetch('/upload', { method: 'POST', body: new Uint8Array(${size}) }).then((answer) => answer.text())`;
    assert.equal(await page.evaluate(upload), String(size));
    const events = `new Promise((resolve) => {
      const told = [];
      const source = new EventSource('/events');
      source.onmessage = ({ data }) => told.push(data) === 2 && (source.close(), resolve(told));
    })`;
    assert.deepEqual(await page.evaluate(events), ['first', 'second']);
  } finally {
    await running.close();
  }
  for (const path of ['/', '/0.js', `/${RESOURCES - 1}.js`, '/upload', '/events']) await proxy.captureOf(origin.url + path);
  const responses = (await proxy.records()).filter(({ type }) => type === 'response' || type === 'revisit');
  assert.ok(responses.length >= RESOURCES + 3);
  assert.match(responses[0]?.fields.get('warc-protocol') ?? '', /h2/);
});

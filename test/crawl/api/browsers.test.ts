/** What browsers need: the page without log-in, JSON on the WebSocket, credentials as a subprotocol, and nobody else's page let in. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { hexOf } from '../../../src/crawl/ids.ts';
import { MemoryJobs } from '../support/memory-jobs.ts';
import { goodPolicy } from '../support/policies.ts';
import { crawlServer } from '../support/server.ts';

const AUTHORIZATION = `Basic ${Buffer.from('admin:a password').toString('base64')}`;
const OFFERED = ['starbelly.json', `basic.${Buffer.from('admin:a password').toString('base64url')}`];

/** @returns the status of a refusal, or 101 */
async function open(url: string, protocols: readonly string[], headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/`, [...protocols], { headers });
  const status = await new Promise<number>((resolve, reject) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (request, { statusCode }) => {
      request.destroy();
      resolve(statusCode ?? 0);
    });
    socket.once('error', reject);
  });
  if (status === 101) socket.terminate();
  return status;
}

/** fetch has the Host of its URL, always. */
async function get(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const asked = httpRequest(url, { headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.destroy();
  return response.statusCode;
}

interface Said {
  readonly response?: Readonly<Record<string, unknown>>;
  readonly event?: Readonly<Record<string, unknown>>;
}

async function jsonClient(url: string): Promise<{ ask: (request: object | string) => Promise<Said>; socket: WebSocket }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/`, [...OFFERED]);
  await once(socket, 'open');
  assert.equal(socket.protocol, 'starbelly.json');
  const ask = async (request: object | string) => {
    socket.send(typeof request === 'string' ? request : JSON.stringify(request));
    const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    assert.equal(isBinary, false);
    return JSON.parse(data.toString()) as Said;
  };
  return { ask, socket };
}

test('the files of the page are for everybody, under names of this machine only', async (t) => {
  const { program } = await crawlServer(t, undefined, { given: { pageHost: ['crawl.example'] } });
  for (const [path, type] of [
    ['/', 'text/html;charset=utf-8'],
    ['/page/main.js', 'text/javascript;charset=utf-8'],
    ['/web/page/show.js', 'text/javascript;charset=utf-8'],
    ['/web/page/base.css', 'text/css;charset=utf-8'],
    ['/page/style.css', 'text/css;charset=utf-8'],
    ['/page/icon.svg', 'image/svg+xml'],
  ] as const) {
    const response = await fetch(`${program.url}${path}`);
    assert.equal(response.status, 200, path);
    assert.equal(response.headers.get('content-type'), type);
    assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self'; /);
    assert.doesNotMatch(response.headers.get('content-security-policy') ?? '', /unsafe|\*|http/);
    await response.arrayBuffer();
  }
  for (const [host, status] of [
    ['evil.example', 421],
    ['crawl.example', 200],
    ['localhost:80', 200],
  ] as const)
    assert.equal(await get(program.url, { host }), status, host);
  for (const path of ['/page/', '/page/../main.js', '/page/none.js', '/log-in', '/jobs/x'])
    assert.equal(await get(`${program.url}${path}`), 401, path);
});

test('credentials of a WebSocket may be one of its subprotocols', async (t) => {
  const { program } = await crawlServer(t);
  assert.equal(await open(program.url, OFFERED), 101);
  assert.equal(await open(program.url, ['starbelly.json']), 401);
  for (const wrong of ['basic.', 'basic.YWRtaW46d3Jvbmc', `BASIC.${OFFERED[1]!.slice(6)}`])
    assert.equal(await open(program.url, ['starbelly.json', wrong]), 401, wrong);
  // What is in Authorization counts.
  assert.equal(await open(program.url, OFFERED, { authorization: 'Basic YWRtaW46d3Jvbmc=' }), 401);
});

test('a page of somebody else opens no WebSocket, even with good credentials', async (t) => {
  const { program } = await crawlServer(t, undefined, { given: { pageHost: ['crawl.example'] } });
  const { host } = new URL(program.url);
  for (const [origin, asked, status] of [
    [`http://${host}`, host, 101],
    ['http://evil.example', host, 403],
    ['null', host, 403],
    [`http://127.0.0.1:1`, host, 403],
    ['file://', host, 403],
    // By DNS rebinding its own name leads here.
    ['http://evil.example:8010', 'evil.example:8010', 403],
    ['https://crawl.example', 'crawl.example', 101],
    // A proxy in front asks by another name.
    ['https://crawl.example', host, 101],
    ['https://crawl.example.evil', host, 403],
  ] as const)
    assert.equal(await open(program.url, [], { authorization: AUTHORIZATION, origin, host: asked }), status, `${origin} at ${asked}`);
  assert.equal(await open(program.url, [], { authorization: AUTHORIZATION }), 101);
});

test('in JSON the same messages go to and fro', async (t) => {
  const jobs = new MemoryJobs();
  const { program } = await crawlServer(t, jobs);
  const { ask, socket } = await jsonClient(program.url);
  const policy = { ...goodPolicy({ name: 'Größe' }) };
  const made = await ask({
    requestId: 0,
    setPolicy: {
      policy: {
        name: policy.name,
        mimeTypeRules: [{ save: true }],
        robotsTxt: { usage: 'OBEY' },
        urlRules: [{ action: 'ADD', amount: 1 }],
        userAgents: [{ name: 'a' }],
      },
    },
  });
  assert.equal(made.response?.isSuccess, true);
  const { policyId } = made.response.newPolicy as { policyId: string };
  const got = await ask({ requestId: 1, getPolicy: { policyId } });
  assert.equal((got.response?.policy as { name: string }).name, 'Größe');

  const id = await jobs.create({ seeds: ['http://example.org/'], policy: goodPolicy() });
  jobs.add(id, {
    record: { id: '<urn:uuid:1>', file: 'a.warc', offset: 2 ** 52 + 1 },
    body: { bytes: Buffer.from([0, 255]), isCompressed: false },
  });
  const jobId = Buffer.from(id).toString('base64');
  const { response } = await ask({ requestId: 2, getJobItems: { jobId, includeSuccess: true } });
  const [item] = (response?.listItems as { items: Record<string, unknown>[] }).items;
  assert.equal(item?.warcOffset, '4503599627370497');
  assert.equal(item.body, 'AP8=');
  const { response: without } = await ask({ requestId: 3, getJobItems: { jobId, includeSuccess: true, withoutBody: true } });
  assert.equal((without?.listItems as { items: Record<string, unknown>[] }).items[0]?.body, undefined);

  assert.deepEqual((await ask({ requestId: 4, listJobs: { page: { limit: 99999999999 } } })).response?.isSuccess, false);
  assert.match(String((await ask({ requestId: 5, listJobs: { nonsense: 1 } })).response?.errorMessage), /nonsense/);
  assert.equal((await ask({ requestId: 6 })).response?.errorMessage, 'No command specified');
  for (const [bad, code] of [
    ['nonsense', 1007],
    ['{"listJobs":{}}', 1007],
    ['[]', 1007],
    [Buffer.from([8, 1]), 1003],
  ] as const) {
    const each = await jsonClient(program.url);
    each.socket.send(bad);
    const [closed] = (await once(each.socket, 'close')) as [number];
    assert.equal(closed, code, String(bad));
  }
  socket.terminate();
});

test('an item and its body are had by plain requests, and no browser runs anything of them', async (t) => {
  const jobs = new MemoryJobs();
  const { program } = await crawlServer(t, jobs);
  const id = await jobs.create({ seeds: ['http://example.org/'], policy: goodPolicy() });
  const markup = '<script>alert(1)</script>';
  jobs.add(id, { body: { bytes: Buffer.from(markup), isCompressed: false } });
  const headers = { authorization: AUTHORIZATION };
  const path = `${program.url}/jobs/${hexOf(id)}/items/1`;
  assert.equal((await fetch(path)).status, 401);
  const item = (await (await fetch(path, { headers })).json()) as Record<string, unknown>;
  assert.equal(item.url, 'http://example.org/1');
  assert.equal(item.sequence, '1');
  assert.equal(item.body, undefined);
  const body = await fetch(`${path}/body`, { headers });
  assert.equal(await body.text(), markup);
  assert.deepEqual(
    ['content-type', 'content-disposition', 'content-security-policy', 'x-content-type-options', 'cross-origin-resource-policy'].map(
      (name) => body.headers.get(name),
    ),
    ['application/octet-stream', 'attachment; filename="item-1"', "sandbox; default-src 'none'", 'nosniff', 'same-origin'],
  );
  const missing = await fetch(`${program.url}/jobs/${hexOf(id)}/items/2/body`, { headers });
  assert.equal(missing.status, 404);
  assert.equal(await missing.text(), 'No item of that job has the number 2\n');
});

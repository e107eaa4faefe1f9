/** What commands over WARC files write is what others write and read: `cdxj-indexer`, `wacz validate`, pywb; all Python's. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { runToEnd } from '../cli/child.ts';
import { sampleFile } from '../cli/commands/files-support.ts';
import { startSite } from '../crawl/jobs/support.ts';
import { browserTool } from '../support/tools.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';
import { tempDir } from '../warc/support.ts';
import { handMade, idOf, members } from '../warc/tools/repair-support.ts';
import { fromVenv } from './validators.ts';

const POSTS: readonly (readonly [type: string, body: string | Buffer])[] = [
  ['application/x-www-form-urlencoded', 'a=b+c&d=%C3%A9%26x&Z=1'],
  ['application/x-www-form-urlencoded; charset=utf-8', Buffer.from('\xff\xfe=1', 'latin1')],
  ['application/json', '{"b":{"x":1,"y":[1,2,{"x":"t w"}]},"a":"ü*~!"}'],
  ['text/plain', '{"k":"v"}'],
  ['text/plain', 'just text'],
  ['application/octet-stream', Buffer.from(Array.from({ length: 9_000 }, (_, index) => index % 256))],
  [
    'multipart/form-data; boundary=xyz',
    '--xyz\r\nContent-Disposition: form-data; name="n 1"\r\n\r\nvé 1\r\n' +
      '--xyz\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n\0x\r\n--xyz--\r\n',
  ],
];

/** With a digest: of one that is missing it writes that of nothing, as it has read the record already. */
const HTTP = `Content-Type: application/http\r\nWARC-Payload-Digest: sha1:X\r\n`;

function posted([type, body]: (typeof POSTS)[number], index: number): Buffer[] {
  const [id, more] = [idOf(100 + 2 * index), `WARC-Target-URI: http://example.com/post?q=${index}\r\n${HTTP}`];
  const answer = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nok';
  const head = `POST /post HTTP/1.1\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const request = Buffer.concat([Buffer.from(head), Buffer.from(body)]);
  return [
    handMade({ type: 'response', id, more, block: answer }),
    handMade({ type: 'request', id: idOf(101 + 2 * index), more: `${more}WARC-Concurrent-To: ${id}\r\n`, block: request }),
  ];
}

const indexer = fromVenv('cdxj-indexer', ['--help'], /--post-append/);
test('an index is byte for byte that of cdxj-indexer', { skip: indexer.skip }, async (t) => {
  const urls = [
    'https://www.Example.com:443/B/../C/?z=1&A=2',
    'http://bücher.example/ü',
    'http://example.com/?sid=0123456789abcdef0123456789abcdef',
  ];
  const pages = urls.map((url) =>
    handMade({
      type: 'response',
      more: `WARC-Target-URI: ${url}\r\n${HTTP}`,
      block: 'HTTP/1.1 200 OK\r\nContent-Type: Text/HTML;a\r\n\r\nx',
    }),
  );
  const revisit = handMade({
    type: 'revisit',
    more: `WARC-Target-URI: http://example.com/\r\n${HTTP}`,
    block: 'HTTP/1.1 301 Moved\r\nLocation: /a\r\n\r\n',
  });
  const file = sampleFile(t, 'posts.warc.gz', members(...POSTS.flatMap(posted), ...pages, revisit));
  const theirs = spawnSync(indexer.command, ['--sort', '--post-append', file], { encoding: 'utf8' });
  const ours = await runToEnd(['cdxj', file]);
  assert.deepEqual([ours.code, ours.stderr], [0, '']);
  assert.deepEqual(ours.stdout.split('\n'), theirs.stdout.split('\n'));
  assert.equal(ours.stdout.split('\n').length, POSTS.length + pages.length + 2);
});

const validator = fromVenv('wacz', ['--help'], /validate/);
test('a WACZ passes the validator of py-wacz', { skip: validator.skip }, async (t) => {
  const output = `${sampleFile(t)}.wacz`;
  const made = await runToEnd([
    'wacz',
    sampleFile(t),
    sampleFile(t, 'B c.warc'),
    '-o',
    output,
    '--title',
    'T',
    '--main-page',
    'https://example.com/',
  ]);
  assert.deepEqual(made, { code: 0, stdout: '', stderr: '' });
  const { status, stdout } = spawnSync(validator.command, ['validate', '-f', output], { encoding: 'utf8' });
  assert.match(stdout, /the passed WACZ is valid/);
  assert.equal(status, 0);
});

const manager = fromVenv('wb-manager', ['--help'], /usage: wb-manager/);
test('pywb takes a WACZ with its index into a collection', { skip: manager.skip }, async (t) => {
  const file = sampleFile(t);
  const cwd = dirname(file);
  assert.equal((await runToEnd(['wacz', file, '-o', join(cwd, 'a.wacz')])).code, 0);
  for (const args of [
    ['init', 'c'],
    ['add', '--unpack-wacz', 'c', 'a.wacz'],
  ])
    assert.equal(spawnSync(manager.command, args, { cwd }).status, 0, args.join(' '));
  const ours = await runToEnd(['cdxj', file]);
  const theirs = readFileSync(join(cwd, 'collections/c/indexes/index.cdxj'), 'utf8');
  assert.equal(theirs.replaceAll('a-0.warc.gz', 'a.warc.gz'), ours.stdout);
  assert.deepEqual(readFileSync(join(cwd, 'collections/c/archive/a-0.warc.gz')), readFileSync(file));
});

const { command: browser, skip: noBrowser } = browserTool();
const player = fromVenv('wayback', ['--help'], /pywb Wayback/);
test(
  'a WACZ of warctap archive passes the validator, and pywb plays its pages',
  { skip: noBrowser || validator.skip || player.skip },
  async (t) => {
    const site = await startSite(t, (request, response) => {
      const html = '<title>Home</title><link rel=stylesheet href=/s.css><script>document.write("<p>made")</script>';
      if (request.url === '/') response.writeHead(200, { 'Content-Type': 'text/html' }).end(html);
      else if (request.url === '/s.css') response.writeHead(200, { 'Content-Type': 'text/css' }).end('p { color: red }');
      else response.writeHead(404).end();
    });
    const cwd = dirname(sampleFile(t));
    const args = [
      'archive',
      `${site.url}/`,
      '-o',
      join(cwd, 'a.wacz'),
      '--browser',
      browser,
      '--allow-localhost',
      '--screenshot',
      '--text',
    ];
    const made = await runToEnd([...args, '--min-free-space', '0']);
    assert.equal(made.code, 0, made.stderr);
    const { status, stdout } = spawnSync(validator.command, ['validate', '-f', join(cwd, 'a.wacz')], { encoding: 'utf8' });
    assert.match(stdout, /the passed WACZ is valid/);
    assert.equal(status, 0);
    for (const words of [
      ['init', 'c'],
      ['add', '--unpack-wacz', 'c', 'a.wacz'],
    ])
      assert.equal(spawnSync(manager.command, words, { cwd }).status, 0, words.join(' '));
    const port = await freePort();
    const wayback = spawn(player.command, ['-p', String(port), '-b', '127.0.0.1'], { cwd, stdio: 'ignore' });
    t.after(() => wayback.kill('SIGKILL'));
    await listening(port, once(wayback, 'close'));
    const played = async (url: string) => (await fetch(`http://127.0.0.1:${port}/c/mp_/${url}`)).text();
    assert.match(await played(`${site.url}/`), /<title>Home<\/title>/);
    assert.match(await played(`${site.url}/s.css`), /color: red/);
    const picture = await fetch(`http://127.0.0.1:${port}/c/id_/urn:view:${site.url}/`);
    assert.deepEqual([picture.status, picture.headers.get('content-type')], [200, 'image/png']);
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** When it takes connections, which nothing else tells. */
async function listening(port: number, ended: Promise<unknown>): Promise<void> {
  let over = false as boolean;
  void ended.then(() => (over = true));
  while (!over) {
    const socket = connect(port, '127.0.0.1');
    const [taken] = (await Promise.race([once(socket, 'connect').then(() => [true]), once(socket, 'error').then(() => [false])]).catch(
      () => [false],
    )) as [boolean];
    socket.destroy();
    if (taken) return;
    await passed(100);
  }
  throw new Error('it has ended');
}

test(
  'pywb plays a collection that was archived into, while nobody has added anything to it',
  { skip: player.skip, timeout: 60_000 },
  async (t) => {
    const cwd = tempDir(t);
    await using origin = await startOrigin(({ path, socket }) => socket.write(ok(`this is ${path}`, 'Content-Type: text/html\r\n')));
    await using proxy = await startProxy({ collection: join(cwd, 'collections', 'web'), dir: './warcs', gzip: true, subdirPrefix: true });
    const url = `${origin.url}/page?q=1`;
    using client = await RawClient.connect(proxy.port);
    client.send(get(url));
    await client.response();
    await proxy.proxy.close();

    const port = await freePort();
    const pywb = spawn(player.command, ['-p', String(port), '-b', '127.0.0.1'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => pywb.kill());
    await listening(port, once(pywb, 'close'));
    const answer = await fetch(`http://127.0.0.1:${port}/web/mp_/${url}`);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /this is \/page\?q=1/);
    const index = await fetch(`http://127.0.0.1:${port}/web/cdx?url=${encodeURIComponent(url)}&output=json`);
    assert.match(await index.text(), /"filename": "WARCPROX\/WARCPROX-[\w-]+\.warc\.gz"/);
  },
);

/**
 * brozzler through the program: a page in Chromium, screenshot and thumbnail, video, blocks and limits, as its worker asks for them.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestRecord } from '../support/proxy.ts';
import { findTool } from '../support/tools.ts';
import { Workplace, type Program } from './support/program.ts';
import { testReaders } from './support/readers.ts';
import { run } from './support/run.ts';

const browser = findTool({
  commands: [process.env.WARCTAP_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'],
  ask: ['--version'],
  says: /^(Chromium|Google Chrome) \d/m,
  needs: 'chromium on PATH (or WARCTAP_CHROMIUM)',
});
const python = findTool({
  commands: [process.env.WARCTAP_CLIENTS_PYTHON, join(import.meta.dirname, '../../tmp/clients/venv/bin/python'), 'python3'],
  ask: ['-c', 'import brozzler.worker, yt_dlp; print("has brozzler", brozzler.__version__)'],
  says: /^has brozzler \d/m,
  needs: 'brozzler (sh test/clients/install.sh)',
});
const skip = python.skip || browser.skip;
const options = { skip, timeout: 110_000 };

const VIDEO = Buffer.concat([Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1'), Buffer.alloc(5000, 'frame')]);
const html = (body: string) => `<!doctype html><title>site</title><p>text${body}`;

const SITE: Readonly<Record<string, { type: string; body: string | Buffer }>> = {
  '/': { type: 'text/html', body: html('<a href="/next.html">next</a><script src="/app.js"></script><script src="/tracker.js"></script>') },
  '/app.js': { type: 'text/javascript', body: 'document.title = "run"' },
  '/tracker.js': { type: 'text/javascript', body: 'document.title = "tracked"' },
  '/video.html': { type: 'text/html', body: html('<video><source src="/video.mp4" type="video/mp4"></video>') },
  '/video.mp4': { type: 'video/mp4', body: VIDEO },
};

const place = new Workplace();

test('brozzler: page, screenshot and thumbnail are in the file of its prefix, what it blocks is not asked for', options, async () => {
  await using site = await startSite();
  await using program = await place.start();
  const meta = { 'warc-prefix': 'job', metadata: { seed: 1 }, blocks: [{ substring: 'tracker.js' }] };
  const { outlinks, status } = await brozzle(program, { url: `${site.url}/`, meta });
  assert.equal(status, 200);
  assert.ok(outlinks?.includes(`${site.url}/next.html`), String(outlinks));
  assert.ok(site.asked.includes('/app.js'));
  assert.ok(!site.asked.includes('/tracker.js'));

  const records = await program.records();
  assert.equal(bodyOf(find(records, 'response', `${site.url}/`)), SITE['/']!.body);
  assert.equal(bodyOf(find(records, 'response', `${site.url}/app.js`)), SITE['/app.js']!.body);
  for (const kind of ['screenshot', 'thumbnail']) {
    const { block, fields } = find(records, 'resource', `${kind}:${site.url}/`);
    assert.equal(fields.get('content-type'), 'image/jpeg');
    assert.deepEqual([...block.subarray(0, 2), ...block.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9], 'is no JPEG');
  }
  assert.ok(
    find(records, 'resource', `thumbnail:${site.url}/`).block.length < find(records, 'resource', `screenshot:${site.url}/`).block.length,
  );
  assert.ok(!records.some(({ url }) => url.includes('tracker')));
  assert.ok(place.files().some((file) => /\/job-[^/]*\.warc$/.test(file)));
});

test('brozzler: a video that yt-dlp finds is a record, and what it knows of it another', options, async () => {
  await using site = await startSite();
  await using program = await place.start();
  const page = `${site.url}/video.html`;
  const { videos } = await brozzle(program, { url: page, meta: { 'warc-prefix': 'video', metadata: {} }, video: true });
  assert.deepEqual(
    videos.filter(({ blame }) => blame === 'youtube-dl'),
    [
      {
        blame: 'youtube-dl',
        url: `${site.url}/video.mp4`,
        response_code: 204,
        'content-type': 'video/mp4',
        'content-length': VIDEO.length,
      },
    ],
  );
  const records = await program.records();
  const video = find(records, 'resource', `${site.url}/video.mp4`);
  assert.equal(video.fields.get('content-type'), 'video/mp4');
  assert.ok(video.block.equals(VIDEO));
  const known = find(records, 'metadata', `youtube-dl:${page}`);
  assert.equal(known.fields.get('content-type'), 'application/vnd.youtube-dl_formats+json;charset=utf-8');
  assert.equal((JSON.parse(known.block.toString()) as { webpage_url: string }).webpage_url, page);
});

test('brozzler: a limit stops the page, and brozzler knows which', options, async () => {
  await using site = await startSite();
  // Limits are about what was counted.
  await using program = await place.start('--stats-db-file', join(place.dir, 'stats'));
  const meta = { 'warc-prefix': 'limited', metadata: {}, stats: { buckets: ['job'] }, limits: { 'job/total/urls': 1 } };
  const { reached } = await brozzle(program, { url: `${site.url}/`, meta });
  assert.deepEqual(reached?.['reached-limit'], { 'job/total/urls': 1 });
  assert.equal(reached.stats?.job?.total.urls, 1);
  assert.deepEqual(responsesIn(await program.records()), [`${site.url}/`]);
});

test('brozzler: a soft limit does not stop the page', options, async () => {
  await using site = await startSite();
  await using program = await place.start('--stats-db-file', join(place.dir, 'soft-stats'));
  const meta = { 'warc-prefix': 'soft', metadata: {}, stats: { buckets: ['job'] }, 'soft-limits': { 'job/total/urls': 1 } };
  const { reached, status, outlinks } = await brozzle(program, { url: `${site.url}/`, meta });
  assert.deepEqual([reached, status], [undefined, 200]);
  assert.ok(outlinks?.includes(`${site.url}/next.html`), String(outlinks));
  assert.ok(!site.asked.includes('/app.js'));
  assert.deepEqual(responsesIn(await program.records()), [`${site.url}/`]);
});

testReaders(place);

interface Brozzled {
  readonly outlinks?: readonly string[];
  readonly status?: number;
  /** Warcprox-Meta of the answer that said so */
  readonly reached?: {
    readonly 'reached-limit'?: Readonly<Record<string, number>>;
    readonly stats?: Readonly<Record<string, { readonly total: { readonly urls: number } }>>;
  };
  readonly videos: readonly Readonly<Record<string, unknown>>[];
}

async function brozzle({ port }: Program, asked: { url: string; meta: object; video?: boolean }): Promise<Brozzled> {
  const settings = { video: false, ...asked, proxy: `127.0.0.1:${port}`, chrome: browser.command };
  const chromeArgs = ['--proxy-bypass-list=<-loopback>', '--disable-gpu', '--disable-component-update', '--no-sandbox'];
  const { code, stdout, stderr } = await run(
    python.command,
    [join(import.meta.dirname, 'support/brozzle_page.py'), JSON.stringify(settings)],
    {
      cwd: place.dir,
      env: { BROZZLER_EXTRA_CHROME_ARGS: chromeArgs.join(' '), HOME: place.dir },
    },
  );
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout.toString().trim().split('\n').at(-1) ?? '') as Brozzled;
}

function find(records: readonly TestRecord[], type: string, url: string): TestRecord {
  const found = records.find((record) => record.type === type && record.url === url);
  assert.ok(found, `no ${type} of ${url} among ${records.map((record) => `${record.type} ${record.url}`).join(', ')}`);
  return found;
}

function responsesIn(records: readonly TestRecord[]): string[] {
  return records.filter(({ type }) => type === 'response').map(({ url }) => url);
}

function bodyOf({ block }: TestRecord): string {
  return block.toString('utf8', block.indexOf('\r\n\r\n') + 4);
}

interface Site extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly string[];
}

async function startSite(): Promise<Site> {
  const asked: string[] = [];
  const server: Server = createServer(({ url = '', method }, response) => {
    asked.push(url);
    const { type, body } = SITE[url] ?? { type: 'text/plain', body: 'not found' };
    response.writeHead(SITE[url] === undefined ? 404 : 200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
    response.end(method === 'HEAD' ? undefined : body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

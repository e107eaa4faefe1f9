/** `warctap browse`: a browser behind a proxy of its own; what it has loaded is read back, and nothing else is there. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, test, type TestContext } from 'node:test';
import { testCertificate } from '../../support/certificate.ts';
import { readFolder } from '../../support/proxy.ts';
import { browserTool, findTool, tool } from '../../support/tools.ts';
import { unzipped } from '../../support/unzipped.ts';
import { runHere, runToEnd, start } from '../child.ts';

const ALWAYS = ['--headless', '--allow-localhost', '--min-free-space', '0'];

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-browse-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Over TLS, so that what it shows was trusted; told when its page's script has run. */
async function startPage(t: TestContext) {
  const asked: string[] = [];
  let ready = () => undefined as unknown;
  const server = createServer(await testCertificate(), (request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/')
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>t</title><script>fetch("/ready")</script>');
    else response.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok');
    if (request.url === '/ready') response.once('close', () => ready());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  const isReady = new Promise<void>((resolve) => (ready = resolve));
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, isReady };
}

const BROWSERS = [
  { name: 'chromium', ...browserTool() },
  {
    name: 'firefox',
    ...findTool({
      commands: [process.env.WARCTAP_FIREFOX, 'firefox', 'firefox-esr'],
      ask: ['--version'],
      says: /^Mozilla Firefox \d/m,
      needs: 'firefox on PATH (or WARCTAP_FIREFOX)',
    }),
  },
];
const certutil = tool('certutil');

for (const { name, command, skip } of BROWSERS) {
  const missing = skip || (name === 'firefox' && certutil.skip);
  describe(`${name}, without a window`, () => {
    test('loads its page through the proxy, trusts it, asks for nothing by itself, and leaves one WACZ', { skip: missing }, async (t) => {
      const dir = folder(t);
      mkdirSync(join(dir, 'tmp'));
      const page = await startPage(t);
      const args = ['browse', `${page.url}/`, ...ALWAYS, '--browser', command, '--wacz', join(dir, 'out.wacz'), '--title', 'T'];
      const program = start(args, { env: { TMPDIR: join(dir, 'tmp') } });
      await Promise.race([page.isReady, program.ended]);
      program.child.kill('SIGINT');
      const { code, stdout, stderr } = await program.ended;
      assert.equal(code, 0, stderr);
      assert.match(stdout, /browses through http:\/\/127\.0\.0\.1:\d+; close it[^]*archived \d captures .*\n {2}.*out\.wacz\n$/);
      // That is where the tests' own runner compiles to.
      assert.deepEqual(
        readdirSync(join(dir, 'tmp')).filter((left) => !left.startsWith('tsx-')),
        [],
      );
      assert.deepEqual(readdirSync(dir), ['out.wacz', 'tmp']);
      const zip = unzipped(readFileSync(join(dir, 'out.wacz')));
      const index = String(gunzipSync(zip.get('indexes/index.cdx.gz')!.bytes));
      const urls = [...new Set([...index.matchAll(/"url": "([^"]*)"/g)].map(([, url = '']) => url))];
      const foreign = urls.filter((url) => !url.startsWith(page.url) && !url.startsWith('tls:'));
      assert.deepEqual([foreign, urls.includes(`${page.url}/ready`), /not-resolved|failed-before/.test(stderr)], [[], true, false]);
    });
  });
}

const chromium = browserTool();
test('it ends when the browser is closed, and says which WARC files have it', { skip: chromium.skip || tool('sh').skip }, async (t) => {
  const dir = folder(t);
  const [pidFile, program] = [join(dir, 'pid'), join(dir, 'browser')];
  writeFileSync(program, `#!/bin/sh\necho $$ > '${pidFile}'\nexec '${chromium.command}' "$@"\n`);
  chmodSync(program, 0o755);
  const page = await startPage(t);
  const running = start(['browse', `${page.url}/`, ...ALWAYS, '--browser', program], { cwd: dir });
  await Promise.race([page.isReady, running.ended]);
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  const [, file = ''] = /\n {2}(\/.*\.warc)\n$/.exec(stdout) ?? [];
  assert.deepEqual(readdirSync(join(dir, 'warcs')), [file.slice(join(dir, 'warcs').length + 1)], stdout);
  const records = await readFolder(join(dir, 'warcs'));
  assert.ok(records.some(({ type, url }) => type === 'response' && url === `${page.url}/ready`));
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith('certs')),
    [],
  );
});

test('what keeps it from starting is said in one line, and nothing is left', async (t) => {
  const dir = folder(t);
  const env = { PATH: '/nowhere', DISPLAY: '', WAYLAND_DISPLAY: '' };
  const refused = async (args: readonly string[], code: number, message: RegExp, more: Record<string, string> = {}) => {
    const words = ['browse', ...args, '--min-free-space', '0'];
    const ended = code === 2 ? await runHere(...words) : await runToEnd(words, { env: { ...env, ...more }, cwd: dir });
    assert.match(ended.stderr, message);
    assert.equal(ended.code, code, ended.stderr);
    assert.doesNotMatch(ended.stderr, /\n {4}at /);
    assert.deepEqual(readdirSync(dir), []);
  };
  await refused([], 1, /^warctap: no browser found: looked for chromium, /);
  await refused(['example.com'], 2, /expected a URL that begins with http:\/\//);
  await refused(['http://a/', 'http://b/'], 2, /expected one URL, got 2/);
  await refused(['--wacz', 'a.wacz', '--dir', 'x'], 2, /--wacz has its files in itself, so --dir does not go with it/);
  await refused(['--browser', process.execPath], 1, /there is no display for a window .*--headless/);
});

test('a browser that ends at once is told with what it has said', { skip: tool('sh').skip }, async (t) => {
  const dir = folder(t);
  const program = join(dir, 'browser');
  writeFileSync(program, '#!/bin/sh\necho "error: no wings" >&2\nexit 7\n');
  chmodSync(program, 0o755);
  const { code, stdout, stderr } = await runToEnd(['browse', '--headless', '--browser', program, '--min-free-space', '0'], { cwd: dir });
  assert.equal(code, 1);
  assert.match(stderr, /has ended at once, with exit code 7: error: no wings/);
  assert.match(stdout, /nothing was archived/);
});

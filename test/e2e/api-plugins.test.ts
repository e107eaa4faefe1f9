/**
 * Plugins in a running proxy: what they are told, and that nothing is lost whatever they do.
 *
 * Source: spec/warcprox.md §4 (order), §5 (unknown fields), §11.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { keptLog, startApi, WAYS, type Api } from '../support/api.ts';
import { testCaFile } from '../support/certificate.ts';

const dir = mkdtempSync(join(tmpdir(), 'warctap-test-plugins-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
let modules = 0;

/** A module whose plugin has these members; `log` is the controller's, `options` are the proxy's. */
function plugin(members: string): string {
  const file = join(dir, `plugin-${modules++}.mjs`);
  writeFileSync(file, `export default (options, { log, version }) => ({ ${members} });\n`);
  return file;
}

async function chainOf(api: Api): Promise<{ processor: string; queued_urls: number; errors: number }[]> {
  return (await api.status()).postfetch_chain as { processor: string; queued_urls: number; errors: number }[];
}

const errorsOf = async (api: Api, name: string) => (await chainOf(api)).find(({ processor }) => processor === name)?.errors;

/** With the clock in our hands: the chain has waited for more captures. */
function gatherBatch({ mock }: TestContext): void {
  mock.timers.tick(10);
}

for (const way of WAYS) {
  test(`a listener is told of every capture with its records, and of unknown fields, ${way}`, async () => {
    const log = keptLog();
    const listener = plugin(`name: 'Listener', notify(capture, records) {
      const { kind, url, method, meta } = capture;
      log.info({ kind, url, method, mine: meta.raw['my-field'], records: records.map(({ type, offset }) => [type, offset > 0]) }, 'told');
    }`);
    await using api = await startApi(way, {
      log,
      plugin: [listener],
      answer: ({ path, socket }) => (path === '/bad' ? socket.end() : socket.write('HTTP/1.1 204 x\r\n\r\n')),
    });
    await api.ask('/a?b', { meta: { 'my-field': { x: [1] } }, method: 'POST', body: 'y' });
    await api.ask('/bad');
    await api.write('x:y', 'z');
    await api.proxy.captured(3);
    const told = log.lines.filter((line) => line.startsWith('info told ')).map((line) => JSON.parse(line.slice(10)) as unknown);
    const module = listener;
    const both = [
      ['response', true],
      ['request', true],
    ];
    assert.deepEqual(told, [
      { module, kind: 'exchange', url: api.url('/a?b'), method: 'POST', mine: { x: [1] }, records: both },
      { module, kind: 'failure', url: api.url('/bad'), method: 'GET', records: [] },
      { module, kind: 'custom', url: 'x:y', method: 'WARCPROX_WRITE_RECORD', records: [['resource', true]] },
    ]);
    assert.equal(await errorsOf(api, 'Listener'), 0);
  });

  test(`an early processor comes before all others, a late one before the running statistics, ${way}`, async () => {
    const early = plugin(
      `name: 'Early', position: 'early', process(batch) { for (const { outcome, url } of batch) if (url.endsWith('/no')) outcome.archive = false; }`,
    );
    const late = plugin(`name: 'Late', process() {}`);
    await using api = await startApi(way, { plugin: [late, early] });
    await api.ask('/yes');
    await api.ask('/no');
    await api.proxy.captured(2);
    const names = (await chainOf(api)).map(({ processor }) => processor);
    assert.equal(names[0], 'Early');
    assert.deepEqual(names.slice(-2), ['Late', 'RunningStats']);
    const urls = (await api.proxy.records()).map(({ url }) => url);
    assert.deepEqual(urls, [api.url('/yes'), api.url('/yes')]);
  });

  for (const position of ['early', undefined]) {
    for (const [kind, method] of [
      ['listener', 'notify'],
      ['processor', 'process'],
    ] as const) {
      const place = position === undefined ? '' : `position: '${position}',`;

      test(`a ${kind} (${position ?? 'late'}) that throws loses nothing; it is logged and counted, ${way}`, async () => {
        const log = keptLog();
        const thrower = plugin(`name: 'Thrower', ${place} ${method}() { throw new Error('two\\nlines'); }`);
        const rejecter = plugin(`name: 'Rejecter', ${place} async ${method}() { throw null; }`);
        await using api = await startApi(way, { log, plugin: [thrower, rejecter] });
        for (const path of ['/a', '/b', '/c']) {
          assert.equal((await api.ask(path)).status, 200);
          await api.proxy.captureOf(api.url(path));
        }
        assert.equal((await api.write('x:y', 'z')).status, 204);
        assert.equal(await errorsOf(api, 'Thrower'), 4);
        assert.equal(await errorsOf(api, 'Rejecter'), 4);
        assert.equal((await api.status()).urls_processed, 4);
        assert.equal(log.lines.filter((line) => /^error plugin Thrower failed for [^\n]*two lines/.test(line)).length, 4);
        assert.equal((await api.proxy.records()).length, 7);
      });

      test(`a ${kind} (${position ?? 'late'}) that hangs is passed by until it returns, ${way}`, async (t) => {
        const log = keptLog();
        const file = plugin(`name: 'Hanging', ${place} ${method}() {
          log.info({}, 'called');
          return new Promise((resolve) => (globalThis.warctapTestResume = resolve));
        }`);
        await using api = await startApi(way, { log, plugin: [file] });
        t.mock.timers.enable({ apis: ['setTimeout'] });
        assert.equal((await api.ask('/a')).status, 200);
        gatherBatch(t);
        await log.line('info called');
        // Requests are answered meanwhile, and wait for the chain.
        assert.equal((await api.ask('/b')).status, 200);
        assert.equal(api.proxy.captures.length, 0);
        const [hanging] = (await chainOf(api)).filter(({ processor }) => processor === 'Hanging');
        assert.ok(hanging && hanging.queued_urls >= 1);
        t.mock.timers.tick(30_000);
        await api.proxy.captured(1);
        gatherBatch(t);
        await api.proxy.captured(2);
        assert.equal(await errorsOf(api, 'Hanging'), 2);
        assert.match(await log.line('plugin Hanging has not returned within 30000 ms'), /^error /);
        (Reflect.get(globalThis, 'warctapTestResume') as () => void)();
        await log.line('plugin Hanging has returned after all and gets captures again');
        t.mock.timers.reset();
        assert.equal((await api.proxy.records()).length, 4);
      });
    }
  }
}

test('start and stop are called once, stop after the last capture', async () => {
  const log = keptLog();
  const file = plugin(
    `name: 'P', start() { log.info({}, 'start'); }, notify({ url }) { log.info({}, 'notify'); }, stop() { log.info({}, 'stop'); }`,
  );
  await using api = await startApi('over HTTP', { log, plugin: [file] });
  await api.ask('/a');
  await api.proxy.proxy.close();
  const calls = log.lines.flatMap((line) => /^info (start|notify|stop) /.exec(line)?.[1] ?? []);
  assert.deepEqual(calls, ['start', 'notify', 'stop']);
});

test('a plugin that does what it likes with its batch does not disturb the others', async () => {
  const file = plugin(`name: 'Eater', position: 'early', process(batch) { batch.length = 0; }`);
  await using api = await startApi('over HTTP', { plugin: [file] });
  await api.ask('/a');
  await api.proxy.captured(1);
  assert.equal((await api.proxy.records()).length, 2);
});

const broken: Readonly<Record<string, string>> = {
  missing: './not-there.mjs',
  'not installed': 'no-such-package-of-warctap',
  'not JavaScript': write('syntax.mjs', 'export default ('),
  'without a default export': write('none.mjs', 'export const x = 1;'),
  'with a function that throws': write('throws.mjs', 'export default () => { throw new Error("no"); };'),
  'that is nothing': write('nothing.mjs', 'export default () => undefined;'),
  'without a name': plugin('notify() {}'),
  'without a method': plugin(`name: 'x'`),
  'that does not start': plugin(`name: 'x', notify() {}, start() { throw new Error('no'); }`),
};

for (const [what, module] of Object.entries(broken)) {
  test(`the program does not start with a plugin ${what}: exit code 2 and one line that names it`, async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const own = mkdtempSync(join(dir, 'run-'));
    const args = [
      '--port',
      '0',
      '--dir',
      join(own, 'warcs'),
      '--cacert',
      await testCaFile(),
      '--certs-dir',
      join(own, 'certs'),
      '--plugin',
      module,
    ];
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), `${root}src/cli/main.ts`, ...args], {
      cwd: own,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close') as Promise<[code: number | null]>;
    const [stderr, stdout, [code]] = await Promise.all([text(child.stderr), text(child.stdout), ended]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^[^\n]*--plugin[^\n]*\n$/);
    assert.ok(stderr.includes(module), stderr);
  });
}

function write(name: string, source: string): string {
  const file = join(dir, name);
  writeFileSync(file, source);
  return file;
}

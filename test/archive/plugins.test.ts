import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Chain } from '../../src/archive/chain.ts';
import { loadPlugins, PluginError, type LoadedPlugins, type PluginOptions } from '../../src/archive/plugin-loader.ts';
import { pluginProcessor, type Plugin } from '../../src/archive/plugins.ts';
import type { Processor } from '../../src/archive/processor.ts';
import type { Capture } from '../../src/capture/capture.ts';
import { silentLog } from '../../src/util/log.ts';
import { recordingLog } from '../ca/support.ts';
import { exchange, failure, tempDir } from '../warc/support.ts';

/** Long enough for a plugin that returns, short enough to wait for where one hangs. */
const SHORT_MS = 50;

function load(dir: string, modules: readonly string[], changes: Partial<PluginOptions> = {}): Promise<LoadedPlugins> {
  return loadPlugins({ modules, cwd: dir, options: { dir }, version: '1.2.3', timeoutMs: 10_000, log: silentLog, ...changes });
}

/** Write a module and load it. */
function loadText(dir: string, text: string, changes: Partial<PluginOptions> = {}): Promise<LoadedPlugins> {
  writeFileSync(join(dir, 'plugin.mjs'), text);
  return load(dir, ['./plugin.mjs'], changes);
}

function record(type = 'response') {
  return { id: '<urn:uuid:1>', type, date: '2024-02-03T04:05:06.789Z', filename: 'P.warc', path: 'P.warc', offset: 5, length: 7 };
}

/** Takes captures through a chain of these processors; resolves when all have left it. */
async function through(processors: readonly Processor[], captures: readonly Capture[]): Promise<{ done: Capture[]; chain: Chain }> {
  const done: Capture[] = [];
  const options = { maxQueued: 100, log: silentLog, isFatal: () => false, onFatal: () => assert.fail('fatal') };
  const chain = new Chain({ ...options, processors, done: (capture) => done.push(capture) });
  for (const capture of captures) void chain.push(capture);
  await chain.close();
  return { done, chain };
}

test('a listener in a file is told of each capture with its records, then stopped', async (t) => {
  const dir = tempDir(t);
  const { early, late } = await loadText(
    dir,
    `import { appendFileSync } from 'node:fs';
    export default (options, controller) => {
      const say = (...words) => appendFileSync(options.dir + '/said', words.join(' ') + '\\n');
      return {
        name: 'Teller',
        start() { say('start', controller.version); },
        notify(capture, records) { say(this.name, capture.url, records.length); },
        stop() { say('stop'); },
      };
    };`,
  );
  assert.deepEqual([early.length, late.map(({ name }) => name)], [0, ['Teller']]);
  const written: Capture = { ...exchange({ url: 'http://a/1' }), outcome: { archive: true, records: [record(), record('request')] } };
  const { done } = await through(late, [written, { ...failure(), url: 'http://a/2' }]);
  assert.equal(done.length, 2);
  assert.equal(readFileSync(join(dir, 'said'), 'utf8'), 'start 1.2.3\nTeller http://a/1 2\nTeller http://a/2 0\nstop\n');
});

test('an early processor, made asynchronously, decides on a batch before the others', async (t) => {
  const { early, late } = await loadText(
    tempDir(t),
    `export default async () => ({
      name: 'Skip',
      position: 'early',
      async process(batch) { for (const capture of batch) capture.outcome.archive = false; },
    });`,
  );
  assert.deepEqual([early.map(({ name }) => name), late.length], [['Skip'], 0]);
  const captures = [exchange(), exchange()];
  await early[0]!.process(captures);
  assert.deepEqual(
    captures.map(({ outcome }) => outcome.archive),
    [false, false],
  );
});

test('a plugin may be an instance of a class', async (t) => {
  const { late } = await loadText(
    tempDir(t),
    `class Counter { name = 'Counter'; seen = 0; process(batch) { this.seen += batch.length; if (this.seen === 3) throw new Error('seen ' + this.seen); } }
    export default () => new Counter();`,
  );
  await late[0]!.process([exchange(), exchange()]);
  assert.equal(late[0]!.errors, 0);
  await late[0]!.process([exchange()]);
  assert.equal(late[0]!.errors, 1);
});

test('plugins are loaded by relative path, absolute path, URL and package name, in the order given', async (t) => {
  const dir = tempDir(t);
  const text = (name: string) => `export default () => ({ name: '${name}', notify() {} });`;
  mkdirSync(join(dir, 'node_modules', 'some-plugin'), { recursive: true });
  writeFileSync(join(dir, 'node_modules', 'some-plugin', 'package.json'), '{"type":"module","exports":"./main.js"}');
  writeFileSync(join(dir, 'node_modules', 'some-plugin', 'main.js'), text('package'));
  mkdirSync(join(dir, 'sub'));
  for (const name of ['relative', 'absolute', 'url']) writeFileSync(join(dir, 'sub', `${name} #1.mjs`), text(name));
  const { late } = await load(dir, [
    './sub/relative #1.mjs',
    join(dir, 'sub', 'absolute #1.mjs'),
    pathToFileURL(join(dir, 'sub', 'url #1.mjs')).href,
    'some-plugin',
  ]);
  assert.deepEqual(
    late.map(({ name }) => name),
    ['relative', 'absolute', 'url', 'package'],
  );
});

test('the lines of a plugin in the log tell its module', async (t) => {
  const { log, lines } = recordingLog();
  const text = `export default (options, { log }) => { log.warn({ a: 1 }, 'hello'); return { name: 'x', notify() {} }; };`;
  await loadText(tempDir(t), text, { log });
  assert.deepEqual(lines[0], { level: 'warn', fields: { module: './plugin.mjs', a: 1 }, message: 'hello' });
});

for (const [name, text, expected] of [
  ['a syntax error', 'export default {', /an ES module that can be loaded \(.+\)$/],
  ['a module that throws', 'throw new Error("no\\nway")', /an ES module that can be loaded \(no way\)$/],
  ['no default export', 'export const plugin = 1;', /a default export that is a function, its default export is missing$/],
  ['an object instead of a function', 'export default { name: "x", notify() {} };', /its default export is of type object$/],
  ['a function that throws', 'export default () => { throw new Error("boom"); };', /a function that makes a plugin: boom$/],
  ['a function that rejects', 'export default async () => { throw new Error("boom"); };', /a function that makes a plugin: boom$/],
  ['nothing returned', 'export default () => {};', /a function that returns a plugin, it returns missing$/],
  ['null returned', 'export default () => null;', /it returns null$/],
  ['no name', 'export default () => ({ notify() {} });', /a plugin with a name$/],
  ['an empty name', 'export default () => ({ name: "", notify() {} });', /a plugin with a name$/],
  ['neither method', 'export default () => ({ name: "x" });', /one of notify\(\) and process\(\), it has neither$/],
  ['both methods', 'export default () => ({ name: "x", notify() {}, process() {} });', /it has both$/],
  ['notify that is no method', 'export default () => ({ name: "x", notify: 1 });', /whose notify is a method, it is of type number$/],
  ['stop that is no method', 'export default () => ({ name: "x", notify() {}, stop: true });', /whose stop is a method/],
  [
    'another position',
    'export default () => ({ name: "x", notify() {}, position: "late" });',
    /whose position is "early" or left out, it is "late"$/,
  ],
  ['a start that throws', 'export default () => ({ name: "x", notify() {}, start() { throw new Error("no"); } });', /can be started: no$/],
  [
    'a start that rejects',
    'export default () => ({ name: "x", notify() {}, async start() { throw new Error("no"); } });',
    /can be started: no$/,
  ],
] as const) {
  test(`a plugin with ${name} keeps the proxy from starting, and one line says why`, async (t) => {
    await assert.rejects(loadText(tempDir(t), text), (error) => {
      assert.ok(error instanceof PluginError);
      assert.match(error.message, /^plugin ".\/plugin.mjs": expected .+$/);
      assert.match(error.message, expected);
      assert.ok(error.message.endsWith(error.expected));
      assert.equal(error.module, './plugin.mjs');
      return true;
    });
  });
}

test('a missing file and a missing package are named', async (t) => {
  const dir = tempDir(t);
  await assert.rejects(load(dir, ['./none.js']), {
    message: `plugin "./none.js": expected an ES module that can be loaded (there is no file ${join(dir, 'none.js')})`,
  });
  await assert.rejects(load(dir, ['no-such-package']), {
    message: `plugin "no-such-package": expected an ES module that can be loaded (no package of this name is installed in ${dir} or above, or beside warctap)`,
  });
  await assert.rejects(load(dir, ['plugin.js']), /the path of a file begins with \.\/\)$/);
});

test('a function or a start that does not return is given up', async (t) => {
  const dir = tempDir(t);
  const timeoutMs = SHORT_MS;
  await assert.rejects(loadText(dir, 'export default () => new Promise(() => {});', { timeoutMs }), /did not return within 50 ms$/);
  writeFileSync(join(dir, 'start.mjs'), 'export default () => ({ name: "x", notify() {}, start: () => new Promise(() => {}) });');
  await assert.rejects(load(dir, ['./start.mjs'], { timeoutMs }), /a plugin that starts within 50 ms$/);
});

test('plugins that were started are stopped when a later one cannot be loaded', async (t) => {
  const dir = tempDir(t);
  writeFileSync(
    join(dir, 'good.mjs'),
    `import { writeFileSync } from 'node:fs'; export default ({ dir }) => ({ name: 'x', notify() {}, stop() { writeFileSync(dir + '/stopped', ''); } });`,
  );
  await assert.rejects(load(dir, ['./good.mjs', './none.mjs']), PluginError);
  assert.ok(existsSync(join(dir, 'stopped')));
});

test('a listener that throws loses no capture: it is logged once a batch, counted in the chain, and told of the others', async () => {
  const { log, lines } = recordingLog();
  const told: string[] = [];
  const plugin: Plugin = {
    name: 'Thrower',
    notify({ url }) {
      told.push(url);
      if (url.endsWith('bad')) throw new Error('cannot\nstand it');
    },
  };
  const urls = ['http://a/1', 'http://a/bad', 'http://a/2', 'http://b/bad'];
  const { done, chain } = await through(
    [pluginProcessor(plugin, { timeoutMs: 1000, log })],
    urls.map((url) => exchange({ url })),
  );
  assert.deepEqual(told, urls);
  assert.equal(done.length, 4);
  assert.deepEqual(chain.processors, [{ name: 'Thrower', queued: 0, errors: 2 }]);
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [['error', 'plugin Thrower failed for 2 of 4 captures: cannot stand it']],
  );
});

test('a processor that rejects is counted with all captures of its batch', async () => {
  const { log, lines } = recordingLog();
  const plugin: Plugin = { name: 'Rejecter', process: () => Promise.reject(new Error('no')) };
  const { done, chain } = await through([pluginProcessor(plugin, { timeoutMs: 1000, log })], [exchange(), exchange(), exchange()]);
  assert.equal(done.length, 3);
  assert.deepEqual(chain.processors, [{ name: 'Rejecter', queued: 0, errors: 3 }]);
  assert.equal(lines[0]!.message, 'plugin Rejecter failed for a batch of 3 captures: no');
});

test('what a plugin does to its list of captures takes none out of the chain', async () => {
  const plugin: Plugin = { name: 'Emptier', process: (batch) => void (batch as Capture[]).splice(0) };
  const { done } = await through([pluginProcessor(plugin, { timeoutMs: 1000, log: silentLog })], [exchange(), exchange()]);
  assert.equal(done.length, 2);
});

test('a chain counts the captures that one of its own processors has thrown for', async () => {
  const processor: Processor = {
    name: 'Own',
    process() {
      throw new Error('no');
    },
  };
  const { chain } = await through([processor], [exchange(), exchange()]);
  assert.deepEqual(chain.processors, [{ name: 'Own', queued: 0, errors: 2 }]);
});

for (const kind of ['notify', 'process'] as const) {
  test(`a plugin whose ${kind} hangs is passed by until it returns`, async () => {
    const { log, lines } = recordingLog();
    const calls: (() => void)[] = [];
    const hang = () => new Promise<void>((resolve) => calls.push(resolve));
    const plugin: Plugin = kind === 'notify' ? { name: 'Hanger', notify: hang } : { name: 'Hanger', process: hang };
    const processor = pluginProcessor(plugin, { timeoutMs: SHORT_MS, log });

    await processor.process([exchange(), exchange()]);
    assert.equal(calls.length, 1);
    assert.equal(processor.errors, 2);
    assert.equal(lines[0]!.message, 'plugin Hanger has not returned within 50 ms: captures pass it by until it does');

    await processor.process([exchange(), exchange(), exchange()]);
    assert.equal(calls.length, 1);
    assert.equal(processor.errors, 5);
    assert.equal(lines.length, 1);

    calls[0]!();
    await turn();
    assert.deepEqual([lines[1]!.level, lines[1]!.message], ['warn', 'plugin Hanger has returned after all and gets captures again']);
    assert.deepEqual(lines[1]!.fields, { plugin: 'Hanger', missed: 3 });
    const again = processor.process([exchange()]);
    await turn();
    assert.equal(calls.length, 2);
    calls[1]!();
    await again;
    assert.equal(processor.errors, 5);
  });
}

test('a plugin that fails after it was given up gets captures again, and breaks nothing', async () => {
  const { log, lines } = recordingLog();
  let fail: (error: Error) => void = () => undefined;
  let calls = 0;
  const plugin: Plugin = {
    name: 'Late',
    process: () => (calls++ === 0 ? new Promise((_, reject) => (fail = reject)) : undefined),
  };
  const processor = pluginProcessor(plugin, { timeoutMs: SHORT_MS, log });
  await processor.process([exchange()]);
  fail(new Error('at last'));
  await turn();
  assert.equal(lines[1]!.message, 'plugin Late has failed (at last) after all and gets captures again');
  await processor.process([exchange()]);
  assert.deepEqual([calls, processor.errors], [2, 1]);
});

test('a stop that throws or hangs keeps nothing from closing', async () => {
  const { log, lines } = recordingLog();
  const guard = { timeoutMs: SHORT_MS, log };
  const plugin = { name: 'x', notify: () => undefined };
  const throwing: Plugin = {
    ...plugin,
    stop() {
      throw new Error('no');
    },
  };
  await pluginProcessor(throwing, guard).close?.();
  await pluginProcessor({ ...plugin, stop: () => new Promise(() => undefined) }, guard).close?.();
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['plugin x failed to stop: no', 'plugin x has not stopped within 50 ms'],
  );
});

test('the example lists what was archived', async (t) => {
  const dir = tempDir(t);
  const { late } = await load('.', ['./examples/plugin.js'], { options: { dir } });
  const written: Capture = { ...exchange({ url: 'http://a/1' }), outcome: { archive: true, records: [record()] } };
  await through(late, [written, failure()]);
  assert.equal(
    readFileSync(join(dir, 'captures.jsonl'), 'utf8'),
    '{"url":"http://a/1","date":"2024-02-03T04:05:06.789Z","type":"response","filename":"P.warc","offset":5}\n',
  );
});

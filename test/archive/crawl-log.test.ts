import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Capture } from '../../src/capture/capture.ts';
import { NO_META } from '../../src/meta/meta.ts';
import { crawlLog, type CrawlLogOptions } from '../../src/archive/crawl-log.ts';
import type { Processor } from '../../src/archive/processor.ts';
import { silentLog } from '../../src/util/log.ts';
import { recordingLog } from '../ca/support.ts';
import { exchange, failure, tempDir } from '../warc/support.ts';

function logger(dir: string, changes: Partial<CrawlLogOptions> = {}): Processor {
  const now = () => new Date('2024-02-03T04:05:07.001Z');
  return crawlLog({ dir, hostname: 'machine.example.org', port: () => 8000, maxOpenFiles: 10, now, log: silentLog, ...changes });
}

function at(url: string, warcPrefix?: string): Capture {
  return { ...exchange({ url }), meta: { ...NO_META, warcPrefix } };
}

/** URLs of the lines of a file; a line without one as it is. */
function logged(dir: string, prefix: string): string[] {
  const text = readFileSync(join(dir, `${prefix}-machine-8000.log`), 'utf8');
  assert.ok(text.endsWith('\n'));
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => line.split(/ +/)[3] ?? line);
}

/** Files of a folder that this process holds open. */
function openIn(dir: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the one that listed the folder
    }
  });
  return targets.filter((target) => target.startsWith(`${dir}/`)).length;
}

test('each prefix has its file, and what comes without one is in crawl-HOST-PORT.log', async (t) => {
  const dir = join(tempDir(t), 'made', 'here');
  const log = logger(dir);
  assert.equal(log.name, 'CrawlLogger');
  await log.process([at('http://a/1'), at('http://b/1', 'job b'), { ...failure(), url: 'http://a/2' }, at('http://b/2', 'job b')]);
  await log.process([at('http://a/3')]);
  await log.close?.();
  assert.deepEqual(readdirSync(dir).sort(), ['crawl-machine-8000.log', 'job b-machine-8000.log']);
  assert.deepEqual(logged(dir, 'crawl'), ['http://a/1', 'http://a/2', 'http://a/3']);
  assert.deepEqual(logged(dir, 'job b'), ['http://b/1', 'http://b/2']);
});

test("the proxy's own prefix names no log file", async (t) => {
  const dir = tempDir(t);
  const log = logger(dir);
  await log.process([{ ...at('http://a/'), warcPrefix: 'OWN' }]);
  await log.close?.();
  assert.deepEqual(readdirSync(dir), ['crawl-machine-8000.log']);
});

test('a log is appended to by the next run', async (t) => {
  const dir = tempDir(t);
  for (const url of ['http://a/1', 'http://a/2']) {
    const log = logger(dir);
    await log.process([at(url)]);
    await log.close?.();
  }
  assert.deepEqual(logged(dir, 'crawl'), ['http://a/1', 'http://a/2']);
});

test('half a line that a crash has left is ended before the next one', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'crawl-machine-8000.log'), 'whole\n2024-02-03T04');
  const log = logger(dir);
  await log.process([at('http://a/1')]);
  await log.close?.();
  assert.deepEqual(logged(dir, 'crawl'), ['whole', '2024-02-03T04', 'http://a/1']);
});

test('a log that was moved or deleted while it is open begins anew', async (t) => {
  const dir = tempDir(t);
  const log = logger(dir);
  await log.process([at('http://a/1')]);
  renameSync(join(dir, 'crawl-machine-8000.log'), join(dir, 'rotated-machine-8000.log'));
  await log.process([at('http://a/2')]);
  assert.deepEqual(logged(dir, 'rotated'), ['http://a/1']);
  assert.deepEqual(logged(dir, 'crawl'), ['http://a/2']);
  rmSync(join(dir, 'crawl-machine-8000.log'));
  await log.process([at('http://a/3')]);
  assert.deepEqual(logged(dir, 'crawl'), ['http://a/3']);
  assert.equal(openIn(dir), 1);
  await log.close?.();
});

test('no more files are open than the bound says, and none after the end', async (t) => {
  const dir = tempDir(t);
  const log = logger(dir, { maxOpenFiles: 3 });
  const prefixes = Array.from({ length: 10 }, (_, index) => `p${index}`);
  for (const path of ['1', '2']) {
    await log.process(prefixes.map((prefix) => at(`http://${prefix}/${path}`, prefix)));
    assert.equal(openIn(dir), 3);
  }
  await log.close?.();
  assert.equal(openIn(dir), 0);
  for (const prefix of prefixes) assert.deepEqual(logged(dir, prefix), [`http://${prefix}/1`, `http://${prefix}/2`]);
});

test('a log that cannot be written loses its lines only, which are counted, and is complained of once', async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'bad-machine-8000.log'));
  const { log: messages, lines } = recordingLog();
  const log = logger(dir, { log: messages });
  const batch = [at('http://bad/1', 'bad'), at('http://good/1', 'good'), at('http://bad/2', 'bad')];
  await log.process(batch);
  await log.process(batch);
  assert.deepEqual(logged(dir, 'good'), ['http://good/1', 'http://good/1']);
  assert.equal(log.errors, 4);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['error'],
  );
  assert.match(lines[0]!.message, /^crawl log cannot be written: EISDIR/);

  rmSync(join(dir, 'bad-machine-8000.log'), { recursive: true });
  await log.process(batch);
  assert.equal(log.errors, 4);
  assert.deepEqual(logged(dir, 'bad'), ['http://bad/1', 'http://bad/2']);
  await log.close?.();
});

test('a folder that cannot be made is counted, not thrown', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), '');
  const log = logger(join(dir, 'file', 'logs'));
  await log.process([at('http://a/')]);
  assert.equal(log.errors, 1);
  await log.close?.();
});

test('a prefix that is a path is not followed', async (t) => {
  const dir = tempDir(t);
  const log = logger(join(dir, 'logs'));
  await log.process([at('http://a/', '../outside')]);
  await log.close?.();
  assert.equal(log.errors, 1);
  assert.deepEqual(readdirSync(dir), []);
});

/** The command of `--on-finished`: what it is told, and how it may end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandStep } from '../../src/finished/command.ts';
import type { FinishedFile } from '../../src/finished/step.ts';
import { startOrigin } from '../support/origin.ts';
import { get, ok } from '../support/messages.ts';
import { startProxy } from '../support/proxy.ts';
import { RawClient } from '../support/client.ts';
import { tempDir } from '../warc/support.ts';

const FILE: FinishedFile = { file: '/x/a b.warc.gz', path: 'a b.warc.gz', prefix: 'P', size: 12, digest: 'sha256:ab' };
const { signal } = new AbortController();
const skip = process.platform === 'win32' && 'needs a POSIX shell';

test('it is told of the file in its environment, as it is', { skip }, async (t) => {
  const out = join(tempDir(t), 'out');
  const command = `printf '%s|' "$WARC_FILE" "$WARC_SIZE" "$WARC_DIGEST" "$WARC_PREFIX" > '${out}'`;
  await commandStep({ command, timeoutMs: 60_000 }).run(FILE, signal);
  assert.equal(readFileSync(out, 'utf8'), '/x/a b.warc.gz|12|sha256:ab|P|');
});

test('how it has ended is told, with the last line of what it says', { skip }, async () => {
  const failing = (command: string, timeoutMs = 60_000, end = signal) =>
    assert.rejects(commandStep({ command, timeoutMs }).run(FILE, end), ({ message }: Error) => {
      told = message;
      return true;
    });
  let told = '';
  await failing('echo one >&2; printf "t\\033wo" >&2; exit 3');
  assert.equal(told, 'the command has ended with exit code 3, saying "t?wo"');
  await failing('kill -9 $$');
  assert.equal(told, 'the command was ended by SIGKILL');
  // PATH need not have sleep.
  const sleeping = `'${process.execPath}' -e 'setInterval(() => 0, 100000)'`;
  await failing(`${sleeping} & wait`, 200);
  assert.equal(told, 'the command has not ended within 0.2 s');
  const ending = new AbortController();
  const ended = failing(sleeping, 60_000, ending.signal);
  ending.abort();
  await ended;
  assert.match(told, /as the program ends$/);
});

test('the proxy runs it for each file, at the latest when it closes, and tells of it in /status', { skip }, async (t) => {
  const out = join(tempDir(t), 'out');
  await using origin = await startOrigin(({ path, socket }) => socket.write(ok(path.repeat(2000))));
  await using proxy = await startProxy({ onFinished: `echo "$WARC_PREFIX $WARC_SIZE $WARC_FILE" >> '${out}'`, size: 5000, prefix: 'S P' });
  using client = await RawClient.connect(proxy.port);
  for (const path of ['/a', '/b']) {
    client.send(get(`${origin.url}${path}`));
    await client.response();
  }
  client.send('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.match((await client.response()).body.toString(), /"finished_files": \{\s+"waiting": \d,\s+"steps": \[\s+\{\s+"step": "command"/);
  const dir = join(proxy.dir, 'warcs');
  await proxy.proxy.close();
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  assert.ok(lines.length >= 2, lines.join('\n'));
  for (const line of lines) {
    const [, size = '', file = ''] = /^S P (\d+) (.*)$/.exec(line) ?? [];
    assert.ok(file.startsWith(join(dir, 'S P-')), line);
    assert.equal(readFileSync(file).length, Number(size));
  }
});

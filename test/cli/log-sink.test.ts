import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LogSink } from '../../src/cli/log-sink.ts';
import { tool } from '../support/tools.ts';

/** A real pipe, both ends of which do not block. */
function pipe(t: TestContext): { readonly fd: number; readonly read: () => string; readonly hangUp: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-pipe-'));
  const path = join(dir, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  let open = true;
  const hangUp = () => {
    if (open) closeSync(reader);
    open = false;
  };
  t.after(() => {
    hangUp();
    closeSync(fd);
    rmSync(dir, { recursive: true });
  });
  return {
    fd,
    hangUp,
    read() {
      const into = Buffer.alloc(4 * 1024 * 1024);
      let size = 0;
      try {
        for (let read = 1; read > 0; size += read) read = readSync(reader, into, size, into.length - size, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      return into.toString('utf8', 0, size);
    },
  };
}

const { skip } = tool('mkfifo');
const line = (nth: number) => `${nth} ${'x'.repeat(100)}\n`;

test('a line is out when write returns', { skip }, (t) => {
  const { fd, read } = pipe(t);
  const sink = new LogSink({ fd, onDropped: () => assert.fail() });
  sink.write('one\n');
  assert.equal(read(), 'one\n');
});

test('what a full pipe does not take comes later, whole and in order; what does not fit is counted', { skip }, async (t) => {
  const { fd, read } = pipe(t);
  const told = new EventEmitter();
  const dropped: number[] = [];
  const sink = new LogSink({
    fd,
    maxBytes: 50_000,
    onDropped: (lines) => {
      dropped.push(lines);
      sink.write(`dropped ${lines}\n`);
      told.emit('dropped');
    },
  });
  const sent = 5000;
  for (let nth = 0; nth < sent; nth++) sink.write(line(nth));
  // The buffer has a timer that keeps no process alive.
  const alive = setInterval(() => undefined, 1000);
  const waiting = once(told, 'dropped');
  let text = read();
  while (dropped.length === 0) {
    await Promise.race([waiting, new Promise(setImmediate)]);
    text += read();
  }
  clearInterval(alive);
  sink.write('after\n');
  text += read();
  const kept = sent - dropped[0]!;
  assert.ok(kept > 500 && kept < sent);
  assert.equal(text, `${Array.from({ length: kept }, (_, nth) => line(nth)).join('')}dropped ${dropped[0]}\nafter\n`);
});

test('the end waits for a reader no longer than it is told, and not at all for one who has left', { skip }, (t) => {
  const { fd, hangUp } = pipe(t);
  const sink = new LogSink({ fd, onDropped: () => assert.fail() });
  for (let nth = 0; nth < 2000; nth++) sink.write(line(nth));
  sink.flush(20);
  hangUp();
  sink.flush(60_000);
  sink.write('nobody is there\n');
});

/** What a program shows while it runs, by a clock that tests set. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import type { LogLevel } from '../../src/cli/gather.ts';
import { createLog } from '../../src/cli/log.ts';
import { Screen } from '../../src/cli/screen.ts';
import { watch, type WatchOptions } from '../../src/cli/watch.ts';
import type { Figures } from '../../src/programs/figures.ts';
import { exchangeCapture, failedCapture } from '../support/captures.ts';
import { NO_FIGURES } from './figures.ts';

const ERASE = '\r\x1b[J';

interface SetUp extends Partial<WatchOptions> {
  readonly people?: boolean;
  readonly level?: LogLevel;
}

function setUp(t: TestContext, { people = false, level = 'info', ...options }: SetUp = {}) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let written: string[] = [];
  let ms = 0;
  const sink = { write: (text: string) => written.push(text) };
  const screen = people ? new Screen(sink, () => 80) : undefined;
  const log = createLog({ level, output: screen ?? sink });
  const program = Object.assign(new EventEmitter(), { now: NO_FIGURES, figures: (): Figures => program.now });
  const watching = watch(program, { log, screen, live: people, summarySeconds: 60, nowMs: () => ms, ...options });
  return {
    log,
    program,
    watching,
    pass: (passMs: number) => {
      ms += passMs;
      t.mock.timers.tick(passMs);
    },
    written: () => {
      const before = written;
      written = [];
      return before;
    },
  };
}

const figures = (captures: number): Figures => ({ ...NO_FIGURES, captures, new: captures, warcBytes: captures * 1000, warcFiles: 1 });

describe('on a terminal', () => {
  test('one line is drawn over and over, four times a second at most, and only when it changed', (t) => {
    const { program, pass, written } = setUp(t, { people: true });
    assert.deepEqual(written(), [`${ERASE}waiting for the first request\r`]);
    for (let i = 1; i <= 20; i++) {
      program.now = figures(i);
      pass(50);
    }
    const drawn = written();
    assert.equal(drawn.length, 4);
    assert.equal(drawn[3], `${ERASE}20 captures (20 new, 0 dup) · 0 errors · 20.0 kB · 20.0/s · 1 file\r`);
    pass(30_000);
    assert.match(written().at(-1) ?? '', /· 0\.0\/s ·/, 'the rate is that of the last seconds');
    pass(30_000);
    assert.deepEqual(written(), []);
  });

  test('lines of the log stand above it', (t) => {
    const { log, program, pass, written } = setUp(t, { people: true });
    program.now = figures(1);
    pass(250);
    written();
    log.warn({}, 'hello');
    const [write = '', ...more] = written();
    assert.deepEqual(more, []);
    assert.ok(write.startsWith(ERASE), JSON.stringify(write));
    assert.match(write, /WARN {2}hello\n1 capture \(.*\r$/);
  });

  test('at the end it is erased, and what was done is left as a line', (t) => {
    const { program, watching, pass, written } = setUp(t, { people: true });
    program.now = figures(7);
    pass(61_000);
    written();
    watching.end();
    assert.deepEqual(written(), [ERASE, '7 captures (7 new, 0 duplicates) · 0 errors · 7.00 kB in 1 file · 1 min 1 s\n']);
    pass(10_000);
    assert.deepEqual(written(), []);
  });

  test('with --quiet there is none', (t) => {
    const { program, watching, pass, written } = setUp(t, { people: true, level: 'warn' });
    program.now = figures(7);
    pass(61_000);
    watching.end();
    assert.deepEqual(written(), []);
  });

  test('one that cannot erase gets a summary instead', (t) => {
    const { program, pass, written } = setUp(t, { people: true, live: false });
    program.now = figures(7);
    pass(59_999);
    assert.deepEqual(written(), []);
    pass(1);
    assert.match(written().join(''), /^[\d:]{8} INFO {2}archived so far\n {9}captures=7 new=7 [^\x1b]*$/);
  });
});

describe('without a terminal', () => {
  const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

  test('the log says every minute what was archived, and nothing when that is nothing', (t) => {
    const { program, watching, pass, written } = setUp(t);
    pass(180_000);
    assert.deepEqual(written(), []);
    program.now = { ...figures(120), duplicates: 20, new: 99, errors: 2, queued: 3, warcBytes: 5000 };
    pass(60_000);
    const [line, ...more] = parsed(written());
    assert.deepEqual(more, []);
    const { time, ...rest } = line ?? {};
    assert.match(String(time), /^\d{4}-/);
    assert.deepEqual(rest, {
      level: 'info',
      captures: 120,
      new: 99,
      duplicates: 20,
      errors: 2,
      warcBytes: 5000,
      warcFiles: 1,
      perSecond: 0.5,
      queued: 3,
      msg: 'archived so far',
    });
    pass(600_000);
    assert.deepEqual(written(), [], 'idle');
    program.now = { ...program.now, errors: 3 };
    watching.end();
    assert.deepEqual(
      parsed(written()).map(({ errors }) => errors),
      [3],
      'the end is told without a minute to wait',
    );
    pass(60_000);
    assert.deepEqual(written(), []);
  });

  test('as often as it is told, or never', (t) => {
    const often = setUp(t, { summarySeconds: 5 });
    often.program.now = figures(1);
    often.pass(5000);
    assert.equal(often.written().length, 1);
    t.mock.timers.reset();
    const never = setUp(t, { summarySeconds: 0 });
    never.program.now = figures(1);
    never.pass(3_600_000);
    never.watching.end();
    assert.deepEqual(never.written(), []);
  });
});

test('with --verbose each capture is a line, and only then', (t) => {
  const verbose = setUp(t, { level: 'verbose' });
  const written = { id: '', type: 'response', date: '', filename: 'a.warc', offset: 0, length: 1 };
  const capture = exchangeCapture('http://a/');
  const outcome = (type: string) => ({ ...capture, outcome: { archive: true, records: [{ ...written, type }] } });
  for (const each of [outcome('response'), outcome('revisit'), capture, failedCapture('http://b/')]) verbose.program.emit('capture', each);
  const lines = verbose.written().map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ time, ...rest }) => (assert.ok(time), rest)),
    [
      ...['new', 'dup', 'skipped'].map((archived) => ({
        level: 'verbose',
        method: 'GET',
        status: 204,
        size: 27,
        archived,
        url: 'http://a/',
        msg: 'captured',
      })),
      { level: 'verbose', method: 'GET', status: 502, size: 0, archived: 'failed', url: 'http://b/', msg: 'captured' },
    ],
  );
  t.mock.timers.reset();
  const usual = setUp(t);
  usual.program.emit('capture', capture);
  assert.deepEqual(usual.written(), []);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogLevel } from '../../src/cli/gather.ts';
import { createLog, type ProgramLog } from '../../src/cli/log.ts';
import { Screen, type Sink } from '../../src/cli/screen.ts';

const fault = Object.assign(new Error('not there', { cause: new Error('because') }), { code: 'ENOENT' });

function keep(): { sink: Sink; lines: () => string[] } {
  let text = '';
  return {
    sink: { write: (piece) => (text += piece) },
    lines: () => text.split('\n').filter((line) => line !== ''),
  };
}

function json(level: LogLevel, write: (log: ProgramLog) => void): string[] {
  const { sink, lines } = keep();
  write(createLog({ level, output: sink }));
  return lines();
}

/** For people, without the times. */
function told(
  write: (log: ProgramLog) => void,
  { level = 'info', columns = 80, colour = false }: { level?: LogLevel; columns?: number; colour?: boolean } = {},
): string[] {
  const { sink, lines } = keep();
  write(createLog({ level, output: new Screen(sink, () => columns), colour }));
  return lines().map((line) => line.replace(/^\d\d:\d\d:\d\d /, 'TT:TT:TT '));
}

test('JSON lines have time, level, fields and message', () => {
  const [line = '', ...more] = json('info', (log) => {
    log.info({ url: 'http://a/' }, 'hello');
    log.debug({}, 'too quiet');
    log.verbose({}, 'too quiet');
  });
  assert.deepEqual(more, []);
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(rest, { level: 'info', url: 'http://a/', msg: 'hello' });
  assert.match(
    json('info', (log) => log.error({ err: fault }, 'sorry'))[0] ?? '',
    /"err":{"type":"Error","message":"not there","code":"ENOENT","cause":/,
  );
});

test('stacks are shown at the level trace only', () => {
  const write = (log: ProgramLog) => log.error({ err: fault }, 'sorry');
  const [verbose = ''] = json('verbose', write);
  const [trace = ''] = json('trace', write);
  assert.doesNotMatch(verbose, /log\.test/);
  assert.match(trace, /"stack":"Error: not there.*log\.test/);
  assert.ok(told(write, { level: 'trace' }).some((line) => /^ {4}at .*log\.test/.test(line)));
});

test('the level may change while it runs', () => {
  const lines = json('info', (log) => {
    log.level = 'warn';
    log.info({}, 'too quiet');
    log.level = 'trace';
    log.error({ err: fault }, 'sorry');
  });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"stack":/);
});

test('secrets are taken out', () => {
  const fields = { socksProxyPassword: 'hunter2', headers: { 'Proxy-Authorization': 'hunter2', authorization: 'hunter2' } };
  const write = (log: ProgramLog) => log.info(fields, 'hello');
  for (const text of [json('info', write), told(write)].map((lines) => lines.join('\n'))) {
    assert.match(text, /\(secret\)/);
    assert.doesNotMatch(text, /hunter2/);
  }
});

describe('for people', () => {
  test('a line has time, level, message and details as key=value', () => {
    const lines = told((log) => {
      log.warn({ url: 'http://a/?b=c', status: 502, tags: ['x', 'y'], deep: { er: true }, empty: '' }, 'hello');
      log.debug({}, 'too quiet');
    });
    assert.deepEqual(lines, ['TT:TT:TT WARN  hello url=http://a/?b=c status=502 tags=x,y deep.er=true empty=""']);
  });

  test('details that do not fit behind the message stand below it', () => {
    const url = 'http://www.example.com/a/path/of/some/length';
    assert.deepEqual(
      told((log) => log.info({ status: 502, url }, 'origin closed the connection without an answer')),
      ['TT:TT:TT INFO  origin closed the connection without an answer', `         status=502 url=${url}`],
    );
  });

  test('what is longer than the terminal is wide goes on below, and a URL stays whole', () => {
    const url = `http://www.example.com/${'long/'.repeat(30)}`;
    const [message, more, last, ...rest] = told((log) => log.error({ code: 'not-resolved', url }, `${'word '.repeat(15)}end`));
    assert.equal(message, `TT:TT:TT ERROR ${'word '.repeat(13).trim()}`);
    assert.equal(more, '         word word end');
    assert.equal(last, '         code=not-resolved');
    assert.deepEqual(rest, [`         url=${url}`]);
  });

  test('every line but those of one long word fits, at every width', () => {
    for (let columns = 20; columns <= 200; columns++) {
      const lines = told(
        (log) => log.warn({ dir: './warcs', freeBytes: 1234, err: fault }, 'too little space left: requests are answered 503'),
        { columns },
      );
      for (const line of lines) assert.ok(line.length <= columns || !line.trim().includes(' '), `${columns}: ${line}`);
      const whole = lines.join(' ').replace(/ +/g, ' ');
      assert.equal(
        whole,
        'TT:TT:TT WARN too little space left: requests are answered 503 dir=./warcs freeBytes=1234 err="not there: because" err.code=ENOENT',
      );
    }
  });

  test('of an error, what the message has not said', () => {
    assert.deepEqual(
      told((log) => log.error({ err: fault }, 'closing failed: not there')),
      ['TT:TT:TT ERROR closing failed: not there err=because err.code=ENOENT'],
    );
  });

  test('nothing that clients and origins say is obeyed by the terminal', () => {
    const nasty = 'a\x1b[2Jb\u009b31mc\u202ed\x07\x00';
    const text = told((log) => log.info({ [nasty]: nasty, url: 'x\r\ny', err: new Error(nasty) }, `${nasty}\nline`)).join('\n');
    assert.doesNotMatch(text, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.match(text, /INFO {2}a\\u001b\[2Jb/);
    assert.match(text, /url="x y"/);
  });

  test('colours are for terminals that have them', () => {
    const write = (log: ProgramLog) => log.warn({ key: 'value' }, 'hello');
    const coloured = told(write, { colour: true }).join('');
    assert.match(coloured, /\x1b\[33mWARN \x1b\[0m hello \x1b\[2mkey=value\x1b\[0m$/);
    assert.doesNotMatch(told(write).join(''), /\x1b/);
  });

  test('a capture is a row', () => {
    const capture = { method: 'GET', status: 200, size: 12_345, archived: 'new', type: 'text/html', url: 'http://a/b' };
    const write = (log: ProgramLog) => {
      log.verbose(capture, 'captured');
      log.verbose({ ...capture, archived: 'skipped', type: undefined, size: 0 }, 'captured');
    };
    assert.deepEqual(told(write, { level: 'verbose', columns: 200 }), [
      'TT:TT:TT GET  200 12.3 kB new     text/html  http://a/b',
      'TT:TT:TT GET  200     0 B skipped -          http://a/b',
    ]);
    assert.match(told(write, { level: 'verbose' })[0] ?? '', /new {5}html {7}http:\/\/a\/b$/);
    assert.deepEqual(told(write), []);
    const long = (log: ProgramLog) => log.verbose({ ...capture, url: `http://www.example.com/${'long/'.repeat(30)}end.html` }, 'captured');
    for (const columns of [62, 80, 200, 300]) {
      const [row = '', ...more] = told(long, { level: 'verbose', columns });
      assert.deepEqual(more, []);
      assert.equal(row.length, columns === 300 ? row.length : columns);
      assert.match(row, columns === 300 ? /(long\/){30}end\.html$/ : /http:\/\/.*….*end\.html$/);
    }
  });
});

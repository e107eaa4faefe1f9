import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createLog, type LogOptions } from '../../src/cli/log.ts';
import { readAllNow } from '../support/read-all.ts';

async function linesOf(
  options: Omit<LogOptions, 'output'>,
  write: (log: Awaited<ReturnType<typeof createLog>>) => void,
): Promise<string[]> {
  const output = new PassThrough();
  write(await createLog({ ...options, output }));
  await new Promise((done) => setImmediate(done));
  return readAllNow(output)
    .split('\n')
    .filter((line) => line !== '');
}

const fault = Object.assign(new Error('not there', { cause: new Error('because') }), { code: 'ENOENT' });

test('JSON lines have time, level, fields and message', async () => {
  const [line = '', ...more] = await linesOf({ level: 'info', pretty: false }, (log) => {
    log.info({ url: 'http://a/' }, 'hello');
    log.debug({}, 'too quiet');
  });
  assert.deepEqual(more, []);
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(rest, { level: 'info', url: 'http://a/', msg: 'hello' });
});

test('on a terminal there is one line that a person can read', async () => {
  const lines = await linesOf({ level: 'warn', pretty: true }, (log) => {
    log.warn({ url: 'http://a/' }, 'hello');
    log.error({ err: fault }, 'sorry');
    log.info({}, 'too quiet');
  });
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: hello \{"url":"http:\/\/a\/"\}$/);
  assert.match(lines[1]!, /ERROR: sorry \{"err":\{"type":"Error","message":"not there","code":"ENOENT","cause":/);
});

test('colours are for terminals that have them', async () => {
  const coloured = await linesOf({ level: 'info', pretty: true, colour: true }, (log) => log.info({}, 'hello'));
  assert.ok(coloured[0]?.includes('\u001b['));
});

test('stacks are shown at the level trace only', async () => {
  const write = (log: Awaited<ReturnType<typeof createLog>>) => log.error({ err: fault }, 'sorry');
  const [debug = ''] = await linesOf({ level: 'debug', pretty: false }, write);
  const [trace = ''] = await linesOf({ level: 'trace', pretty: false }, write);
  assert.doesNotMatch(debug, /log\.test/);
  assert.match(trace, /"stack":"Error: not there.*log\.test/);
});

test('secrets are taken out', async () => {
  const fields = { socksProxyPassword: 'hunter2', headers: { 'Proxy-Authorization': 'hunter2', authorization: 'hunter2' } };
  for (const pretty of [true, false]) {
    const [line = ''] = await linesOf({ level: 'info', pretty }, (log) => log.info(fields, 'hello'));
    assert.match(line, /\(secret\)/);
    assert.doesNotMatch(line, /hunter2/);
  }
});

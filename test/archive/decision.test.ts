import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isToBeArchived, turnDownUnreadable } from '../../src/archive/decision.ts';
import { silentLog } from '../../src/util/log.ts';
import { Spool } from '../../src/util/spool.ts';
import { custom, exchange, failure } from './dedup-support.ts';

const NONE = new Set<string>();
const GET = new Set(['GET']);

test('an exchange is archived unless a filter, its prefix or its method speaks against it', () => {
  assert.ok(isToBeArchived(exchange(), NONE));
  assert.ok(isToBeArchived(exchange({ method: 'POST' }), NONE));
  assert.ok(isToBeArchived(exchange({ method: 'get' }), GET));
  assert.ok(!isToBeArchived(exchange({ method: 'POST' }), GET));
  assert.ok(!isToBeArchived(exchange({ warcPrefix: '-' }), NONE));
  assert.ok(isToBeArchived(exchange({ warcPrefix: '--' }), NONE));
  const filtered = exchange();
  filtered.outcome.archive = false;
  assert.ok(!isToBeArchived(filtered, NONE));
});

test('custom records are archived whatever the methods, failures never', () => {
  assert.ok(isToBeArchived(custom('text/plain', 'x'), GET));
  assert.ok(!isToBeArchived({ ...custom('text/plain', 'x'), warcPrefix: '-' }, GET));
  const failed = failure();
  failed.outcome.archive = true;
  assert.ok(!isToBeArchived(failed, NONE));
});

test('a capture in memory is not waited for, one whose temporary file failed is turned down and logged once', async () => {
  const errors: string[] = [];
  const log = { ...silentLog, error: (_: object, message: string) => errors.push(message) };
  assert.equal(turnDownUnreadable([exchange(), custom('text/plain', 'x')], log), undefined);
  const spilled = exchange({ maxMemoryBytes: 1 });
  const broken = new Spool({ maxMemoryBytes: 1, dir: join(tmpdir(), 'no', 'such', 'folder') });
  broken.append(Buffer.from('hello'));
  const lost = { ...exchange(), request: { bytes: broken, digest: '' } };
  await turnDownUnreadable([spilled, lost], log);
  await turnDownUnreadable([lost], log);
  assert.deepEqual([spilled.outcome.archive, lost.outcome.archive, errors.length], [true, false, 1]);
  spilled.response.bytes.release();
});

/** The client's side of what a program fetches: what holds it back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchError } from '../../src/http/fetch-error.ts';
import { InnerClient } from '../../src/programs/inner-client.ts';
import { responseHead } from '../support/client-side.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

for (const how of ['end', 'fail'] as const) {
  test(`while the queue of captures is full, an answer that has come to its ${how} does not end`, async () => {
    const client = new InnerClient({});
    client.head(responseHead(200, 'OK'));
    client.body(Buffer.from('all'), [Buffer.from('all')]);
    let room = () => {};
    const accepted = new Promise<void>((resolve) => (room = resolve));
    if (how === 'end') client.end(accepted);
    else client.fail(new FetchError('invalid-response', 'cut'), accepted);
    const pieces = client.pieces();
    assert.equal(String((await pieces.next()).value), 'all');
    let over = false;
    const rest = pieces.next().finally(() => (over = true));
    await settle();
    assert.equal(over, false);
    room();
    if (how === 'end') assert.equal((await rest).done, true);
    else await assert.rejects(rest, { message: 'cut' });
  });
}

test('a fetch without an answer is told only when there is room for more', async () => {
  const client = new InnerClient({});
  let room = () => {};
  client.fail(new FetchError('empty-response', 'nothing'), new Promise((resolve) => (room = resolve)));
  let told = false;
  const answered = client.answered.finally(() => (told = true));
  answered.catch(() => undefined);
  await settle();
  assert.equal(told, false);
  room();
  await assert.rejects(answered, { code: 'empty-response' });
});

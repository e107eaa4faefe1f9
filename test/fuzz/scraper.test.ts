/** Any line for the scraper helper: one answer, on one line, of a kind that is known; and it goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ScraperClient } from '../../src/scraper/client.ts';
import { lineOf } from '../../src/scraper/message.ts';
import { answerTo } from '../../src/scraper/serve.ts';
import { fuzz, LONG, mutate, mutations, named, Tally } from './support.ts';

// Nothing that asks a server.
const SEEDS = [
  '{"type":"ping"}',
  '{"type":"set_mock","content":{"secrets":{"users":[{"username":"a","password":"b"}],"user":{"username":"u"},"n":1.10}}}',
  '{"type":"send_cv","content":{"referenceNumber":"abc","n":12345678901234567890,"list":[1,{"x":"\\u00e9"}]}}',
  '{"type":"get_secret","content":{"encryption_key":"k","key":"n"}}',
  '{"type":"get_users_secret","content":{}}',
  '{"type":"get_user_secret","content":{"key":"user"}}',
  '{"type":"set_cached_reference","content":"abc"}',
  '{"type":"has_cached_reference","content":"abc"}',
].map((text) => Buffer.from(text));
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\',
  '\\u',
  'null',
  '{}',
  '[]',
  '"type"',
  '"content"',
  '"__proto__"',
  '1e999',
  ' ',
  '\t',
  '\0',
  '\u2028',
];

test('mutated requests', LONG, async (t) => {
  const tally = new Tally();
  const client = new ScraperClient();
  const line = fc.constantFrom(...SEEDS);
  const property = fc.asyncProperty(line, line, fc.oneof(fc.constant([]), mutations(TOKENS, 2)), async (seed, other, changes) => {
    const bytes = mutate(seed, changes, other);
    const text = lineOf(await answerTo(client, bytes.toString()));
    named(bytes, () => {
      assert.match(text, /^[^\n]*\n$/);
      const answer = JSON.parse(text) as { type: string; content?: unknown };
      assert.ok(['ok', 'pong', 'error'].includes(answer.type));
      if (answer.type === 'error') assert.equal(typeof answer.content, 'string');
      tally.add(answer.type);
    });
  });
  await fuzz(t, property, 3_000, tally);
  assert.ok(
    ['ok', 'pong', 'error'].every((kind) => tally.of(kind) > 20),
    String(tally),
  );
  assert.deepEqual(await answerTo(client, '{"type":"ping"}'), { type: 'pong' });
});

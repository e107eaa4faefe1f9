/** What a scraper sees of the helper, line by line. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { READY, start, startKnown, startRtCv } from './support.ts';

const OK = '{"type":"ok"}';
const error = (content: string) => JSON.stringify({ type: 'error', content });
const ok = (content: unknown) => JSON.stringify({ type: 'ok', content });

describe('the line protocol', () => {
  test('begins with ready, answers each line in order, and ends with 0 at the end of input', async (t) => {
    const helper = start(t, { args: ['anything', '-else'] });
    assert.equal(await helper.next(), READY);
    helper.child.stdin.end('{"type":"ping","content":5}\r\n\t {"type":"ping","more":1}  \n{"type":"x","type":"ping"}');
    for (let i = 0; i < 3; i++) assert.equal(await helper.next(), '{"type":"pong"}');
    assert.equal(await helper.next(), undefined);
    assert.deepEqual(await helper.ended, { code: 0, signal: null, errors: '' });
  });

  test('is the same as a command of warctap', async (t) => {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const helper = start(t, { entry: [main, 'scraper'] });
    assert.equal(await helper.next(), READY);
    assert.equal(await helper.ask({ type: 'ping' }), '{"type":"pong"}');
    helper.child.stdin.end();
    assert.equal((await helper.ended).code, 0);
  });

  const BAD: readonly (readonly [string, RegExp])[] = [
    ['', /^the line is empty/],
    ['no json', /^the line is no JSON$/],
    ['{"type":"ping"} and more', /^the line is no JSON from character 16 on$/],
    ['[{"type":"ping"}]', /^expected an object/],
    ['"ping"', /^expected an object/],
    ['1', /^expected an object/],
    ['{"type":5}', /^type is expected to be a string$/],
    ['{"type":["ping"]}', /^type is expected to be a string$/],
    ['{}', /^unknown message type $/],
    ['null', /^unknown message type $/],
    ['{"type":"Ping"}', /^unknown message type Ping$/],
    ['{"type":"constructor"}', /^unknown message type constructor$/],
    ['{"type":"__proto__"}', /^unknown message type __proto__$/],
    ['{"type":"set_credentials"}', /^content is missing$/],
    ['{"type":"set_multiple_credentials"}', /^content is missing$/],
    ['{"type":"get_secret"}', /^content is missing$/],
    ['{"type":"get_users_secret"}', /^content is missing$/],
    ['{"type":"get_user_secret"}', /^content is missing$/],
    ['{"type":"set_cached_reference"}', /^content is missing$/],
    ['{"type":"set_short_cached_reference"}', /^content is missing$/],
    ['{"type":"has_cached_reference"}', /^content is missing$/],
    ['{"type":"send_cv"}', /^cv expected to be an object$/],
    ['{"type":"send_cv","content":[]}', /^cv expected to be an object$/],
    ['{"type":"send_cv","content":"x"}', /^cv expected to be an object$/],
    ['{"type":"send_cv","content":null}', /^referenceNumber field does not exists$/],
    ['{"type":"send_cv","content":{}}', /^referenceNumber field does not exists$/],
    ['{"type":"send_cv","content":{"referenceNumber":5}}', /^referenceNumber is expected to be a string$/],
    ['{"type":"send_cv","content":{"referenceNumber":null}}', /^referenceNumber is expected to be a string$/],
    ['{"type":"send_cv","content":{"referenceNumber":""}}', /^reference number cannot be an empty string$/],
    ['{"type":"send_cv","content":{"referenceNumber":"a"}}', /^missing credentials, call set_credentials before this method$/],
    ['{"type":"get_secret","content":{}}', /^missing credentials, call set_credentials before this method$/],
    ['{"type":"get_users_secret","content":{}}', /^missing credentials, call set_credentials before this method$/],
    ['{"type":"get_user_secret","content":{}}', /^missing credentials, call set_credentials before this method$/],
    ['{"type":"get_secret","content":[]}', /^content is expected to be an object/],
    ['{"type":"get_secret","content":{"key":5}}', /^key is expected to be a string$/],
    ['{"type":"get_secret","content":{"encryption_key":[]}}', /^encryption_key is expected to be a string$/],
    ['{"type":"set_cached_reference","content":""}', /^reference number cannot be an empty string$/],
    ['{"type":"set_cached_reference","content":null}', /^reference number cannot be an empty string$/],
    ['{"type":"has_cached_reference","content":""}', /^reference number cannot be an empty string$/],
    ['{"type":"has_cached_reference","content":5}', /^content is expected to be a string/],
    ['{"type":"set_mock","content":[]}', /^content is expected to be an object$/],
    ['{"type":"set_mock","content":{"secrets":[]}}', /^secrets is expected to be an object$/],
  ];
  test('answers what it cannot do with an error, and goes on', async (t) => {
    const helper = start(t);
    await helper.next();
    for (const [line, expected] of BAD) {
      const answer = JSON.parse((await helper.ask(line)) ?? '') as { type: string; content: string };
      assert.equal(answer.type, 'error', line);
      assert.match(answer.content, expected, line);
    }
    assert.equal(await helper.ask({ type: 'ping' }), '{"type":"pong"}');
  });

  test('shows no part of a line that it cannot read: it may hold keys', async (t) => {
    const helper = start(t);
    await helper.next();
    assert.doesNotMatch((await helper.ask('{"type":"set_credentials","content":{"api_key":"hidden"')) ?? '', /hidden/);
    assert.doesNotMatch((await helper.ask('"hidden" and more')) ?? '', /hidden/);
  });

  test('skips a line of more than 64 MiB, and takes one of less', async (t) => {
    const helper = start(t);
    await helper.next();
    const mebibyte = Buffer.alloc(1024 * 1024, 'x');
    const send = async (mebibytes: number) => {
      helper.child.stdin.write('{"type":"has_cached_reference","content":"');
      for (let i = 0; i < mebibytes; i++) if (!helper.child.stdin.write(mebibyte)) await once(helper.child.stdin, 'drain');
      return helper.ask('"}');
    };
    assert.equal(await send(63), ok(false));
    assert.equal(await send(65), error('the line is too long, expected at most 64 MiB'));
    assert.equal(await helper.ask({ type: 'ping' }), '{"type":"pong"}');
  });

  test('answers ten thousand queued lines, reading no further while a request runs', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    const lines = Array.from({ length: 10_000 }, (_, i) =>
      JSON.stringify({ type: i % 2 ? 'has_cached_reference' : 'ping', content: `${i}` }),
    );
    helper.child.stdin.end(`${lines.join('\n')}\n`);
    for (let i = 0; i < lines.length; i++) assert.equal(await helper.next(), i % 2 ? ok(false) : '{"type":"pong"}');
    assert.equal(await helper.next(), undefined);
    assert.equal((await helper.ended).code, 0);
  });
});

describe('signals and broken pipes', () => {
  for (const [signal, code] of [
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const) {
    test(`${signal} ends it with ${code}, at once when it has nothing to do`, async (t) => {
      const helper = start(t);
      await helper.next();
      helper.child.kill(signal);
      assert.deepEqual(await helper.ended, { code, signal: null, errors: '' });
    });

    test(`${signal} lets a request in progress end, and then ends it with ${code}`, async (t) => {
      const server = await startRtCv(t);
      const helper = await startKnown(t, server);
      server.answers.set('POST /api/v1/scraper/scanCV', (response) => {
        helper.child.kill(signal);
        // Nobody sees when it has looked at the signal.
        setTimeout(() => response.end('{"hasMatches":false}'), 200);
      });
      helper.child.stdin.write('{"type":"send_cv","content":{"referenceNumber":"a"}}\n{"type":"ping"}\n');
      assert.equal(await helper.next(), ok(false));
      assert.equal(await helper.next(), undefined);
      assert.equal((await helper.ended).code, code);
    });
  }

  test('output that nobody takes ends it with 1', async (t) => {
    const helper = start(t);
    await helper.next();
    helper.child.stdout.destroy();
    helper.child.stdin.write('{"type":"ping"}\n');
    assert.equal((await helper.ended).code, 1);
  });
});

describe('the cache', () => {
  test('works without credentials, with any text', async (t) => {
    const helper = start(t);
    await helper.next();
    for (const content of ['a', 'A ', '__proto__', '<&>', '😀']) {
      assert.equal(await helper.ask({ type: 'has_cached_reference', content }), ok(false), content);
      assert.equal(await helper.ask({ type: content === 'a' ? 'set_short_cached_reference' : 'set_cached_reference', content }), OK);
      assert.equal(await helper.ask({ type: 'has_cached_reference', content }), ok(true), content);
    }
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'A' }), ok(false));
  });
});

describe('set_mock', () => {
  test('matches everything once, and asks nobody', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    assert.equal(await helper.ask({ type: 'set_mock' }), OK);
    const cv = { type: 'send_cv', content: { referenceNumber: 'm' } };
    assert.equal(await helper.ask(cv), ok(true));
    assert.equal(await helper.ask(cv), OK);
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'm' }), ok(true));
    assert.equal(await helper.ask({ type: 'send_cv', content: { referenceNumber: 'known-1' } }), OK);
    assert.deepEqual(server.asked, []);
  });

  test('has the secrets that it was given, and only the last', async (t) => {
    const helper = start(t);
    await helper.next();
    const secrets =
      '{"users":[{"username":"a","password":"b","more":1},{}],"user":{"username":"c"},"raw":[ 1.10, 12345678901234567890 ],"n":null}';
    assert.equal(await helper.ask(`{"type":"set_mock","content":{"secrets":${secrets}}}`), OK);
    const secret = (type: string, content: object) => helper.ask({ type, content });
    assert.equal(await secret('get_secret', { key: 'raw', encryption_key: 'any' }), '{"type":"ok","content":[1.10,12345678901234567890]}');
    assert.equal(await secret('get_secret', { key: 'none' }), '{"type":"ok","content":null}');
    assert.equal(await secret('get_secret', { key: 'n' }), '{"type":"ok","content":null}');
    assert.equal(await secret('get_secret', { key: 'constructor' }), '{"type":"ok","content":null}');
    const users = [
      { username: 'a', password: 'b' },
      { username: '', password: '' },
    ];
    assert.equal(await secret('get_users_secret', {}), ok(users));
    assert.equal(await secret('get_users_secret', { key: 'n' }), ok([]));
    assert.equal(await secret('get_user_secret', { key: '' }), ok({ username: 'c', password: '' }));
    assert.equal(await secret('get_user_secret', { key: 'none' }), ok({ username: '', password: '' }));
    assert.match((await secret('get_users_secret', { key: 'user' })) ?? '', /"error","content":"the secret is expected to be a list/);
    assert.match((await secret('get_user_secret', { key: 'users' })) ?? '', /"error","content":"the secret is expected to be an object/);
    assert.equal(await helper.ask({ type: 'set_mock', content: null }), OK);
    assert.equal(await secret('get_secret', { key: 'raw' }), '{"type":"ok","content":null}');
  });
});

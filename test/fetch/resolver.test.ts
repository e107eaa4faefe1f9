/** Names that are known without asking anybody. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { createResolver, loopbackNamed } from '../../src/fetch/resolver.ts';

test('addresses are their own answer, at once', () => {
  const resolve = createResolver();
  assert.deepEqual(resolve('192.0.2.1'), [{ address: '192.0.2.1', family: 4 }]);
  assert.deepEqual(resolve('2001:db8::1'), [{ address: '2001:db8::1', family: 6 }]);
});

test('localhost and what is below it mean this machine', async () => {
  const resolve = createResolver();
  for (const host of ['localhost', 'localhost.', 'a.localhost', 'a.b.localhost.']) {
    const addresses = await resolve(host);
    assert.ok(addresses.length > 0 && addresses.every(({ address }) => address === '127.0.0.1' || address === '::1'), host);
    assert.notEqual(loopbackNamed(host), undefined);
  }
  for (const host of ['localhost.example', 'notlocalhost', 'xlocalhost.', '127.0.0.1']) assert.equal(loopbackNamed(host), undefined, host);
});

test('an answer is remembered, and who asks meanwhile waits for the same', async () => {
  const resolve = createResolver();
  const first = resolve('localhost');
  assert.ok(first instanceof Promise);
  assert.equal(resolve('localhost'), first);
  const addresses = await first;
  assert.equal(resolve('localhost'), addresses);
});

test('the name of this machine resolves', async () => {
  const addresses = await createResolver()(hostname());
  assert.ok(addresses.length > 0);
});

test('a name that nobody knows is a failure that says so, and is asked for again', async () => {
  const resolve = createResolver();
  for (let i = 0; i < 2; i++) {
    await assert.rejects(async () => resolve('nowhere.invalid'), {
      code: 'not-resolved',
      message: /^host name nowhere\.invalid not resolved: [^\n]+$/,
    });
  }
});

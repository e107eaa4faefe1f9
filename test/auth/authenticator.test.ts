/** Who is let in, and how much work it is to find out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthenticator, type Denial } from '../../src/auth/authenticator.ts';
import { parsePasswordHash, type PasswordHash, type ScryptHash } from '../../src/auth/password-hash.ts';
import { parseFields } from '../../src/http1/fields.ts';

const hash = (letter: string): ScryptHash => {
  const parsed = parsePasswordHash(`$scrypt$ln=10,r=8,p=1$${letter.repeat(22)}$${letter.repeat(43)}`);
  assert.ok(parsed);
  return parsed;
};
const ALICE = hash('A');
const users = new Map([
  ['alice', ALICE],
  ['bob', hash('B')],
]);

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const asked = (value: string, name = 'Proxy-Authorization', target = 'http://example.org/') => ({
  target,
  fields: parseFields(`${name}: ${value}\r\n\r\n`, 0),
});

/** A verifier whose looks end when they are told to. */
function slowVerify() {
  const looks: { password: string; hash: PasswordHash; end: (right: boolean) => void }[] = [];
  const verify = (password: string, hash: PasswordHash) => new Promise<boolean>((end) => looks.push({ password, hash, end }));
  return { looks, verify };
}

const settled = <T>(results: readonly (T | Promise<T>)[]) => Promise.all(results.map((result) => Promise.resolve(result)));
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

function denialOf(result: Denial | undefined | Promise<Denial | undefined>): Denial {
  assert.ok(result !== undefined && !(result instanceof Promise));
  return result;
}

test('without credentials a proxy asks with 407, a page of ours with 401', () => {
  const { check } = createAuthenticator({ users });
  const fields = parseFields('\r\n', 0);
  const challenge = 'Basic realm="warctap", charset="UTF-8"';
  assert.deepEqual(denialOf(check({ target: 'http://example.org/', fields })), {
    status: 407,
    line: 'proxy authentication required',
    fields: [['Proxy-Authenticate', challenge]],
  });
  assert.deepEqual(denialOf(check({ target: '/status', fields })), {
    status: 401,
    line: 'authentication required',
    fields: [['WWW-Authenticate', challenge]],
  });
});

test('credentials of the other kind, malformed or doubled ones are none, and no work', () => {
  const { looks, verify } = slowVerify();
  const { check } = createAuthenticator({ users, verify });
  const good = basic('alice:a');
  for (const request of [
    asked(good, 'Authorization'),
    asked(good, 'Proxy-Authorization', '/status'),
    asked(`${good}\r\nProxy-Authorization: ${good}`),
    asked('Bearer abc'),
    asked('Basic'),
    asked('Basic !!!!'),
    asked(`${good}, ${good}`),
    asked(basic('alice')),
    asked(`Basic ${Buffer.from('alice:\xff', 'latin1').toString('base64')}`),
    asked(basic(`alice:${'x'.repeat(5000)}`)),
  ]) {
    assert.equal(denialOf(check(request)).status, request.target === '/status' ? 401 : 407);
  }
  assert.equal(looks.length, 0);
});

test('good credentials are looked at once, then let in at once; bad ones each time', async () => {
  let looks = 0;
  const verify = (password: string, of: PasswordHash) => Promise.resolve((looks++, password === 'pass:word' && of === ALICE));
  const { check } = createAuthenticator({ users, verify });
  const good = basic('alice:pass:word');
  assert.equal(await check(asked(good)), undefined);
  assert.equal(check(asked(good.replace('Basic', 'bASIC '))), undefined);
  assert.equal(check(asked(good, 'Authorization', '/status')), undefined);
  assert.equal(looks, 1);
  for (let i = 0; i < 2; i++) assert.equal((await check(asked(basic('alice:other'))))?.status, 407);
  for (const wrong of ['bob:pass:word', 'carol:pass:word', 'alice:pass:word ', ':'])
    assert.equal((await check(asked(basic(wrong))))?.status, 407, wrong);
  assert.equal(looks, 7);
  assert.equal(check(asked(good)), undefined);
});

test('a user that is not known is as much work as one that is, and never let in', async () => {
  const { looks, verify } = slowVerify();
  const { check } = createAuthenticator({ users, verify });
  const checking = check(asked(basic('nobody:x')));
  const [look] = looks;
  assert.ok(look?.hash.kind === 'scrypt');
  const { logN, r, p, salt, hash: digest } = look.hash;
  assert.deepEqual([logN, r, p, salt.length, digest.length], [ALICE.logN, ALICE.r, ALICE.p, ALICE.salt.length, ALICE.hash.length]);
  look.end(true);
  assert.equal((await checking)?.status, 407);
});

test('the same credentials on several connections are looked at once', async () => {
  const { looks, verify } = slowVerify();
  const { check } = createAuthenticator({ users, verify });
  const checking = Array.from({ length: 6 }, () => check(asked(basic('alice:a'))));
  assert.equal(looks.length, 1);
  looks[0]?.end(true);
  assert.deepEqual(await settled(checking), Array(6).fill(undefined));
});

test('guesses: two are looked at at once, 64 wait, more are told to come back; who is known is let in meanwhile', async () => {
  const { looks, verify } = slowVerify();
  const { check } = createAuthenticator({ users, verify });
  const good = check(asked(basic('alice:a')));
  looks[0]?.end(true);
  assert.equal(await good, undefined);

  const guesses = Array.from({ length: 66 }, (_, i) => check(asked(basic(`alice:${i}`))));
  assert.equal(looks.length, 3);
  const busy = denialOf(check(asked(basic('alice:one more'))));
  assert.deepEqual([busy.status, busy.fields], [503, [['Retry-After', '5']]]);
  assert.equal(check(asked(basic('alice:a'))), undefined);

  for (let next = 1; next < 67; next++) {
    looks[next]?.end(false);
    await tick();
    assert.ok(looks.length <= next + 3);
  }
  const answers = await settled(guesses);
  assert.deepEqual(
    answers.map((answer) => answer?.status),
    Array(66).fill(407),
  );
  assert.equal(looks.length, 67);
  assert.ok(check(asked(basic('alice:again'))) instanceof Promise);
});

test('a look that fails lets nobody in, and the next one is made', async () => {
  let looks = 0;
  const verify = () => (looks++ === 0 ? Promise.reject(new Error('out of memory')) : Promise.resolve(true));
  const { check } = createAuthenticator({ users, verify });
  assert.equal((await check(asked(basic('alice:a'))))?.status, 503);
  assert.equal(await check(asked(basic('alice:a'))), undefined);
});

test('users are replaced: who stays the same needs no second look, who has gone is not let in, not even by a look under way', async () => {
  const { looks, verify } = slowVerify();
  const { check, replace } = createAuthenticator({ users, verify });
  const [alice, bob] = [check(asked(basic('alice:a'))), check(asked(basic('bob:b')))];
  looks[0]?.end(true);
  assert.equal(await alice, undefined);
  assert.equal(replace(new Map(users)), false);
  assert.equal(replace(new Map([['alice', hash('A')]])), true);
  looks[1]?.end(true);
  assert.equal((await bob)?.status, 407);
  assert.equal(check(asked(basic('alice:a'))), undefined);
  assert.equal(replace(new Map([['alice', hash('C')]])), true);
  assert.ok(check(asked(basic('alice:a'))) instanceof Promise);
  assert.throws(() => replace(new Map()), /nobody could log in/);
});

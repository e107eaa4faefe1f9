/** Log-in in front of a handler. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authenticator, Denial } from '../../src/auth/authenticator.ts';
import { withLogin } from '../../src/auth/login.ts';
import { MessageError } from '../../src/http/errors.ts';
import type { ClientRequest, Handler } from '../../src/http/sides.ts';
import { silentLog } from '../../src/util/log.ts';
import { recordingLog } from '../ca/support.ts';
import { clientRequest, requestHead } from '../http1/read.ts';
import { FakeClient } from '../support/client-side.ts';

const DENIAL: Denial = { status: 407, line: 'proxy authentication required', fields: [['Proxy-Authenticate', 'Basic']] };
const ANSWER = { status: 407, contentType: 'text/plain;charset=utf-8', body: 'proxy authentication required\n', fields: DENIAL.fields };

const GET = clientRequest(requestHead(''));
const post = (fields: string): ClientRequest => clientRequest(requestHead(fields, 'POST http://a/ HTTP/1.1'));

const always = (result: ReturnType<Authenticator['check']>): Authenticator => ({ check: () => result });
const notReached: Handler = () => assert.fail('it was let in');
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a client is told that asks with these credentials. */
function asked(authenticator: Authenticator, request: ClientRequest, handler: Handler = notReached): FakeClient {
  const client = new FakeClient();
  withLogin(authenticator, handler, silentLog)(request, client);
  return client;
}

test('without an authenticator everybody is let in', () => {
  assert.equal(withLogin(undefined, notReached, silentLog), notReached);
});

for (const [when, granted] of [
  ['at once', undefined],
  ['later', Promise.resolve(undefined)],
] as const) {
  test(`who is let in ${when} goes on with the same request`, async () => {
    const passed: unknown[] = [];
    const client = asked(always(granted), GET, (request, side) => passed.push(request, side));
    await settle();
    assert.deepEqual(passed, [GET, client]);
    assert.deepEqual(client.told, []);
  });
}

test('the head decides, and inside of a tunnel nobody is asked', () => {
  const seen: unknown[] = [];
  const check: Authenticator['check'] = (head) => void seen.push(head);
  let passed = 0;
  asked({ check }, GET, () => passed++);
  assert.equal(seen[0], GET.head);
  const tunnel = { scheme: 'https', host: 'a', port: 443, servername: undefined } as const;
  asked(always(DENIAL), clientRequest(requestHead('', 'GET / HTTP/1.1'), tunnel), () => passed++);
  assert.equal(passed, 2);
});

for (const [when, denied] of [
  ['at once', DENIAL],
  ['later', Promise.resolve(DENIAL)],
] as const) {
  test(`who is denied ${when} is told so when the request is complete, and the connection stays`, async () => {
    const client = asked(always(denied), post('Content-Length: 5\r\n'));
    await settle();
    assert.deepEqual(client.told, ['serve']);
    assert.equal(client.served?.write(Buffer.from('hello'), [Buffer.from('hello')]), true);
    client.served.endRequest();
    assert.deepEqual(client.answers, [{ answer: ANSWER, last: false }]);
  });
}

for (const [what, request] of [
  ['is long', post('Content-Length: 65537\r\n')],
  ['is of unknown length', post('Transfer-Encoding: chunked\r\n')],
  ['waits to be asked for', { ...post('Content-Length: 5\r\n'), expectsContinue: true }],
] as const) {
  test(`a body that ${what} is not waited for`, () => {
    const client = asked(always(DENIAL), request);
    assert.deepEqual(client.told, ['answer 407']);
  });
}

test('a body of 64 KiB is still waited for', () => {
  assert.deepEqual(asked(always(DENIAL), post('Content-Length: 65536\r\n')).told, ['serve']);
});

test('who has left in the meantime is told nothing, let in or not', async () => {
  for (const late of [undefined, DENIAL]) {
    const client = asked(always(Promise.resolve(late)), GET);
    client.leave();
    await settle();
    assert.deepEqual(client.told, []);
  }
});

test('a denial is logged with the address of the client, and without what it has sent', () => {
  const { log, lines } = recordingLog();
  withLogin(always(DENIAL), notReached, log)(post('Proxy-Authorization: Basic c2VjcmV0\r\n'), new FakeClient());
  assert.deepEqual(lines, [{ level: 'info', fields: { status: 407, client: '192.0.2.7' }, message: 'client not let in' }]);
});

test('what the handler throws is thrown at once, or refused when the look took its time', async () => {
  const boom = new MessageError('syntax', 'boom');
  const handler: Handler = () => {
    throw boom;
  };
  assert.throws(() => asked(always(undefined), GET, handler), boom);
  const client = asked(always(Promise.resolve(undefined)), GET, handler);
  await settle();
  assert.deepEqual(client.refused, [boom]);
});

test('a look that fails is a fault, and nobody is let in', async () => {
  const client = asked(always(Promise.reject(new TypeError('no such hash'))), GET);
  await settle();
  assert.deepEqual(client.told, ['refuse no such hash']);
});

/** What RT-CV servers are asked, and what the scraper hears of their answers. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadOrCreateCa } from '../../src/ca/authority.ts';
import { mintLeaf } from '../../src/ca/leaf.ts';
import { leafNames } from '../../src/ca/names.ts';
import { publicKeyInfo } from '../../src/ca/x509.ts';
import { silentLog } from '../../src/util/log.ts';
import { readVersion } from '../../src/util/version.ts';
import { credentials, folder, KEY_ID, start, startKnown, startRtCv, type Helper } from './support.ts';

const OK = '{"type":"ok"}';
const ok = (content: unknown) => JSON.stringify({ type: 'ok', content });
const HASH =
  '3ba2942ed1d05551d4360a2a7bb6298c2359061dc07b368949bd3fb7feca3344221257672d772ce456075b7cfa50fd7ce41eaefe529d056bf23dd665de668b78';
const CHECK = ['GET /api/v1/health', 'GET /api/v1/auth/keyinfo'];
const NUMBERS = 'GET /api/v1/scraper/scannedReferenceNrs/since/days/30';
const SCAN = 'POST /api/v1/scraper/scanCV';

async function errorOf(answer: Promise<string | undefined>): Promise<string> {
  const { type, content } = JSON.parse((await answer) ?? '') as { type: string; content: string };
  assert.equal(type, 'error', content);
  return content;
}

const send = (helper: Helper, referenceNumber: string) => helper.ask({ type: 'send_cv', content: { referenceNumber } });

describe('credentials', () => {
  test('are tried: health, role, and the reference numbers of 30 days', async (t) => {
    const server = await startRtCv(t);
    const helper = start(t);
    await helper.next();
    assert.equal(await helper.ask({ type: 'set_credentials', content: credentials(server) }), OK);
    assert.deepEqual(
      server.asked.map(({ line }) => line),
      [...CHECK, NUMBERS],
    );
    for (const { headers } of server.asked) {
      assert.equal(headers.authorization, `Basic ${KEY_ID}:${HASH}`);
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(headers['user-agent'], `rtcv_scraper_client/${readVersion()}`);
    }
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'known-3' }), ok(true));
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'known-2' }), ok(false));
  });

  test('of several servers: each is checked in order, the primary has the numbers, either command takes either form', async (t) => {
    const [first, second] = [await startRtCv(t), await startRtCv(t)];
    const helper = start(t);
    await helper.next();
    const both = [credentials(first), credentials(second, { primary: true })];
    for (const type of ['set_multiple_credentials', 'set_credentials']) {
      assert.equal(await helper.ask({ type, content: both }), OK);
      assert.deepEqual(
        [first, second].map(({ asked }) => asked.splice(0).map(({ line }) => line)),
        [CHECK, [...CHECK, NUMBERS]],
      );
    }
    assert.equal(await helper.ask({ type: 'set_multiple_credentials', content: credentials(first) }), OK);
    assert.equal(await helper.ask({ type: 'set_multiple_credentials', content: [credentials(first)] }), OK);
  });

  test('may have a path, and slashes at the end', async (t) => {
    const server = await startRtCv(t);
    for (const line of [...CHECK, NUMBERS]) server.answers.set(line.replace('/api', '/below/api'), { roles: [{ role: 1 }] });
    server.answers.set(NUMBERS.replace('/api', '/below/api'), []);
    const helper = start(t);
    await helper.next();
    assert.equal(
      await helper.ask({ type: 'set_credentials', content: credentials(server, { server_location: `${server.url}/below//` }) }),
      OK,
    );
    assert.equal(server.asked[0]?.line, 'GET /below/api/v1/health');
  });

  const good = { server_location: 'http://127.0.0.1:1', api_key_id: 'id', api_key: 'key' };
  const BAD: readonly (readonly [unknown, string | RegExp])[] = [
    [null, 'server_location cannot be empty'],
    [{}, 'server_location cannot be empty'],
    [[null], 'server_location cannot be empty'],
    [{ ...good, server_location: null }, 'server_location cannot be empty'],
    [{ ...good, api_key_id: '' }, 'api_key_id cannot be empty'],
    [{ ...good, api_key: undefined }, 'api_key cannot be empty'],
    [[], 'you cannot define no connections'],
    [[good, good], 'when defineing multiple connections, one must be set as primary'],
    [[good, good, good], 'when defineing multiple connections, one must be set as primary'],
    [
      [
        { ...good, primary: true },
        { ...good, primary: true },
      ],
      'can only have one primary connection',
    ],
    [[{ ...good, primary: true }, { ...good, primary: true }, {}], 'can only have one primary connection'],
    ['text', 'credentials are expected to be an object'],
    [{ ...good, api_key: 5 }, 'api_key is expected to be a string'],
    [{ ...good, primary: 'yes' }, 'primary is expected to be true or false'],
    [{ ...good, api_key_id: 'a\nb' }, 'api_key_id is expected to be ASCII without spaces'],
    [{ ...good, server_location: 'localhost:4000' }, /^server_location is expected to begin with/],
    [{ ...good, server_location: 'ftp://host' }, /^server_location is expected to begin with/],
    [{ ...good, server_location: 'http://' }, /^server_location is expected to begin with/],
    [{ ...good, server_location: 'http://me:hidden@host' }, /^server_location is expected to be without user name/],
    [{ ...good, server_location: 'http://host/?q' }, /^server_location is expected to be without user name/],
  ];
  test('are refused for what is wrong with them, before anybody is asked', async (t) => {
    const helper = start(t);
    await helper.next();
    for (const [content, expected] of BAD) {
      const said = await errorOf(helper.ask({ type: 'set_credentials', content }));
      if (typeof expected === 'string') assert.equal(said, expected);
      else assert.match(said, expected);
      assert.doesNotMatch(said, /hidden/);
    }
    assert.equal(await errorOf(helper.ask({ type: 'set_multiple_credentials', content: null })), 'you cannot define no connections');
  });

  test('of a key that may not scrape, or answers that are none, are refused', async (t) => {
    const server = await startRtCv(t);
    const helper = start(t);
    await helper.next();
    const ask = () => errorOf(helper.ask({ type: 'set_credentials', content: credentials(server) }));
    for (const info of [{ roles: [{ role: 2 }, { role: '1' }] }, { roles: null }, {}, []]) {
      server.answers.set('GET /api/v1/auth/keyinfo', info);
      assert.equal(await ask(), 'provided key does not have scraper role (nr 1)');
    }
    server.answers.set('GET /api/v1/auth/keyinfo', 'no JSON');
    assert.equal(await ask(), 'the server is expected to answer JSON');
    server.answers.delete('GET /api/v1/auth/keyinfo');
    for (const numbers of [{}, [1], ['a', null]]) {
      server.answers.set(NUMBERS, numbers);
      assert.equal(await ask(), 'the server is expected to answer a list of reference numbers');
    }
  });

  test('that fail leave none, and the cache as it is', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    await errorOf(helper.ask({ type: 'set_credentials', content: {} }));
    assert.match(await errorOf(send(helper, 'new')), /^missing credentials/);
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'known-1' }), ok(true));
    assert.equal(await send(helper, 'known-1'), OK);
  });

  test('end mock mode', async (t) => {
    const server = await startRtCv(t);
    const helper = start(t);
    await helper.next();
    await helper.ask({ type: 'set_mock' });
    await errorOf(helper.ask({ type: 'set_credentials', content: {} }));
    assert.equal(await send(helper, 'mocked'), ok(true));
    assert.equal(await helper.ask({ type: 'set_credentials', content: credentials(server) }), OK);
    assert.equal(await send(helper, 'sent'), ok(true));
    assert.equal(server.asked.at(-1)?.line, SCAN);
  });
});

describe('send_cv', () => {
  test('hands the document on as it was written, and remembers what matched', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    const cv = '{"a": 1.10, "referenceNumber": "x\\u00e9", "n": 12345678901234567890}';
    assert.equal(await helper.ask(`{"type":"send_cv","content":${cv}}`), ok(true));
    const [asked] = server.asked;
    assert.deepEqual([asked?.line, asked?.body.replaceAll(' ', '')], [SCAN, `{"cv":${cv.replaceAll(' ', '')}}`]);
    assert.equal(asked?.headers['content-length'], String(asked?.body.length));
    assert.equal(asked.headers['transfer-encoding'], undefined);
    assert.equal(await send(helper, 'xé'), OK);
    assert.equal(server.asked.length, 1);
  });

  test('takes reference_number, and sends it as the server needs it, too', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    assert.equal(await helper.ask('{"type":"send_cv","content": {"reference_number":"$&","b":1.0}}'), ok(true));
    assert.equal(server.asked[0]?.body, '{"cv":{"referenceNumber":"$&","reference_number":"$&","b":1.0}}');
    assert.equal(await send(helper, '$&'), OK);
    const both = { reference_number: 'no', referenceNumber: 'yes' };
    await helper.ask({ type: 'send_cv', content: both });
    assert.equal(server.asked[1]?.body, JSON.stringify({ cv: both }));
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'no' }), ok(false));
  });

  test('goes to every server in order, and the word of the primary counts', async (t) => {
    const [first, second, third] = [await startRtCv(t), await startRtCv(t), await startRtCv(t)];
    const order: string[] = [];
    const answer = (of: typeof first, name: string, hasMatches: boolean | undefined) =>
      of.answers.set(SCAN, (response) => {
        order.push(name);
        response.end(JSON.stringify({ hasMatches }));
      });
    const helper = start(t);
    await helper.next();
    const content = [credentials(first), credentials(second, { primary: true }), credentials(third)];
    assert.equal(await helper.ask({ type: 'set_multiple_credentials', content }), OK);
    answer(first, 'first', true);
    answer(second, 'second', undefined);
    answer(third, 'third', true);
    assert.equal(await send(helper, 'a'), ok(false));
    assert.deepEqual(order, ['first', 'second', 'third']);
    answer(second, 'second', true);
    assert.equal(await send(helper, 'a'), ok(true)); // which was not remembered
    order.length = 0;
    second.answers.set(SCAN, (response) => response.writeHead(400).end('{"error":"bad CV"}'));
    assert.equal(await errorOf(send(helper, 'b')), 'bad CV');
    assert.deepEqual(order, ['first']);
    assert.equal(await helper.ask({ type: 'has_cached_reference', content: 'b' }), ok(false));
  });

  test('takes a document of 5 MB', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    const text = 'é"\\'.repeat(1_250_000);
    assert.equal(await helper.ask({ type: 'send_cv', content: { referenceNumber: 'big', text } }), ok(true));
    assert.equal((JSON.parse(server.asked[0]?.body ?? '') as { cv: { text: string } }).cv.text, text);
  });
});

describe('secrets', () => {
  const secretLine = (rest: string) => `GET /api/v1/secrets/myKey/${rest}`;

  test('come from the primary, each part of the path a segment of its own', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    server.answers.set(secretLine('a%2Fb%3F%25/k%20y'), '{"n": 1.10,\n "big": 12345678901234567890}');
    assert.equal(
      await helper.ask({ type: 'get_secret', content: { key: 'a/b?%', encryption_key: 'k y' } }),
      '{"type":"ok","content":{"n":1.10,"big":12345678901234567890}}',
    );
    server.answers.set(secretLine('users/k'), [{ username: 'u', password: 'p', other: 1 }]);
    assert.equal(await helper.ask({ type: 'get_users_secret', content: { encryption_key: 'k' } }), ok([{ username: 'u', password: 'p' }]));
    server.answers.set(secretLine('user/k'), 'null');
    assert.equal(await helper.ask({ type: 'get_user_secret', content: { encryption_key: 'k' } }), ok({ username: '', password: '' }));
    assert.match(await errorOf(helper.ask({ type: 'get_secret', content: { key: '..', encryption_key: 'k' } })), /^key cannot be/);
  });

  test('and keys are in no error', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    const ask = () => errorOf(helper.ask({ type: 'get_secret', content: { key: 'name', encryption_key: 'very hidden' } }));
    server.answers.set(secretLine('name/very%20hidden'), (response, { line, headers }) =>
      response.writeHead(500).end(`${line} very hidden ${headers.authorization} ddd`),
    );
    assert.equal(await ask(), `server returned 500 code, with body ${secretLine('name/***')} *** Basic ${KEY_ID}:*** ***`);
    server.answers.set(secretLine('name/very%20hidden'), 'hidden, and no JSON');
    assert.equal(await ask(), 'the server is expected to answer JSON');
    server.answers.set(secretLine('name/very%20hidden'), (response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('{', () => response.destroy());
    });
    const said = await ask();
    assert.match(said, /^GET http:.*\/api\/v1\/secrets\/myKey\/name\/\*\*\*: the answer broke off: /);
    assert.doesNotMatch(said, /hidden/);
  });
});

describe('answers of servers', () => {
  const ERRORS: readonly (readonly [number, string, string])[] = [
    [404, '{"error":"item not found"}', 'item not found'],
    [400, '{"error":""}', 'server returned 400 code, with body {"error":""}'],
    [401, '{"error":5}', 'server returned 401 code, with body {"error":5}'],
    [500, '[]', 'server returned 500 code, with body []'],
    [599, 'plain', 'server returned 599 code, with body plain'],
  ];
  test('of 400 to 599 are errors, in the words of the server', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    for (const [status, body, expected] of ERRORS) {
      server.answers.set(SCAN, (response) => response.writeHead(status).end(body));
      assert.equal(await errorOf(send(helper, 'a')), expected);
    }
    server.answers.set(SCAN, (response) => response.writeHead(202).end('{"hasMatches":false}'));
    assert.equal(await send(helper, 'a'), ok(false));
    for (const body of ['', '5', '{"hasMatches":1}']) {
      server.answers.set(SCAN, body);
      assert.match(await errorOf(send(helper, 'a')), /^the server is expected to answer/);
    }
  });

  test('may be packed, or say that it is elsewhere', async (t) => {
    const [server, elsewhere] = [await startRtCv(t), await startRtCv(t)];
    const helper = await startKnown(t, server);
    server.answers.set(SCAN, (response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('{"hasMatches":true}')));
    assert.equal(await send(helper, 'packed'), ok(true));
    server.answers.set(SCAN, (response) => response.writeHead(302, { Location: `${elsewhere.url}/moved` }).end());
    elsewhere.answers.set('GET /moved', { hasMatches: true });
    assert.equal(await send(helper, 'moved'), ok(true));
    assert.equal(elsewhere.asked[0]?.headers.authorization, undefined); // not theirs
    server.answers.set(SCAN, (response) => response.writeHead(307, { Location: '/again' }).end());
    server.answers.set('POST /again', { hasMatches: true });
    assert.equal(await send(helper, 'again'), ok(true));
    assert.equal(server.asked.at(-1)?.body, '{"cv":{"referenceNumber":"again"}}');
  });

  test('that break off are not asked for again', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    server.answers.set(SCAN, (response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('{', () => response.destroy());
    });
    assert.match(await errorOf(send(helper, 'a')), /: the answer broke off: /);
    assert.equal(server.asked.length, 1);
  });

  test('that do not come are asked for again, with the body', async (t) => {
    const server = await startRtCv(t);
    const helper = await startKnown(t, server);
    server.answers.set(SCAN, (response) => {
      response.destroy();
      server.answers.delete(SCAN);
    });
    assert.equal(await send(helper, 'a'), ok(true));
    assert.deepEqual(
      server.asked.map(({ body }) => body),
      Array.from({ length: 2 }, () => '{"cv":{"referenceNumber":"a"}}'),
    );
  });
});

test('verifies certificates, by what NODE_EXTRA_CA_CERTS adds', async (t) => {
  const dir = folder(t);
  const ca = await loadOrCreateCa({ file: join(dir, 'ca.pem'), hostname: 'test', log: silentLog });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const leaf = await mintLeaf(ca.issuer, leafNames('127.0.0.1'), publicKeyInfo(publicKey), Date.now());
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  let asked = 0;
  const server = createTlsServer({ key, cert: leaf.pem }, (request, response) => {
    asked += 1;
    response.end(request.url?.endsWith('keyinfo') === true ? '{"roles":[{"role":1}]}' : '[]');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const content = { server_location: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, api_key_id: 'a', api_key: 'b' };
  const trusting = start(t, { env: { NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') } });
  await trusting.next();
  assert.equal(await trusting.ask({ type: 'set_credentials', content }), OK);
  assert.equal(asked, 3);
  // It hangs up in the middle of the handshake.
  await Promise.all([once(server, 'tlsClientError'), startAsking(t, content)]);
  assert.equal(asked, 3);
});

async function startAsking(t: TestContext, content: object): Promise<Helper> {
  const helper = start(t);
  await helper.next();
  helper.child.stdin.write(`${JSON.stringify({ type: 'set_credentials', content })}\n`);
  return helper;
}

test('goes through the proxy that its variable names, and through no other', async (t) => {
  const server = await startRtCv(t);
  const through: string[] = [];
  const proxy = createServer((_, response) => response.writeHead(500).end());
  proxy.on('connect', (request, socket) => {
    through.push(request.url ?? '');
    socket.on('error', () => undefined); // the helper is ended in the middle of it
    socket.end('HTTP/1.1 403 no\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await startKnown(t, server, { env: { HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url } });
  assert.deepEqual(through, []);
  const helper = start(t, { env: { RTCV_SCRAPER_CLIENT_PROXY: url } });
  await helper.next();
  helper.child.stdin.write(`${JSON.stringify({ type: 'set_credentials', content: credentials(server) })}\n`);
  await once(proxy, 'connect');
  assert.deepEqual(through, [new URL(server.url).host]);
});

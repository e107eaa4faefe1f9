/** Own pages as fetch handlers, over a real socket: requests as they see them, answers as clients see them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '../../src/util/log.ts';
import { createPages, serveFetch, textResponse, type FetchHandler } from '../../src/web/pages.ts';
import { RawClient } from '../support/client.ts';
import { startListening } from '../support/listening.ts';
import { ok, refusal } from '../support/messages.ts';
import { pageClient } from './support.ts';

const GET = 'GET /page HTTP/1.1\r\nHost: a:8000\r\n\r\n';
const text = (bytes: Buffer): string => bytes.toString('latin1');
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
const hello: FetchHandler = () => textResponse('text/plain', 'hello');

/** A body that comes in pieces. */
function stream(...pieces: readonly string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces.map((piece) => new TextEncoder().encode(piece)));
}

describe('the list of pages', () => {
  const pages = createPages({
    routes: { '/a': hello, '/fails': () => Promise.reject(new Error('no')) },
    isOwnHost: () => true,
    log: silentLog,
  });

  test('has what it was given, for GET and HEAD and with any query, and exactly so', () => {
    assert.deepEqual([pages.has('GET', '/a'), pages.has('HEAD', '/a'), pages.has('GET', '/a?b')], [true, true, true]);
    for (const [method, target] of [
      ['POST', '/a'],
      ['GET', '/b'],
      ['GET', '/a/'],
      ['GET', 'toString'],
      ['GET', '__proto__'],
    ] as const)
      assert.equal(pages.has(method, target), false, `${method} ${target}`);
  });

  test('of what begins alike the longest answers', async () => {
    const said =
      (text: string): FetchHandler =>
      (request) =>
        textResponse('text/plain', `${text} ${new URL(request.url).pathname}`);
    const routes = { '/a': said('exact'), '/*': said('all'), '/a/*': said('longer') };
    await using listening = await startListening(createPages({ routes, isOwnHost: () => true, log: silentLog }).handler);
    using client = await RawClient.connect(listening.port);
    for (const [path, answer] of [
      ['/a', 'exact /a'],
      ['/a?/a/b', 'exact /a'],
      ['/a/', 'longer /a/'],
      ['/a/b/c?d', 'longer /a/b/c'],
      ['/ab', 'all /ab'],
    ] as const) {
      client.send(GET.replace('/page', path));
      assert.equal((await client.response()).body.toString(), answer);
    }
  });

  test('serves what it has, and answers 404 for anything else', async () => {
    await using listening = await startListening(pages.handler);
    using client = await RawClient.connect(listening.port);
    client.send(GET.replace('/page', '/a'));
    assert.equal(text(await client.bytes(HELLO.length)), HELLO);
    client.send(GET);
    const { status, body } = await client.response();
    assert.deepEqual([status, body.toString()], [404, 'no such page\n']);
  });
});

describe('a page sees', () => {
  /** What a page sees of one request. */
  async function seen(request: string): Promise<Request> {
    let asked: Request | undefined;
    await using it = await pageClient((one) => {
      asked = one;
      return hello(one);
    });
    it.client.send(request);
    await it.client.response();
    assert.ok(asked, 'the page was not asked');
    return asked;
  }

  test('method, URL and fields, the values of one name together', async () => {
    const request = await seen(
      'PATCH /page?q=%20 HTTP/1.1\r\nhOST: a:8000\r\nX-One: 1\r\nx-one: 2\r\nX-Latin: \xe9\r\nContent-Length: 0\r\n\r\n',
    );
    assert.deepEqual([request.method, request.url, request.body], ['PATCH', 'http://a:8000/page?q=%20', null]);
    assert.deepEqual([request.headers.get('x-one'), request.headers.get('x-latin')], ['1, 2', '\xe9']);
  });

  for (const [what, fields, url] of [
    ['no Host', '', 'http://localhost/page'],
    ['a Host that is none', 'Host: <>\r\n', 'http://localhost/page'],
    ['a Host with credentials', 'Host: u:p@a\r\n', 'http://localhost/page'],
  ] as const) {
    test(`some URL for ${what}`, async () => {
      assert.equal((await seen(`GET /page HTTP/1.1\r\n${fields}\r\n`)).url, url);
    });
  }

  for (const method of ['GET', 'HEAD']) {
    test(`no body with ${method}, where it could not have one, and is answered all the same`, async () => {
      await using it = await pageClient(hello);
      it.client.send(`${method} /page HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc${GET}`);
      assert.equal(await it.client.head(), HELLO.slice(0, -5));
      assert.deepEqual(it.listening.logged('error'), []);
    });
  }
});

describe('an answer', () => {
  test('has its status, its fields as HTTP/1 writes them, and its framing last', async () => {
    await using it = await pageClient(() => {
      const headers = new Headers([
        ['content-length', '2'],
        ['x-REQUEST-id', '7'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]);
      return new Response('ok', { status: 201, headers });
    });
    it.client.send(GET);
    const { head, body } = await it.client.response();
    const [line, ...fields] = head.trimEnd().split('\r\n');
    assert.equal(line, 'HTTP/1.1 201 Created');
    assert.deepEqual(fields.toSorted(), [
      'Content-Length: 2',
      'Content-Type: text/plain;charset=UTF-8',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'X-Request-Id: 7',
    ]);
    assert.equal(fields.at(-1), 'Content-Length: 2');
    assert.equal(body.toString(), 'ok');
  });

  test('says the bytes of its values as they are, as those of the request came', async () => {
    await using it = await pageClient(({ headers }) => new Response(null, { headers: { 'x-echo': headers.get('x-say') ?? '' } }));
    for (const value of ['caf\xe9', Buffer.from('café').toString('latin1')]) {
      it.client.send(GET.replace('\r\n\r\n', `\r\nX-Say: ${value}\r\n\r\n`));
      assert.equal(await it.client.head(), `HTTP/1.1 200 OK\r\nX-Echo: ${value}\r\nContent-Length: 0\r\n\r\n`);
    }
  });

  test('to HEAD is the head of the one to GET, whatever the body', async () => {
    let cancelled = 0;
    const body = new ReadableStream(
      {
        cancel: () => {
          cancelled++;
        },
      },
      { highWaterMark: 0 },
    );
    const answers = [hello, () => new Response(body, { headers: { 'content-length': '9' } })];
    await using it = await pageClient((request) => answers.shift()!(request));
    it.client.send(GET.replace('GET', 'HEAD').repeat(2));
    assert.equal(await it.client.head(), HELLO.slice(0, -5));
    assert.equal(await it.client.head(), 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    assert.equal(cancelled, 1);
  });

  for (const status of [204, 304]) {
    test(`${status} has no body, and the connection stays`, async () => {
      await using it = await pageClient(() => new Response(null, { status, headers: { etag: '"x"' } }));
      for (let i = 0; i < 2; i++) {
        it.client.send(GET);
        assert.match(await it.client.head(), new RegExp(`^HTTP/1.1 ${status} [A-Za-z ]+\r\nEtag: "x"\r\n\r\n$`));
      }
    });
  }

  test('without a body has a length of 0', async () => {
    await using it = await pageClient(() => new Response(null, { status: 200 }));
    it.client.send(GET);
    assert.equal(await it.client.head(), 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });

  test('of unknown length goes in chunks, and the connection stays', async () => {
    await using it = await pageClient(() => new Response(stream('hello ', '', 'wörld')));
    it.client.send(`${GET}${GET}`);
    const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n6\r\nw\xc3\xb6rld\r\n0\r\n\r\n';
    assert.equal(text(await it.client.bytes(2 * answer.length)), answer + answer);
  });

  test('of unknown length goes to HTTP/1.0 as it is, and the connection ends', async () => {
    await using it = await pageClient(() => new Response(stream('hello ', 'world')));
    it.client.send('GET /page HTTP/1.0\r\n\r\n');
    assert.equal(text(await it.client.rest()), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world');
  });

  test('with a Content-Length goes without chunks', async () => {
    await using it = await pageClient(() => new Response(stream('o', 'k'), { headers: { 'content-length': '2' } }));
    it.client.send(GET);
    assert.equal(text(await it.client.bytes(ok().length)), ok());
  });
});

describe('a page that fails', () => {
  for (const [how, page] of [
    [
      'in the call',
      () => {
        throw new Error('boom');
      },
    ],
    ['later', () => Promise.reject(new Error('boom'))],
  ] as const) {
    test(`before its head (${how}) is answered 500 without what it said, logged with it, and the connection ends`, async () => {
      await using it = await pageClient(page);
      it.client.send(`${GET}${GET}`);
      assert.equal(text(await it.client.rest()), refusal('500 Internal Server Error', 'this page failed, see the log of the proxy'));
      assert.deepEqual(it.listening.logged('error'), ['a page failed: boom']);
    });
  }

  test('after its head is cut behind what came, and logged', async () => {
    async function* body() {
      yield new TextEncoder().encode('part');
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('boom');
    }
    await using it = await pageClient(() => new Response(ReadableStream.from(body())));
    it.client.send(`${GET}${GET}`);
    assert.equal(text(await it.client.rest()), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n');
    assert.deepEqual(it.listening.logged('error'), ['a page failed: boom']);
  });
});

test('a fetch handler may be served without a list of pages', async () => {
  await using listening = await startListening((request, client) => serveFetch(hello, request, client, silentLog));
  using client = await RawClient.connect(listening.port);
  client.send(GET.replace('GET /page', 'DELETE /any/path?x'));
  assert.equal(text(await client.bytes(HELLO.length)), HELLO);
});

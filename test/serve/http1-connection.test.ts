/** One connection of a client over a real socket, with handlers that answer in every way that there is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { plainAnswer } from '../../src/http/answer.ts';
import { MessageError } from '../../src/http/errors.ts';
import { FetchError } from '../../src/http/fetch-error.ts';
import { AS_IT_IS, type ClientSide, type Handler } from '../../src/http/sides.ts';
import { responseHead } from '../support/client-side.ts';
import { ok, refusal } from '../support/messages.ts';
import { CLOSING, connected, GET, LENGTH_2, OK_HEAD, passOn, POST, text, whole } from './connection-support.ts';

describe('after a whole answer', () => {
  for (const [what, answer, bytes] of [
    ['of an origin', passOn, ok()],
    [
      'of our own',
      (client: ClientSide) => client.answer(plainAnswer(404, 'nothing here')),
      refusal('404 Not Found', 'nothing here', false),
    ],
  ] as const) {
    test(`${what} the connection serves the next request`, async () => {
      await using it = await connected(whole((client) => answer(client)));
      it.client.send(`${POST}hello${GET}`);
      assert.equal(text(await it.client.bytes(2 * bytes.length)), bytes + bytes);
      it.client.send(GET);
      assert.equal(text(await it.client.bytes(bytes.length)), bytes);
    });
  }

  for (const [what, answer, bytes] of [
    ['of an origin that is the last', (client: ClientSide) => passOn(client, { ...AS_IT_IS, last: true }), CLOSING],
    ['of an origin whose end is not exact', (client: ClientSide) => passOn(client, AS_IT_IS, false), ok()],
    ['of our own that is the last', (client: ClientSide) => client.answer(plainAnswer(420, 'enough'), true), refusal('420 ', 'enough')],
  ] as const) {
    test(`${what} it ends, and what was pipelined is not served`, async () => {
      let served = 0;
      await using it = await connected(
        whole((client) => {
          served++;
          answer(client);
        }),
      );
      it.client.send(`${GET}${GET}`);
      assert.equal(text(await it.client.rest()), bytes);
      assert.ok(it.client.socket.readableEnded, 'closed, not reset');
      assert.equal(served, 1);
    });
  }

  test('the next request waits until the capture of this one is accepted', async () => {
    let accept = () => {};
    const accepted = new Promise<void>((resolve) => (accept = resolve));
    const seen: string[] = [];
    await using it = await connected(
      whole((client, { head }) => {
        seen.push(head.target);
        client.head(OK_HEAD, LENGTH_2, AS_IT_IS);
        client.body(Buffer.from('ok'), []);
        client.end(head.target === '/x' ? accepted : undefined, true);
      }),
    );
    it.client.send(`${GET}${GET.replace('/x', '/y')}`);
    assert.equal(text(await it.client.bytes(ok().length)), ok());
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.deepEqual(seen, ['/x']);
    accept();
    await it.client.bytes(ok().length);
    assert.deepEqual(seen, ['/x', '/y']);
  });
});

for (const [whose, answer, bytes] of [
  ['our own', (client: ClientSide) => client.answer(plainAnswer(413, 'too much')), refusal('413 Payload Too Large', 'too much')],
  ['an origin', passOn, ok()],
] as const) {
  test(`an answer of ${whose} before the request was read ends the connection, and its client can send to its end and read it`, async () => {
    let asked = 0;
    await using it = await connected((_request, client) => {
      asked++;
      answer(client);
    });
    const size = 8 * 1024 * 1024;
    it.client.send(`POST /x HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`);
    it.client.socket.end(Buffer.alloc(size, GET));
    assert.equal(text(await it.client.rest()), bytes);
    await once(it.client.socket, 'close');
    assert.equal(it.client.socket.errored, null);
    assert.equal(asked, 1);
  });
}

describe('an answer that fails', () => {
  test('before its head is told in one line with its status, logged, and the connection stays', async () => {
    await using it = await connected(whole((client) => client.fail(new FetchError('not-resolved', 'no such host'), undefined)));
    it.client.send(`${GET}${POST}hello`);
    const line = refusal('502 Bad Gateway', 'no such host', false);
    assert.equal(text(await it.client.bytes(2 * line.length)), line + line);
    assert.deepEqual(it.listening.logged('info'), ['no such host', 'no such host']);
  });

  test('before its head and before its request was read ends the connection', async () => {
    await using it = await connected((_request, client) => client.fail(new FetchError('connect-timeout', 'too late'), undefined));
    it.client.send(POST);
    assert.equal(text(await it.client.rest()), refusal('504 Gateway Timeout', 'too late'));
  });

  test('after its head is cut: what came is there, then the connection closes without another word', async () => {
    await using it = await connected(
      whole((client) => {
        client.head(responseHead(200, 'OK', ['Content-Length', '9']), { kind: 'length', length: 9 }, AS_IT_IS);
        client.body(Buffer.from('part'), []);
        client.fail(new FetchError('invalid-response', 'cut'), undefined);
      }),
    );
    it.client.send(`${GET}${GET}`);
    assert.equal(text(await it.client.rest()), 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart');
    assert.deepEqual(it.listening.logged('info'), []);
  });

  test('after its head alone is cut behind that head', async () => {
    await using it = await connected((_request, client) => {
      client.head(OK_HEAD, LENGTH_2, AS_IT_IS);
      client.fail(new FetchError('invalid-response', 'cut'), undefined);
    });
    it.client.send(GET);
    assert.equal(text(await it.client.rest()), 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
  });
});

describe('what is refused', () => {
  const thrown = (error: Error): Handler => {
    return () => {
      throw error;
    };
  };
  const later =
    (error: Error): Handler =>
    (_request, client) =>
      void Promise.reject(error).catch((why: unknown) => client.refuse(why));

  for (const [how, refuse] of [
    ['thrown', thrown],
    ['refused later', later],
  ] as const) {
    for (const [code, status] of [
      ['syntax', '400 Bad Request'],
      ['too-large', '431 Request Header Fields Too Large'],
      ['version', '505 HTTP Version Not Supported'],
    ] as const) {
      test(`as ${code} (${how}) is answered ${status}, and the connection ends`, async () => {
        await using it = await connected(refuse(new MessageError(code, 'not like this', 'x\r\n')));
        it.client.send(`${GET}${GET}`);
        assert.equal(text(await it.client.rest()), refusal(status, 'not like this: "x\\r\\n"'));
        assert.ok(it.client.socket.readableEnded);
      });
    }

    test(`as a fault (${how}) closes the connection without a word, and is logged`, async () => {
      await using it = await connected(refuse(new TypeError('boom')));
      it.client.send(GET);
      assert.equal(text(await it.client.rest()), '');
      assert.deepEqual(it.listening.logged('error'), ['a fault in warctap: the connection of a client was closed']);
    });
  }

  test('after the head of an answer is cut off', async () => {
    await using it = await connected((_request, client) => {
      client.head(OK_HEAD, LENGTH_2, AS_IT_IS);
      client.flush();
      client.refuse(new MessageError('syntax', 'not like this'));
    });
    it.client.send(GET);
    assert.equal(text(await it.client.rest()), 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
  });

  test('after the client has left harms nobody', async () => {
    let refused: () => void = () => {};
    const done = new Promise<void>((resolve) => (refused = resolve));
    await using it = await connected((_request, client) => {
      client.untilGone().addEventListener('abort', () => {
        client.refuse(new MessageError('syntax', 'too late'));
        client.answer(plainAnswer(200, 'too late'));
        client.fail(new FetchError('not-resolved', 'too late'), undefined);
        refused();
      });
      it.client.socket.resetAndDestroy();
    });
    it.client.send(GET);
    await done;
    assert.deepEqual([...it.listening.logged('error'), ...it.listening.logged('info')], []);
  });
});

describe('interim answers', () => {
  const hints = (client: ClientSide): void => {
    client.interim(responseHead(103, 'Early Hints', ['Link', '</a>']), AS_IT_IS);
    passOn(client);
  };

  test('go before the answer', async () => {
    await using it = await connected(whole((client) => hints(client)));
    it.client.send(GET);
    assert.equal(await it.client.head(), 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    assert.equal(text(await it.client.bytes(ok().length)), ok());
  });

  test('are not for a client of HTTP/1.0', async () => {
    await using it = await connected(whole((client) => hints(client)));
    it.client.send('GET /x HTTP/1.0\r\n\r\n');
    assert.equal(text(await it.client.rest()), CLOSING);
  });
});

describe('a client that waits for 100 (Continue)', () => {
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
  const EXPECTING = POST.replace('\r\n\r\n', '\r\nExpect: 100-Continue\r\n\r\n');
  const asking: Handler = (request, client) => {
    whole((side) => passOn(side))(request, client);
    client.askForBody();
    client.askForBody();
  };

  test('is asked for its body once', async () => {
    await using it = await connected(asking);
    it.client.send(EXPECTING);
    assert.equal(await it.client.head(), CONTINUE);
    it.client.send('hello');
    assert.equal(text(await it.client.bytes(ok().length)), ok());
  });

  for (const [what, bytes, answer] of [
    ['does not wait in truth', `${EXPECTING}hello`, ok()],
    ['speaks HTTP/1.0, where there is no such thing', EXPECTING.replace('1.1', '1.0'), CLOSING],
    ['does not say so', POST, ok()],
  ] as const) {
    test(`but ${what} is not asked`, async () => {
      await using it = await connected(asking);
      it.client.send(bytes);
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (!bytes.endsWith('hello')) it.client.send('hello');
      assert.equal(text(await it.client.bytes(answer.length)), answer);
    });
  }

  test('is not asked again after the origin has asked', async () => {
    await using it = await connected((request, client) => {
      whole((side) => passOn(side))(request, client);
      client.interim(responseHead(100, 'Continue'), AS_IT_IS);
      client.askForBody();
    });
    it.client.send(EXPECTING);
    assert.equal(await it.client.head(), CONTINUE);
    it.client.send('hello');
    assert.equal(text(await it.client.bytes(ok().length)), ok());
  });

  test('may get its answer instead, and the connection ends', async () => {
    await using it = await connected(({ expectsContinue }, client) => client.answer(plainAnswer(417, String(expectsContinue))));
    it.client.send(EXPECTING);
    await once(it.client.socket, 'end');
    assert.equal(text(await it.client.rest()), refusal('417 Expectation Failed', 'true'));
  });
});
